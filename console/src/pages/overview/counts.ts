/** What an overview says of a fleet's counts. Pure. */
import type { Schemas } from '../../api/client';
import { counted } from '../../lib/format';
import { link } from '../../lib/url';

type Facet = Schemas['Facet'];

/** One value and how many have it. */
export interface Part {
  readonly value: string;
  readonly count: number;
}

/** The counts of an axis in the order of its words, those that are none left out; words unknown here come last. */
export function parts(facet: Facet | undefined, order: readonly string[]): Part[] {
  const place = (value: string) => (order.includes(value) ? order.indexOf(value) : order.length);
  return [...(facet?.values ?? [])].filter((one) => one.count > 0).sort((a, b) => place(a.value) - place(b.value));
}

/** Compares versions: numbers as numbers, what is no number as text, a pre-release before its release. */
export function byVersion(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split(/[.+-]/));
  for (let at = 0; at < Math.max(left?.length ?? 0, right?.length ?? 0); at += 1) {
    const [one, other] = [left?.[at], right?.[at]];
    if (one === undefined) return isNumber(other) ? -1 : 1;
    if (other === undefined) return isNumber(one) ? 1 : -1;
    if (one === other) continue;
    if (isNumber(one) && isNumber(other)) return Number(one) - Number(other);
    return isNumber(one) ? 1 : isNumber(other) ? -1 : one < other ? -1 : 1;
  }
  return 0;
}

const isNumber = (text: string | undefined): boolean => /^\d+$/.test(text ?? '');

/** Rows of a breakdown: the most frequent ten, the rest as one. */
export function breakdown(facet: Facet | undefined, most = 10): { rows: Part[]; other: number; missing: number } {
  const values = facet?.values ?? [];
  const rest = values.slice(most).reduce((sum, one) => sum + one.count, 0);
  return { rows: values.slice(0, most), other: (facet?.other ?? 0) + rest, missing: facet?.missing ?? 0 };
}

/** A sentence that calls for a person, and the agents that it is about. */
export interface Sentence {
  readonly level: 'watch' | 'act';
  readonly text: string;
  readonly href: string;
}

const CALLS: readonly (readonly [string, string, 'watch' | 'act', string, string])[] = [
  ['config', 'failed', 'act', 'could not apply its config', 'could not apply their config'],
  ['health', 'unhealthy', 'act', 'is unhealthy', 'are unhealthy'],
  ['connection', 'disconnected', 'act', 'is disconnected', 'are disconnected'],
  ['config', 'drifted', 'watch', 'runs another config than it should', 'run another config than they should'],
  ['health', 'degraded', 'watch', 'is degraded', 'are degraded'],
  ['connection', 'late', 'watch', 'is late', 'are late'],
];

/** At most five sentences, the gravest first. */
export function sentences(by: Readonly<Record<string, Facet>>): Sentence[] {
  const found = CALLS.flatMap(([key, value, level, one, many]) => {
    const number = by[key]?.values.find((part) => part.value === value)?.count ?? 0;
    if (number === 0) return [];
    return [{ level, text: `${counted(number, 'agent')} ${number === 1 ? one : many}`, href: link('/agents', { q: `${key}:${value}` }) }];
  });
  return found.slice(0, 5);
}
