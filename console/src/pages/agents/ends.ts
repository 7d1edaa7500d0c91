/** A list that is read on from whichever of its ends is nearer: a jump to the last row does not read all before it. Pure. */
import { Chain, type Wish } from './chain';

/** What every agent has. Agents without a value stand last in either direction: such an order cannot be read backwards. */
const ALWAYS: readonly string[] = ['name', 'uid', 'connection', 'health', 'config', 'attention', 'first_seen', 'last_seen'];
/** Most keys that the server sorts by. */
const MOST_KEYS = 4;

/** The order in which the last agent comes first; undefined where the server has none. Agents are told apart by their uid. */
export function reversed(sort: string): string | undefined {
  const keys = sort.split(',').filter(Boolean);
  const turned = keys.map((key) => (key.startsWith('-') ? key.slice(1) : `-${key}`));
  const named = [...keys, ...turned];
  if (!named.includes('uid')) turned.push('-uid');
  const known = named.every((key) => ALWAYS.includes(key.replace(/^-/, '')));
  return known && turned.length <= MOST_KEYS ? turned.join(',') : undefined;
}

/** What is to be asked for next, and whether by the order that begins at the end. */
export type EndWish = Wish & { readonly back: boolean };

export class Ends<T> {
  /** How many rows there are; 0 until that is known. */
  total = 0;
  readonly #front = new Chain<T>();
  readonly #back: Chain<T> | undefined;

  /** `both` where the list can be read backwards. */
  constructor(both: boolean) {
    this.#back = both ? new Chain<T>() : undefined;
  }

  /** The row at a place, if it is here. */
  at(index: number): T | undefined {
    return this.#front.at(index) ?? this.#back?.at(this.total - 1 - index);
  }

  /** What to ask for so that the rows from `from` up to `to` come here; null when they are, or cannot. */
  wish(from: number, to: number): EndWish | null {
    let [first, end] = [from, to];
    while (first < end && this.at(first) !== undefined) first += 1;
    while (end > first && this.at(end - 1) !== undefined) end -= 1;
    if (first === end) return null;
    const forth = (): EndWish | null => {
      const wish = this.#front.wish(first, end);
      return wish && { ...wish, back: false };
    };
    const back = (): EndWish | null => {
      const wish = this.#back?.wish(this.total - end, this.total - first);
      return wish ? { ...wish, back: true } : null;
    };
    const nearer = this.#back !== undefined && this.#back.way(this.total - first) < this.#front.way(end);
    return nearer ? (back() ?? forth()) : (forth() ?? back());
  }

  /** The answer to a wish: the rows of its page, and the cursor of the next one. */
  came({ kind, link, back }: EndWish, rows: readonly T[], next: string | undefined): void {
    const chain = back ? this.#back : this.#front;
    if (kind === 'way') chain?.passed(link, rows.length, next);
    else chain?.came(link, rows, next);
  }

  /** Puts a newer row in the place of an older one. */
  replace(isIt: (row: T) => boolean, row: T): void {
    this.#front.replace(isIt, row);
    this.#back?.replace(isIt, row);
  }
}
