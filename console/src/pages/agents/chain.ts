/**
 * Pages of a list of which each names the next, and what is known of them: where they begin and how they are asked for.
 * Rows are kept for a bounded number; those that were let go are asked for again by their page's cursor. Pure.
 */

/** A page: the rows from `start` on, asked for with `cursor`; the first has none. */
export interface Link {
  readonly start: number;
  readonly size: number;
  readonly cursor: string | undefined;
}

/** Rows of a page that is read on from. */
export const STEP = 100;
/** Rows of a page on the way to somewhere far: only their places are read. */
export const STRIDE = 500;
/** Most rows that are kept. */
export const MOST_ROWS = 5_000;

/** What is to be asked for next. */
export type Wish =
  | { readonly kind: 'rows'; readonly link: Link }
  | { readonly kind: 'way'; readonly link: Link };

export class Chain<T> {
  readonly #links: Link[] = [{ start: 0, size: STEP, cursor: undefined }];
  readonly #pages = new Map<number, readonly T[]>();
  #ended = false;

  /** The row at a place, if it is here. */
  at(index: number): T | undefined {
    const link = this.#linkOf(index);
    return link && this.#pages.get(link.start)?.[index - link.start];
  }

  /** How many rows lie between what is known of the list and `to`. */
  way(to: number): number {
    const { start, size } = this.#last();
    return Math.max(0, to - start - size);
  }

  /** Every row that is here. */
  *rows(): Iterable<T> {
    for (const page of this.#pages.values()) yield* page;
  }

  /** What to ask for so that the rows from `from` up to `to` come here; null when they are. */
  wish(from: number, to: number): Wish | null {
    for (let index = from; index < to; ) {
      const link = this.#linkOf(index);
      if (!link) return this.#further(index);
      if (!this.#pages.has(link.start)) return { kind: 'rows', link };
      index = link.start + link.size;
    }
    return null;
  }

  /** The rows of a page came, and the cursor of the next one. */
  came(link: Link, rows: readonly T[], next: string | undefined): void {
    this.#pages.delete(link.start);
    this.#pages.set(link.start, rows);
    this.passed(link, rows.length, next);
    let kept = [...this.#pages.values()].reduce((sum, page) => sum + page.length, 0);
    for (const [start, page] of this.#pages) {
      if (kept <= MOST_ROWS || start === link.start) break;
      this.#pages.delete(start);
      kept -= page.length;
    }
  }

  /** A page has so many rows, and the next one this cursor. */
  passed(link: Link, size: number, next: string | undefined): void {
    const at = this.#links.findIndex((one) => one.start === link.start);
    if (at < 0) return;
    this.#links[at] = { ...link, size };
    if (next === undefined || size === 0) {
      this.#ended = true;
      return;
    }
    const start = link.start + size;
    if (at === this.#links.length - 1) this.#links.push({ start, size: STEP, cursor: next });
  }

  /** Puts a newer row in the place of an older one. */
  replace(isIt: (row: T) => boolean, row: T): void {
    for (const [start, page] of this.#pages) {
      const at = page.findIndex(isIt);
      if (at >= 0) this.#pages.set(start, page.with(at, row));
    }
  }

  #last(): Link {
    // There is always one.
    return this.#links.at(-1) as Link;
  }

  #linkOf(index: number): Link | undefined {
    let low = 0;
    let high = this.#links.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const link = this.#links[middle];
      if (!link) return undefined;
      if (index < link.start) high = middle - 1;
      else if (index >= link.start + link.size) low = middle + 1;
      else return link;
    }
    return undefined;
  }

  #further(index: number): Wish | null {
    const last = this.#last();
    // The end was reached: there are fewer rows than was thought.
    if (this.#ended) return null;
    const far = index >= last.start + 3 * STEP;
    return far ? { kind: 'way', link: { ...last, size: STRIDE } } : { kind: 'rows', link: last };
  }
}

/** The rows in sight, with a margin, at most `most`. Heights in pixels. */
export function inSight(top: number, height: number, row: number, total: number, most: number): [number, number] {
  const seen = Math.ceil(height / row) + 1;
  const margin = Math.max(0, Math.min(10, Math.floor((most - seen) / 2)));
  const first = Math.min(Math.max(0, Math.floor(top / row) - margin), Math.max(0, total - 1));
  return [first, Math.min(total, first + Math.min(most, seen + 2 * margin))];
}
