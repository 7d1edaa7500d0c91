/** What an overview says of a fleet's counts. Pure. */
import type { Schemas } from '../../api/client';

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
