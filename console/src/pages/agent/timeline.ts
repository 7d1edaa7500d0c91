/** What happened to an agent: events, commands and pushes in one list. Pure. */
import type { Schemas } from '../../api/client';

export type Happening = Schemas['TimelineItem'];

/** The kinds that the list can be narrowed to: those of events, and what was asked. */
export const KINDS = ['agent-added', 'connection', 'health', 'config', 'push', 'command', 'message', 'description', 'labels', 'settings', 'schema'] as const;

export function kindOf(item: Happening): string {
  return item.event?.kind ?? item.kind;
}

/** What tells one from all others; orders those of the same moment as the server does. */
export function keyOf(item: Happening): string {
  const id = item.event ? String(item.event.number).padStart(20, '0') : (item.command?.id ?? item.push?.id ?? '');
  return `${item.kind}/${id}`;
}

/** What was read before and what was read now, newest first, each once as it is now, at most `most`. */
export function merged(before: readonly Happening[], now: readonly Happening[], most: number): Happening[] {
  const byKey = new Map<string, Happening>();
  for (const item of [...before, ...now]) byKey.set(keyOf(item), item);
  const rows = [...byKey].map(([key, item]) => ({ key, item, at: Date.parse(item.at) }));
  rows.sort((a, b) => b.at - a.at || (a.key < b.key ? 1 : -1));
  return rows.slice(0, most).map(({ item }) => item);
}

/** A push in a few words. */
export function titleOfPush(push: Schemas['TimelinePush']): string {
  const what = push.retry_of ? 'pushed again' : push.roll_back_of ? 'taken back' : 'pushed';
  return `config ${push.config.slice(0, 12)} ${what}`;
}
