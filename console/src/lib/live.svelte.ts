/**
 * One live stream per browser: the tab that holds a lock opens it and tells the others. Where there are no locks (plain
 * http beyond this machine), each tab has its own.
 */
import type { FleetEvent } from '../api/client';
import { Collector, NOTHING, joined, type Batch } from './merge';

/** How things stand with the stream. */
export type LiveState = 'off' | 'connecting' | 'live' | 'reconnecting';

/** Changes are told at most this often, in milliseconds. */
const EVERY = 250;
/** Waits before a stream that ended for good is opened anew, in milliseconds. */
const WAITS = [1_000, 2_000, 5_000, 15_000, 30_000];

type Message = { kind: 'batch'; batch: Batch } | { kind: 'state'; state: LiveState } | { kind: 'hello' };

class Live {
  state = $state<LiveState>('off');
  paused = $state(false);
  /** What was held back while paused. */
  held = $state<Batch>(NOTHING);

  #listeners = new Set<(batch: Batch) => void>();
  #channel: BroadcastChannel | undefined;
  #ending: AbortController | undefined;
  #leads = false;

  /** Calls with what happens, until the function that it answers is called. */
  listen(listener: (batch: Batch) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(onRefused: () => void): void {
    if (this.#ending) return;
    const ending = new AbortController();
    this.#ending = ending;
    this.state = 'connecting';
    if (!('locks' in navigator) || !('BroadcastChannel' in window)) {
      this.#lead(ending.signal, onRefused);
      return;
    }
    const channel = new BroadcastChannel('tidegate-live');
    this.#channel = channel;
    channel.onmessage = ({ data }: MessageEvent<Message>) => this.#hear(data);
    channel.postMessage({ kind: 'hello' } satisfies Message);
    const hold = () => new Promise<void>((resolve) => {
      ending.signal.addEventListener('abort', () => resolve());
      this.#lead(ending.signal, onRefused);
    });
    // Given up when this tab stops before its turn has come.
    navigator.locks.request('tidegate-live', { signal: ending.signal }, hold).catch(() => {});
  }

  stop(): void {
    this.#ending?.abort();
    this.#ending = undefined;
    this.#channel?.close();
    this.#channel = undefined;
    this.#leads = false;
    this.state = 'off';
    this.held = NOTHING;
    this.paused = false;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    const { held } = this;
    this.held = NOTHING;
    if (held.count > 0 || held.everything) this.#deliver(held);
  }

  #hear(message: Message): void {
    if (message.kind === 'hello') {
      if (this.#leads) this.#tell({ kind: 'state', state: this.state });
    } else if (this.#leads) return;
    else if (message.kind === 'state') this.#become(message.state);
    else this.#receive(message.batch);
  }

  #become(state: LiveState): void {
    // Whatever happened while nothing was heard is looked up.
    const back = state === 'live' && this.state === 'reconnecting';
    this.state = state;
    if (back) this.#receive({ ...NOTHING, everything: true });
  }

  #receive(batch: Batch): void {
    if (this.paused) this.held = joined(this.held, batch);
    else this.#deliver(batch);
  }

  #deliver(batch: Batch): void {
    for (const listener of [...this.#listeners]) listener(batch);
  }

  #tell(message: Message): void {
    this.#channel?.postMessage(message);
  }

  #lead(signal: AbortSignal, onRefused: () => void): void {
    if (signal.aborted) return;
    this.#leads = true;
    const collector = new Collector();
    let source: EventSource | undefined;
    let tries = 0;
    let again: ReturnType<typeof setTimeout> | undefined;
    const enter = (state: LiveState) => {
      if (state === this.state) return;
      this.#become(state);
      this.#tell({ kind: 'state', state });
    };
    const open = () => {
      source = new EventSource('/api/v1/watch?kinds=events');
      source.addEventListener('bookmark', () => {
        tries = 0;
        enter('live');
      });
      source.addEventListener('resync', () => collector.lookAnew());
      source.addEventListener('happened', ({ data }: MessageEvent<string>) => {
        collector.add(JSON.parse(data) as FleetEvent);
      });
      source.onerror = () => {
        enter('reconnecting');
        // A stream that broke opens again by itself; one that was refused does not.
        if (source?.readyState !== EventSource.CLOSED) return;
        onRefused();
        clearTimeout(again);
        again = setTimeout(open, WAITS[Math.min(tries, WAITS.length - 1)]);
        tries += 1;
      };
    };
    const beat = setInterval(() => {
      const batch = collector.take();
      if (batch === null) return;
      this.#receive(batch);
      this.#tell({ kind: 'batch', batch });
    }, EVERY);
    signal.addEventListener('abort', () => {
      clearInterval(beat);
      clearTimeout(again);
      source?.close();
    });
    open();
  }
}

export const live = new Live();
