/** The rows of the table of agents: read page by page as they come into sight, kept up to date where they are. */
import { api, type Agent } from '../../api/client';
import { asProblem, isAbort, type Problem } from '../../api/problem';
import type { Batch } from '../../lib/merge';
import { byUids } from '../../lib/query';
import { Ends, reversed, type EndWish } from './ends';

/** What a list shows. */
export interface Wanted {
  readonly q: string;
  readonly sort: string;
  readonly fields: string;
}

/** Rows in sight are asked anew at most this often, in milliseconds. */
const PACE = 500;
/** Most agents that are asked anew at once. */
const MOST = 100;

export class Rows {
  /** How many agents match; undefined until the first answer. */
  total = $state<number | undefined>();
  problem = $state.raw<Problem | undefined>();
  /** Grows with every change of rows, so that what reads them is drawn again. */
  version = $state(0);
  loading = $state(false);

  #list = new Ends<Agent>(false);
  #wanted: Wanted = { q: '', sort: '', fields: '' };
  #sight: readonly [number, number] = [0, 0];
  #running: AbortController | undefined;
  #changed = new Set<string>();
  #due: ReturnType<typeof setTimeout> | undefined;
  #asking: AbortController | undefined;

  /** The row at a place, if it is here. */
  at(index: number): Agent | undefined {
    void this.version;
    return this.#list.at(index);
  }

  /** Begins anew with another list; the old rows stay until the new ones have come where `keep` says so. */
  open(wanted: Wanted, keep = false): void {
    this.stop();
    this.#wanted = wanted;
    if (!keep) {
      this.total = undefined;
      this.#list = new Ends(false);
      this.version += 1;
    }
    void this.#first(wanted);
  }

  /** Rows from `from` up to `to` are in sight. */
  see(from: number, to: number): void {
    this.#sight = [from, to];
    if (this.total !== undefined && !this.#running && !this.problem) void this.#fill();
  }

  retry(): void {
    this.problem = undefined;
    if (this.total === undefined) this.open(this.#wanted);
    else void this.#fill();
  }

  /** Something happened: those of the agents in sight that it happened to are asked anew. */
  heard(batch: Batch): void {
    const inSight = this.#uidsInSight();
    for (const uid of inSight) {
      if (batch.everything || batch.uids.includes(uid)) this.#changed.add(uid);
    }
    if (this.#changed.size > 0) this.#due ??= setTimeout(() => void this.#again(), PACE);
  }

  stop(): void {
    this.#running?.abort();
    this.#asking?.abort();
    clearTimeout(this.#due);
    this.#running = undefined;
    this.#asking = undefined;
    this.#due = undefined;
    this.#changed.clear();
    this.problem = undefined;
    this.loading = false;
  }

  async #first(wanted: Wanted): Promise<void> {
    const list = new Ends<Agent>(reversed(wanted.sort) !== undefined);
    const wish = list.wish(0, 1);
    if (!wish) return;
    await this.#ask(wish, list, wanted, (total) => {
      list.total = total;
      this.#list = list;
      this.total = total;
    });
    if (this.total !== undefined && !this.problem) await this.#fill();
  }

  async #fill(): Promise<void> {
    const list = this.#list;
    for (;;) {
      const [from, to] = this.#sight;
      const wish = list === this.#list ? list.wish(from, Math.min(to, this.total ?? 0)) : null;
      if (!wish || this.problem || this.#running) return;
      await this.#ask(wish, list, this.#wanted);
    }
  }

  async #ask(wish: EndWish, list: Ends<Agent>, wanted: Wanted, done?: (total: number) => void): Promise<void> {
    const running = new AbortController();
    this.#running = running;
    this.loading = true;
    const { link, kind, back } = wish;
    const fields = kind === 'way' ? 'uid' : wanted.fields;
    const sort = back ? (reversed(wanted.sort) ?? wanted.sort) : wanted.sort;
    const body = { q: wanted.q, sort, fields, limit: link.size, cursor: link.cursor ?? null };
    try {
      const page = await api.post('/api/v1/agents/search', { body, signal: running.signal });
      if (this.#running !== running) return;
      list.came(wish, page.items, page.next_cursor);
      done?.(page.total.value);
      this.problem = undefined;
      this.version += 1;
    } catch (error) {
      if (this.#running !== running || isAbort(error)) return;
      this.problem = asProblem(error);
    } finally {
      if (this.#running === running) {
        this.#running = undefined;
        this.loading = false;
      }
    }
  }

  #uidsInSight(): string[] {
    const uids: string[] = [];
    for (let index = this.#sight[0]; index < this.#sight[1]; index += 1) {
      const agent = this.#list.at(index);
      if (agent) uids.push(agent.uid);
    }
    return uids;
  }

  async #again(): Promise<void> {
    const uids = [...this.#changed].slice(0, MOST);
    this.#changed.clear();
    const asking = new AbortController();
    this.#asking = asking;
    const list = this.#list;
    const body = { q: byUids(uids), fields: this.#wanted.fields, limit: MOST };
    try {
      const page = await api.post('/api/v1/agents/search', { body, signal: asking.signal });
      if (list !== this.#list) return;
      for (const agent of page.items) list.replace((row) => row.uid === agent.uid, agent);
      this.version += 1;
    } catch {
      // The rows stay as they were; the next change asks again, and what the reader asks for says what is wrong.
    } finally {
      if (this.#asking === asking) {
        this.#asking = undefined;
        this.#due = this.#changed.size > 0 ? setTimeout(() => void this.#again(), PACE) : undefined;
      }
    }
  }
}
