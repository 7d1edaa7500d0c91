/** Completion of the query language: proposals are the server's, with their places and counts. Pure. */
import type { Schemas } from '../../api/client';
import { count } from '../../lib/format';

/** What the keys mean that every agent has. */
const KEYS: Readonly<Record<string, string>> = {
  name: 'what people call it',
  uid: 'its instance uid',
  connection: 'whether it is there',
  health: 'how it fares',
  config: 'whether it runs what it should',
  attention: 'whether a person should look',
  error: 'what went wrong last',
  version: 'version of the service',
  os: 'operating system',
  arch: 'architecture',
  service: 'name of the service',
  last_seen: 'when it last spoke, such as >10m',
  first_seen: 'when it first reported',
  transport: 'websocket or http',
  capability: 'what it can do',
  proof: 'whether its config is proven',
  config_hash: 'hash of the config that it should run',
};

export interface Suggestion {
  /** What is written into the query. */
  readonly text: string;
  /** What is shown. */
  readonly shown: string;
  /** What it means, or how many agents have it. */
  readonly note: string;
}

/** What a query may go on with at one place. */
export interface Offer {
  /** The query that it was made for. */
  readonly query: string;
  /** The part of it that a suggestion takes the place of. */
  readonly from: number;
  readonly to: number;
  readonly items: readonly Suggestion[];
}

/** The server counts characters, a browser counts halves of some: where a place of the one is in the other. */
export function characters(text: string, units: number): number {
  return [...text.slice(0, units)].length;
}

function units(text: string, place: number): number {
  return [...text].slice(0, place).join('').length;
}

/** What the server proposes for a query. */
export function offerOf(query: string, answer: Schemas['Completions']): Offer {
  const items = answer.items.map((item): Suggestion => {
    const many = item.count === undefined || item.count === null ? '' : count(item.count);
    if (item.kind === 'key') return { text: item.text, shown: item.text, note: KEYS[item.text.slice(0, -1)] ?? many };
    const note = item.kind === 'agent' ? 'by its name' : many;
    return { text: `${item.text} `, shown: item.text, note };
  });
  return { query, from: units(query, answer.from), to: units(query, answer.to), items };
}

/** What of an offer still holds after some more letters, until there is a new one; null where they stand elsewhere. */
export function still(offer: Offer, query: string, caret: number): Offer | null {
  const behind = offer.query.slice(offer.to);
  const to = query.length - behind.length;
  if (caret < offer.from || caret > to || query.slice(0, offer.from) !== offer.query.slice(0, offer.from) || !query.endsWith(behind)) return null;
  const bare = (text: string) => text.replace(/^"/, '').toLowerCase();
  const written = bare(query.slice(offer.from, caret));
  const items = offer.items.filter((item) => bare(item.text).startsWith(written));
  return items.length === 0 ? null : { query, from: offer.from, to, items };
}

/** The query of an offer with a suggestion taken, and where the caret then stands. */
export function take(offer: Offer, suggestion: Suggestion): { query: string; caret: number } {
  const rest = offer.query.slice(offer.to);
  const text = rest.startsWith(' ') ? suggestion.text.trimEnd() : suggestion.text;
  const written = offer.query.slice(0, offer.from) + text;
  return { query: written + rest, caret: written.length };
}
