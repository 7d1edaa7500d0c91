/** Many live changes in one: what a screen needs to know of them, bounded. Pure. */
import type { FleetEvent } from '../api/client';

/** Most events that are kept to be shown. */
export const MAX_EVENTS = 50;
/** Most agents that are named; beyond, all that is said is that many changed. */
export const MAX_UIDS = 500;

/** What happened since the last batch. */
export interface Batch {
  /** The newest events, oldest first. */
  readonly events: readonly FleetEvent[];
  /** The agents that something happened to. */
  readonly uids: readonly string[];
  /** How many events there were. */
  readonly count: number;
  /** More than `uids` names: look at everything anew. */
  readonly everything: boolean;
}

export const NOTHING: Batch = { events: [], uids: [], count: 0, everything: false };

/** Two batches as one, the later one last. */
export function joined(earlier: Batch, later: Batch): Batch {
  const uids = [...new Set([...earlier.uids, ...later.uids])];
  const everything = earlier.everything || later.everything || uids.length > MAX_UIDS;
  return {
    events: [...earlier.events, ...later.events].slice(-MAX_EVENTS),
    uids: everything ? [] : uids,
    count: earlier.count + later.count,
    everything,
  };
}

/** Collects events until they are taken. */
export class Collector {
  #events: FleetEvent[] = [];
  #uids = new Set<string>();
  #count = 0;
  #everything = false;

  add(event: FleetEvent): void {
    this.#count += 1;
    this.#events.push(event);
    if (this.#events.length > 2 * MAX_EVENTS) this.#events = this.#events.slice(-MAX_EVENTS);
    if (this.#everything) return;
    this.#uids.add(event.agent);
    if (this.#uids.size > MAX_UIDS) this.lookAnew();
  }

  /** Something may have been missed. */
  lookAnew(): void {
    this.#everything = true;
    this.#uids.clear();
  }

  /** What was collected; null where nothing was. */
  take(): Batch | null {
    if (this.#count === 0 && !this.#everything) return null;
    const events = this.#events.slice(-MAX_EVENTS);
    const batch = { events, uids: [...this.#uids], count: this.#count, everything: this.#everything };
    this.#events = [];
    this.#uids = new Set();
    this.#count = 0;
    this.#everything = false;
    return batch;
  }
}

/** New events in front of those shown, newest first, each once, at most `most`. */
export function newestFirst(shown: readonly FleetEvent[], further: readonly FleetEvent[], most: number): FleetEvent[] {
  const byNumber = new Map<number, FleetEvent>();
  for (const event of [...shown, ...further]) byNumber.set(event.number, event);
  return [...byNumber.values()].sort((a, b) => b.number - a.number).slice(0, most);
}
