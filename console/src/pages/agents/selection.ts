/** Which agents an act is for: some that were ticked, or all that match. Never a list of all in the browser. Pure. */
import { byUids } from '../../lib/query';

export interface Selection {
  /** Ticked one by one. */
  readonly uids: ReadonlySet<string>;
  /** All that the query matches. */
  readonly all: boolean;
}

/** Most that can be ticked one by one: as many values as a query may have is more. */
export const MOST_TICKED = 400;
/** From this number on, it has to be typed. */
export const TYPED_FROM = 10;

export const NONE: Selection = { uids: new Set(), all: false };

/** A selection with one agent ticked or not. Full, it stays what it is. */
export function toggled(selection: Selection, uid: string): Selection {
  const uids = new Set(selection.all ? [] : selection.uids);
  if (!uids.delete(uid) && uids.size < MOST_TICKED) uids.add(uid);
  return { uids, all: false };
}

/** A selection with all of some agents ticked as well. */
export function extended(selection: Selection, further: readonly string[]): Selection {
  const uids = [...(selection.all ? [] : selection.uids), ...further];
  return { uids: new Set([...new Set(uids)].slice(0, MOST_TICKED)), all: false };
}

/** The query and the number that an act is bound to. */
export function predicate(selection: Selection, query: string, total: number): { q: string; count: number } {
  if (!selection.all) return { q: byUids([...selection.uids]), count: selection.uids.size };
  return { q: query.trim() === '' ? 'name:*' : query, count: total };
}
