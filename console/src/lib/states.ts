/** The words of the state model: what each looks like. Shape and word say it; colour repeats it. Pure. */

export type Tone = 'ok' | 'watch' | 'bad' | 'busy' | 'none';
export type Shape = 'check' | 'alert' | 'cross' | 'turn' | 'ring' | 'dots' | 'diff' | 'off' | 'query' | 'dash';

export interface Look {
  readonly tone: Tone;
  readonly shape: Shape;
}

const LOOKS: Readonly<Record<string, Look>> = {
  // Connection
  connected: { tone: 'ok', shape: 'check' },
  late: { tone: 'watch', shape: 'alert' },
  disconnected: { tone: 'bad', shape: 'off' },
  'never-seen': { tone: 'none', shape: 'ring' },
  departed: { tone: 'none', shape: 'dash' },
  // Health
  healthy: { tone: 'ok', shape: 'check' },
  degraded: { tone: 'watch', shape: 'alert' },
  unhealthy: { tone: 'bad', shape: 'cross' },
  starting: { tone: 'busy', shape: 'turn' },
  unknown: { tone: 'none', shape: 'query' },
  // Config, pushes
  'in-sync': { tone: 'ok', shape: 'check' },
  pending: { tone: 'busy', shape: 'dots' },
  applying: { tone: 'busy', shape: 'turn' },
  failed: { tone: 'bad', shape: 'cross' },
  drifted: { tone: 'watch', shape: 'diff' },
  unmanaged: { tone: 'none', shape: 'dash' },
  unverifiable: { tone: 'none', shape: 'query' },
  proven: { tone: 'ok', shape: 'check' },
  unproven: { tone: 'watch', shape: 'query' },
  superseded: { tone: 'none', shape: 'dash' },
  refused: { tone: 'bad', shape: 'cross' },
  // Package, certificate
  current: { tone: 'ok', shape: 'check' },
  behind: { tone: 'watch', shape: 'alert' },
  installing: { tone: 'busy', shape: 'turn' },
  ok: { tone: 'ok', shape: 'check' },
  expiring: { tone: 'watch', shape: 'alert' },
  expired: { tone: 'bad', shape: 'cross' },
  none: { tone: 'none', shape: 'ring' },
  // Attention
  watch: { tone: 'watch', shape: 'alert' },
  act: { tone: 'bad', shape: 'cross' },
  // Plans; `expired` is above
  waiting: { tone: 'busy', shape: 'dots' },
  'under-way': { tone: 'busy', shape: 'turn' },
  done: { tone: 'ok', shape: 'check' },
  stale: { tone: 'none', shape: 'dash' },
  discarded: { tone: 'none', shape: 'dash' },
  // Commands, operations, offers
  queued: { tone: 'busy', shape: 'dots' },
  sent: { tone: 'busy', shape: 'turn' },
  offered: { tone: 'busy', shape: 'turn' },
  acknowledged: { tone: 'ok', shape: 'check' },
  succeeded: { tone: 'ok', shape: 'check' },
  cancelled: { tone: 'none', shape: 'dash' },
  default: { tone: 'none', shape: 'dash' },
  unsupported: { tone: 'none', shape: 'dash' },
};

/** What a value looks like; a word that this console does not know is drawn as unknown. */
export function look(value: string): Look {
  return (Object.hasOwn(LOOKS, value) ? LOOKS[value] : undefined) ?? { tone: 'none', shape: 'query' };
}

/** The axes that the server tells of, in the order in which they are shown, with their values from good to bad. */
export const AXES = [
  { key: 'connection', title: 'Connection', values: ['connected', 'late', 'disconnected', 'departed'] },
  { key: 'health', title: 'Health', values: ['healthy', 'starting', 'degraded', 'unhealthy', 'unknown'] },
  {
    key: 'config',
    title: 'Config',
    values: ['in-sync', 'applying', 'pending', 'drifted', 'failed', 'unverifiable', 'unmanaged'],
  },
  { key: 'attention', title: 'Attention', values: ['ok', 'watch', 'act'] },
] as const;

/** Whether what an agent said of itself is old news: it is not connected. */
export function isStale(connection: string): boolean {
  return connection !== 'connected';
}
