/** The tabs of an agent's page. Pure. */
export const TABS = [
  { key: 'summary', title: 'Summary' },
  { key: 'config', title: 'Config' },
  { key: 'metrics', title: 'Metrics' },
  { key: 'timeline', title: 'Timeline' },
  { key: 'commands', title: 'Commands' },
  { key: 'logs', title: 'Logs' },
  { key: 'raw', title: 'Raw' },
] as const;

export type TabKey = (typeof TABS)[number]['key'];

/** The tab that lies some steps to the right, in a circle. */
export function tabAfter(tab: TabKey, steps: number): TabKey {
  const at = TABS.findIndex((one) => one.key === tab);
  return TABS[(at + steps + TABS.length) % TABS.length]?.key ?? 'summary';
}
