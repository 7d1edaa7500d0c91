/**
 * The server explains health by a component's error, and attention by the reason of what calls for it: the same sentence
 * comes up to three times. Here each is told once, where it belongs. Pure.
 */
import type { AgentDetail } from '../../api/client';

type Explained = Pick<AgentDetail, 'connection' | 'health' | 'config' | 'attention'>;
export type Reasons = Readonly<Record<'connection' | 'health' | 'config' | 'attention', string>>;

/** Whether a text is what a listing shows of a sentence: its first line, which `…` may cut short. */
function isHeadline(text: string, sentence: string): boolean {
  const line = sentence.split('\n', 1)[0] ?? '';
  return text === sentence || text === line || (text.length > 1 && text.endsWith('…') && line.startsWith(text.slice(0, -1)));
}

/** A reason without a sentence that is told elsewhere: what stands before it and its colon. */
function without(reason: string, sentence: string): string {
  if (sentence === '') return reason;
  for (let at = reason.indexOf(': '); at >= 0; at = reason.indexOf(': ', at + 1)) {
    if (isHeadline(reason.slice(at + 2), sentence)) return reason.slice(0, at);
  }
  return reason;
}

/** The reason of each axis, less what another one tells in full: a config's trouble stands with the config. */
export function reasons(agent: Explained): Reasons {
  const connection = agent.connection.reason ?? '';
  const health = agent.health.reason ?? '';
  const config = agent.config.reason ?? '';
  const attention = [health, config, connection].reduce(without, agent.attention.reason ?? '');
  return { connection, health: without(health, config), config, attention };
}
