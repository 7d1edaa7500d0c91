/** Finds shortcuts of one key or two in a row in a stream of keys. Pure but for what it remembers. */

/** The second key must follow within this time, in milliseconds. */
const WITHIN = 1_500;

export class Sequence {
  #first: string | undefined;
  #at = 0;

  /** The shortcut that a key completes, of those known; null where it completes none. */
  press(key: string, known: readonly string[], at: number): string | null {
    const first = at - this.#at <= WITHIN ? this.#first : undefined;
    this.#first = undefined;
    if (first !== undefined && known.includes(`${first} ${key}`)) return `${first} ${key}`;
    if (known.includes(key)) return key;
    if (known.some((one) => one.startsWith(`${key} `))) {
      this.#first = key;
      this.#at = at;
    }
    return null;
  }
}
