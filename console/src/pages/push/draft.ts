/** The config that is being written, kept by the browser until it is pushed. */
export interface Draft {
  readonly name: string;
  readonly text: string;
}

const KEY = 'tidegate.draft';
/** Longer ones are not kept. */
const MOST = 500_000;

export const EXAMPLE: Draft = {
  name: 'fluent-bit.yaml',
  text: `service:
  flush: 1
  log_level: info

pipeline:
  inputs:
    - name: dummy
      alias: made_up
      tag: app.log
      rate: 1

  outputs:
    - name: stdout
      alias: seen
      match: '*'
`,
};

export function kept(): Draft | undefined {
  try {
    const found: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? 'null');
    if (typeof found !== 'object' || found === null) return undefined;
    const { name, text } = found as Partial<Draft>;
    return typeof name === 'string' && typeof text === 'string' ? { name, text } : undefined;
  } catch {
    return undefined;
  }
}

export function keep(draft: Draft | undefined): void {
  try {
    if (draft === undefined || draft.text.length > MOST) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, JSON.stringify(draft));
  } catch {
    // A browser that keeps nothing: the draft lives as long as the page.
  }
}
