/** The text of a query: quoting, adding and taking away terms. Meaning is the server's alone. Pure. */

/** A value as the search language takes it, quoted where it has to be. */
export function quoted(value: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_./@+-]*$/.test(value) && !/^(AND|OR|NOT)$/.test(value)) return value;
  return `"${value.replace(/[\\"*]/g, '\\$&')}"`;
}

/** `key=value`, quoted where needed: letter for letter, as facets count. An empty value means "none". */
export function term(key: string, value: string): string {
  return value === '' ? `-${key}:` : `${key}=${quoted(value)}`;
}

/** A word of a query and where it stands. */
export interface Word {
  readonly text: string;
  readonly from: number;
  readonly to: number;
}

/** Splits a query at blanks and brackets outside quotes. */
export function words(query: string): Word[] {
  const found: Word[] = [];
  let from = -1;
  let inQuotes = false;
  for (let at = 0; at <= query.length; at += 1) {
    const character = query[at];
    const ends = at === query.length || (!inQuotes && character !== undefined && /[\s()]/.test(character));
    if (ends) {
      if (from >= 0) found.push({ text: query.slice(from, at), from, to: at });
      from = -1;
      continue;
    }
    if (from < 0) from = at;
    if (character === '\\') at += 1;
    else if (character === '"') inQuotes = !inQuotes;
  }
  return found;
}

/** Whether a query's top level has an OR or brackets: then a further term needs brackets around the rest. */
export function isCompound(query: string): boolean {
  return words(query).some((word) => word.text === 'OR');
}

/** Whether a query has a term, letter for letter. */
export function has(query: string, wanted: string): boolean {
  return words(query).some((word) => word.text === wanted);
}

/** A query that asks for a further term as well. */
export function and(query: string, further: string): string {
  const trimmed = query.trim();
  if (trimmed === '') return further;
  if (has(trimmed, further) && !isCompound(trimmed)) return trimmed;
  return isCompound(trimmed) ? `(${trimmed}) ${further}` : `${trimmed} ${further}`;
}

/** A query without a term; what else it says stays as it was written. */
export function without(query: string, unwanted: string): string {
  const word = words(query).find((one) => one.text === unwanted);
  if (word === undefined) return query;
  return `${query.slice(0, word.from)}${query.slice(word.to)}`.replace(/\s+/g, ' ').trim();
}

/** The state of a facet's value in a query. */
export type Choice = 'in' | 'out' | 'none';

/** Whether a query includes, excludes or does not name a facet's value. */
export function choice(query: string, key: string, value: string): Choice {
  const included = term(key, value);
  if (has(query, included)) return 'in';
  return has(query, opposite(included)) ? 'out' : 'none';
}

/** A query in which a facet's value is included, excluded or not named. */
export function choose(query: string, key: string, value: string, wish: Choice): string {
  const included = term(key, value);
  const bare = without(without(query, included), opposite(included));
  if (wish === 'none') return bare;
  return and(bare, wish === 'in' ? included : opposite(included));
}

function opposite(included: string): string {
  // "none" is `-key:`; its opposite is "any".
  return included.startsWith('-') && included.endsWith(':') ? `${included.slice(1)}*` : `-${included}`;
}

/** A query for agents by their uids. */
export function byUids(uids: readonly string[]): string {
  return `uid=${uids.join(',')}`;
}
