/** Heartbeat rules: names as the command line gives them, texts, requests. Pure. */
import type { Schemas } from '../../api/client';
import { count, counted } from '../../lib/format';

type Rule = Schemas['SettingsRule'];
type Target = Schemas['SettingsTarget'];

/** FNV-1a of a query's bytes: the command line names the same rule the same. */
function fingerprint(query: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(query.trim())) hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn;
  return hash.toString(16).padStart(16, '0');
}

/** The name of the rule for a target. */
export function nameOf(target: Target): string {
  if (target.agent) return `heartbeat-${target.agent.toLowerCase()}`;
  return target.q ? `heartbeat-q-${fingerprint(target.q)}` : 'heartbeat-all';
}

/** Whom a form's choice and text mean; null where the text is missing or no uid. */
export function targetOf(whom: 'all' | 'q' | 'agent', text: string): Target | null {
  const trimmed = text.trim();
  if (whom === 'all') return { all: true };
  if (whom === 'q') return trimmed === '' ? null : { q: trimmed };
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(trimmed) ? { agent: trimmed.toLowerCase() } : null;
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600 };

/** Seconds of a text such as `10s`, `5m`, `1h` or `30`; null where it is none from 1 s to a day. */
export function seconds(text: string): number | null {
  const found = /^\s*(\d{1,6})\s*([smh]?)\s*$/.exec(text);
  if (!found) return null;
  const value = Number(found[1]) * (UNITS[found[2] || 's'] ?? 1);
  return value >= 1 && value <= 86_400 ? value : null;
}

/** What a rule becomes with another heartbeat: what else it sets stays. */
export function withHeartbeat(rule: Rule | undefined, target: Target, heartbeat: Schemas['HeartbeatSetting']): Schemas['SettingsRequest'] {
  return { ...content(rule), target, heartbeat };
}

/** What else than a heartbeat a rule sets. */
export function rest(rule: Rule): string[] {
  const parts = ['opamp', 'own_logs', 'own_metrics', 'own_traces'] as const;
  const found: string[] = parts.filter((part) => rule[part] !== undefined && rule[part] !== null);
  return [...found, ...Object.keys(rule.other_connections ?? {})];
}

function content(rule: Rule | undefined): Omit<Schemas['SettingsRequest'], 'target'> {
  if (!rule) return {};
  const { name: _name, revision: _revision, actor: _actor, at: _at, agents: _agents, warnings: _warnings, target: _target, ...kept } = rule;
  return kept;
}

/** How far a rule has come with its agents, in a line: what there is none of is left out. */
export function standing({ total, acknowledged, offered, pending, failed, unsupported }: Rule['agents']): string {
  const parts = [[acknowledged, 'taken'], [offered, 'offered'], [pending, 'waiting'], [failed, 'failed'], [unsupported, 'cannot']] as const;
  const told = parts.filter(([number]) => number > 0).map(([number, word]) => `${count(number)} ${word}`);
  return [counted(total, 'agent'), told.join(', ')].filter(Boolean).join(': ');
}

/** How often, in words. */
export function often(heartbeat: Schemas['HeartbeatSetting']): string {
  if (heartbeat.off) return 'off';
  const every = heartbeat.interval_seconds ?? 0;
  const [size, unit] = every > 0 && every % 3_600 === 0 ? [3_600, 'h'] : every > 0 && every % 60 === 0 ? [60, 'm'] : [1, 's'];
  return `every ${every / size} ${unit}`;
}
