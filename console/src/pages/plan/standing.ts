/** Where a plan stands, for a person. Pure. */
import type { Schemas } from '../../api/client';
import { counted } from '../../lib/format';

type Plan = Schemas['Plan'];

/** Bounds of a reason, in characters; one line. */
export const REASON = { least: 8, most: 280 } as const;

/** A headline: what the plan is, as a wish while it waits. */
export function title(plan: Plan): string {
  const agents = counted(plan.count, 'agent');
  return plan.action.kind === 'restart' ? `Restart ${agents}` : `Send ${plan.action.type} to ${agents}`;
}

/** Whether it can still be carried out. */
export function isOpen(plan: Plan): boolean {
  return plan.state === 'waiting';
}

/** What keeps what was typed from carrying the plan out; nothing when it may be. */
export function missing(plan: Plan, typed: string, reason: string): 'confirmation' | 'reason' | undefined {
  if (typed.trim() !== plan.confirmation) return 'confirmation';
  const length = [...reason.trim()].length;
  const given = length > 0 || !plan.reason;
  return given && (length < REASON.least || length > REASON.most) ? 'reason' : undefined;
}
