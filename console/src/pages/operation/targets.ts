/** The agents of an operation by what came of them. Pure. */
import type { Schemas } from '../../api/client';
import { counted } from '../../lib/format';

type Target = Schemas['OperationTarget'];

/** What was done to how many. */
export function title({ kind, total }: Pick<Schemas['Operation'], 'kind' | 'total'>): string {
  const agents = counted(total, 'agent');
  if (kind === 'restart') return `Restart of ${agents}`;
  return kind === 'label' ? `Labels of ${agents}` : `Message to ${agents}`;
}

export const WAYS = ['all', 'succeeded', 'pending', 'failed', 'refused'] as const;
export type Way = (typeof WAYS)[number];

/** Most rows that are drawn; the counts are of all. */
export const SHOWN = 200;

const WAITS = ['queued', 'sent', 'acknowledged'];

/** Where a target's outcome belongs. */
export function wayOf(outcome: string): Exclude<Way, 'all'> {
  if (outcome === 'succeeded' || outcome === 'refused') return outcome;
  return WAITS.includes(outcome) ? 'pending' : 'failed';
}

/** The targets of a way, those that need a person first. */
export function ofWay(targets: readonly Target[], way: Way): Target[] {
  if (way !== 'all') return targets.filter((target) => wayOf(target.outcome) === way);
  const order: readonly string[] = ['failed', 'refused', 'pending', 'succeeded'];
  return [...targets].sort((a, b) => order.indexOf(wayOf(a.outcome)) - order.indexOf(wayOf(b.outcome)));
}
