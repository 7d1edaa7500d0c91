/** Sentences that several pages say. Pure. */

/** What a restart does to so many agents. */
export function restarts(agents: number): string {
  const ends = agents === 1 ? 'Its process ends and starts anew. What it holds' : 'Their processes end and start anew. What they hold';
  return `${ends} in memory alone and cannot deliver in time is lost, and what is sent to ${agents === 1 ? 'it' : 'them'} meanwhile may be.`;
}
