/** Something asked from the server: shown while it is asked anew, with its age and its last problem. */
import { asProblem, isAbort, type Problem } from '../api/problem';
import { live } from './live.svelte';
import type { Batch } from './merge';

/** Live changes lead to a new question at most this often, in milliseconds. */
const PACE = 1_000;

export class Resource<T> {
  data = $state.raw<T | undefined>(undefined);
  problem = $state.raw<Problem | undefined>(undefined);
  loading = $state(false);
  /** When the data came, in milliseconds since 1970. */
  at = $state<number | undefined>(undefined);

  #ask: ((signal: AbortSignal) => Promise<T>) | undefined;
  #running: AbortController | undefined;
  #due: ReturnType<typeof setTimeout> | undefined;
  #askedAt = 0;

  /** Asks; what was asked before is given up. With `keep`, the old data stays until the new has come. */
  async load(ask: (signal: AbortSignal) => Promise<T>, { keep = true } = {}): Promise<void> {
    this.#ask = ask;
    if (!keep) {
      this.data = undefined;
      this.at = undefined;
    }
    await this.refresh();
  }

  /** Asks the same again. */
  async refresh(): Promise<void> {
    const ask = this.#ask;
    if (!ask) return;
    this.#running?.abort();
    clearTimeout(this.#due);
    this.#due = undefined;
    const running = new AbortController();
    this.#running = running;
    this.#askedAt = performance.now();
    this.loading = true;
    try {
      const data = await ask(running.signal);
      if (this.#running !== running) return;
      this.data = data;
      this.at = Date.now();
      this.problem = undefined;
    } catch (error) {
      if (this.#running !== running || isAbort(error)) return;
      this.problem = asProblem(error);
    } finally {
      if (this.#running === running) {
        this.loading = false;
        this.#running = undefined;
      }
    }
  }

  /** Asks again soon, once for all who wish it; not while another answer is awaited or nobody looks. */
  refreshSoon(): void {
    if (this.#due !== undefined) return;
    const wait = Math.max(0, this.#askedAt + PACE - performance.now());
    this.#due = setTimeout(() => {
      this.#due = undefined;
      if (this.#running || document.hidden) this.refreshSoon();
      else void this.refresh();
    }, Math.max(wait, document.hidden ? PACE : 0));
  }

  stop(): void {
    this.#running?.abort();
    this.#running = undefined;
    clearTimeout(this.#due);
    this.#due = undefined;
    this.loading = false;
  }
}

/**
 * A resource of a component: asked when what `ask` reads changes, asked again when something of the fleet that
 * `concerns` says yes to changes, stopped with the component.
 */
export function resource<T>(
  ask: () => (signal: AbortSignal) => Promise<T>,
  concerns: (batch: Batch) => boolean = () => false,
): Resource<T> {
  const made = new Resource<T>();
  $effect(() => {
    void made.load(ask());
  });
  $effect(() => live.listen((batch) => {
    if (concerns(batch)) made.refreshSoon();
  }));
  $effect(() => () => made.stop());
  return made;
}

/** For `resource`: whatever happens. */
export const anything = (): boolean => true;

/** For `resource`: what happens to one agent. */
export const toAgent = (uid: string) => (batch: Batch): boolean => batch.everything || batch.uids.includes(uid);
