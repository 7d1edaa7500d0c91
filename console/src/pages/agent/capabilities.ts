/** What is lost without a capability, in plain words. Pure. */
const LOSSES: readonly (readonly [string, string])[] = [
  ['AcceptsRemoteConfig', 'No config can be pushed to it.'],
  ['ReportsEffectiveConfig', 'What config it runs is not known.'],
  ['ReportsRemoteConfig', 'Whether it took a pushed config is not known.'],
  ['ReportsHealth', 'Its health is not known.'],
  ['AcceptsRestartCommand', 'It cannot be restarted from here.'],
  ['ReportsHeartbeat', 'Its silence tells less: it sends no heartbeats.'],
];

/** Sentences on what an agent with these capabilities lacks. */
export function missing(capabilities: readonly string[]): string[] {
  return LOSSES.filter(([name]) => !capabilities.includes(name)).map(([, sentence]) => sentence);
}

/** Whether an agent takes messages of a custom capability; agents name some with the prefix `request:`. */
export function takes(customCapabilities: readonly string[], name: string): boolean {
  return customCapabilities.some((one) => one === name || one === `request:${name}`);
}
