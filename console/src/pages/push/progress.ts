/** How far a push has come. Pure. */
import type { Schemas } from '../../api/client';

type Push = Schemas['Push'];
export type PushAgent = Schemas['PushAgent'];

/** The states of an agent of a push, those that need a person first. */
export const STATES = ['failed', 'refused', 'applying', 'pending', 'unproven', 'proven', 'superseded'] as const;
export type PushState = (typeof STATES)[number];

/** States in which nothing more is to come. */
const ENDED: readonly string[] = ['failed', 'refused', 'unproven', 'proven', 'superseded'];

/** The agents to show: of some states, or all, those that need a person first. */
export function shown(push: Pick<Push, 'agents'>, states: readonly string[]): PushAgent[] {
  const rank = (agent: PushAgent): number => {
    const at = STATES.findIndex((state) => state === agent.state);
    return at < 0 ? STATES.length : at;
  };
  return push.agents
    .filter((agent) => states.length === 0 || states.includes(agent.state))
    .sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** How many agents something is still to come from. */
export function open(push: Pick<Push, 'summary'>): number {
  return push.summary.pending + push.summary.applying;
}

export function isEnded(state: string): boolean {
  return ENDED.includes(state);
}

/** How a dry run says that a push would go. */
export interface Forecast {
  readonly total: number;
  readonly refused: number;
  /** Not there now: get the config when they come back. */
  readonly away: number;
  readonly sample: readonly PushAgent[];
  /** What builds of its agents will not understand, those of most agents first. */
  readonly warnings: readonly Schemas['PushWarning'][];
}

export function forecast(push: Push): Forecast {
  const takes = push.agents.filter((agent) => agent.state !== 'refused');
  return {
    total: push.summary.total,
    refused: push.summary.refused,
    away: takes.filter((agent) => agent.connection.value !== 'connected').length,
    sample: push.agents.slice(0, 5),
    warnings: [...(push.warnings ?? [])].sort((a, b) => b.agents - a.agents),
  };
}

/** Where in a config something is, as editors write it. */
export function place({ file, line, column }: Schemas['PushWarning']): string {
  return [file, line, column].filter((part) => part !== undefined && part !== null).join(':');
}

/** From how many agents on a number has to be typed. */
export const TYPE_FROM = 10;

/** The first letters of a hash, enough to tell configs apart. */
export function short(hash: string): string {
  return hash.slice(0, 12);
}
