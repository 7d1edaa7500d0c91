/** The past of components as columns that a chart draws. Pure. */
import type { Schemas } from '../api/client';
import type { Tone } from '../lib/states';

type History = Schemas['MetricsHistory'];
type Values = readonly (number | null)[];

export interface Line {
  readonly name: string;
  readonly values: Values;
  /** Colour of a state, for lines that stand for trouble. */
  readonly tone?: Tone;
}

/** Seconds since 1970 of each step of a history. */
export function times(history: Pick<History, 'from' | 'step_seconds' | 'steps'>): number[] {
  const from = Date.parse(history.from) / 1000;
  return Array.from({ length: history.steps }, (_, at) => from + at * history.step_seconds);
}

/** Whether a line has anything to show. */
export function isKnown(values: Values): boolean {
  return values.some((value) => value !== null);
}

/** The newest value that is known. */
export function newest(values: Values): number | null {
  return values.findLast((value) => value !== null) ?? null;
}

/** Where a value stands between unknown ones: no line leads to it, so it is drawn as a point. */
export function lone(values: Values): number[] {
  return values.flatMap((value, at) => (value !== null && (values[at - 1] ?? null) === null && (values[at + 1] ?? null) === null ? [at] : []));
}

/** The same length for all: a history that is shorter than its steps has unknown ends. */
export function aligned(values: Values, length: number): (number | null)[] {
  return Array.from({ length }, (_, at) => values[at] ?? null);
}

/** What passes through: the lines of all components of one kind, at most `most`, those that carry most first. */
export function flow(history: History, kind: 'input' | 'output', most: number): Line[] {
  return Object.entries(history.components)
    .filter(([name, one]) => name.startsWith(`${kind}:`) && isKnown(one.records))
    .map(([name, one]) => ({ name, values: one.records, sum: one.records.reduce<number>((all, value) => all + (value ?? 0), 0) }))
    .sort((a, b) => b.sum - a.sum || (a.name < b.name ? -1 : 1))
    .slice(0, most)
    .map(({ name, values }) => ({ name, values }));
}

/** The spans that can be chosen, with the step that keeps a chart under some two hundred points. */
export const SPANS = [
  { key: '15m', title: '15 minutes', seconds: 900, step: '60s' },
  { key: '1h', title: '1 hour', seconds: 3_600, step: '60s' },
  { key: '6h', title: '6 hours', seconds: 21_600, step: '2m' },
  { key: '24h', title: '24 hours', seconds: 86_400, step: '10m' },
  { key: '7d', title: '7 days', seconds: 604_800, step: '1h' },
] as const;
