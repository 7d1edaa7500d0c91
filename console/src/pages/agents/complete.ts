/** Completion of the query language's keys and values. Pure: values come from whoever asks. */
import { quoted, words } from '../../lib/query';

/** Keys that every agent has, with what they mean. */
export const KEYS: Readonly<Record<string, string>> = {
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

/** What is being written at a place of a query. */
export interface Writing {
  readonly kind: 'key' | 'value';
  /** The key whose value is written; '' for keys. */
  readonly key: string;
  /** What stands there so far, without quotes. */
  readonly prefix: string;
  /** The part of the query that a suggestion takes the place of. */
  readonly from: number;
  readonly to: number;
}

/** What is being written where the caret stands. */
export function writing(query: string, caret: number): Writing {
  const word = words(query).find((one) => one.from < caret && caret <= one.to);
  if (!word) return { kind: 'key', key: '', prefix: '', from: caret, to: caret };
  const sign = word.text.startsWith('-') ? 1 : 0;
  const from = word.from + sign;
  const before = query.slice(from, caret);
  const split = /^([^:=]+)[:=]/.exec(before);
  if (!split) return { kind: 'key', key: '', prefix: before, from, to: word.to };
  const key = split[1] ?? '';
  const start = split[0].length;
  const list = before.slice(start);
  // Of values with commas between, the last one is being written.
  const comma = list.startsWith('"') ? -1 : list.lastIndexOf(',');
  const prefix = list.slice(comma + 1);
  return { kind: 'value', key, prefix: prefix.replace(/^"/, ''), from: from + start + comma + 1, to: word.to };
}

export interface Suggestion {
  /** What is written into the query. */
  readonly text: string;
  /** What is shown. */
  readonly shown: string;
  /** What it means, or how many agents have it. */
  readonly note: string;
}

const MOST = 12;

/** Of some texts those that begin with a prefix, then those that contain it. */
function fitting<T>(all: readonly T[], prefix: string, of: (one: T) => string): T[] {
  const wanted = prefix.toLowerCase();
  const rank = (one: T) => {
    const text = of(one).toLowerCase();
    return text.startsWith(wanted) ? 0 : text.includes(wanted) ? 1 : 2;
  };
  return all.filter((one) => rank(one) < 2).sort((a, b) => rank(a) - rank(b)).slice(0, MOST);
}

/** Suggestions for keys: those of the language and those that agents were seen to have. */
export function keySuggestions(prefix: string, seen: readonly string[]): Suggestion[] {
  const all = [...Object.keys(KEYS), ...seen.filter((key) => !(key in KEYS))];
  return fitting(all, prefix, (key) => key).map((key) => ({ text: `${key}:`, shown: `${key}:`, note: KEYS[key] ?? '' }));
}

/** Suggestions for values, with their counts. */
export function valueSuggestions(prefix: string, values: readonly { value: string; count: number }[]): Suggestion[] {
  return fitting(values, prefix, (one) => one.value).map(({ value, count }) => ({
    text: `${quoted(value)} `,
    shown: value,
    note: String(count),
  }));
}

/** A query with a suggestion taken, and where the caret then stands. */
export function take(query: string, at: Writing, suggestion: Suggestion): { query: string; caret: number } {
  const rest = query.slice(at.to);
  const text = rest.startsWith(' ') ? suggestion.text.trimEnd() : suggestion.text;
  const written = query.slice(0, at.from) + text;
  return { query: written + rest, caret: written.length };
}
