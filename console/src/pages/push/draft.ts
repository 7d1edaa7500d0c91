/** The config that is being written: its files, the main one first. Kept by the browser until it is pushed. Pure but for keeping. */
import type { Schemas } from '../../api/client';
import { formatOf, type Format } from '../../editor/classic';

export interface DraftFile {
  readonly name: string;
  readonly text: string;
  /** Its media type, where an agent's file had one; a new name is a new type. */
  readonly type?: string;
}

/** At least one. */
export type Draft = readonly DraftFile[];

const KEY = 'tidegate.draft';
/** Longer ones are not kept. */
const MOST = 500_000;
/** What the supervisor made for the agent: no file of the config. */
const RENDERED = 'tidegate/rendered';
/** What the supervisor takes for the main file where no role says which it is. */
const MAIN = /^(fluent-bit\.(yaml|yml|conf)|main(\.[^.]*)?)$/;

export const EXAMPLE: Draft = [
  {
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
  },
];

/** The format in which a file is read: its media type says, else its name. */
export function formatIn(file: DraftFile): Format {
  if (file.type === undefined) return formatOf(file.name);
  return /yaml/i.test(file.type) ? 'yaml' : 'classic';
}

/** With one file changed. */
export function withFile(draft: Draft, at: number, change: Partial<Pick<DraftFile, 'name' | 'text'>>): Draft {
  return draft.map((file, index) => {
    if (index !== at) return file;
    const { name, text } = { ...file, ...change };
    return { name, text, ...(file.type !== undefined && name === file.name && { type: file.type }) };
  });
}

/** With an empty file at the end, under a name that is free. */
export function withNew(draft: Draft): Draft {
  const ending = draft[0] && formatIn(draft[0]) === 'yaml' ? 'yaml' : 'conf';
  let number = draft.length + 1;
  while (draft.some((file) => file.name === `part-${number}.${ending}`)) number += 1;
  return [...draft, { name: `part-${number}.${ending}`, text: '' }];
}

/** Without one file; the last one stays. */
export function without(draft: Draft, at: number): Draft {
  return draft.length > 1 ? draft.filter((_, index) => index !== at) : draft;
}

/** With another file as the main one. */
export function withMain(draft: Draft, at: number): Draft {
  const main = draft[at];
  return main ? [main, ...draft.filter((_, index) => index !== at)] : draft;
}

/**
 * With files from this computer: each takes the place of the one of its name, the first of the others that of the file in
 * hand where that is empty, the rest come at the end. The example gives way to whatever comes.
 */
export function withOpened(draft: Draft, at: number, given: readonly DraftFile[]): Draft {
  if (given.length === 0) return draft;
  const isExample = draft.length === EXAMPLE.length && draft.every((file, index) => file.text === EXAMPLE[index]?.text);
  if (isExample) return mainFirst(given);
  const files = [...draft];
  for (const file of given) {
    const same = files.findIndex((one) => one.name.trim() === file.name);
    const free = files[at]?.text.trim() === '' ? at : files.length;
    files[same >= 0 ? same : free] = file;
  }
  return files;
}

/** What an agent runs or should run, to go on from; and names of its host that no push can carry, which stay where they are. */
export function ofAgent(found: readonly Schemas['ConfigFile'][]): { draft: Draft; left: readonly string[] } {
  const files = found.filter((file) => file.name !== RENDERED);
  const carried = files.filter((file) => !file.name.startsWith('/'));
  const main = carried.find((file) => file.role === 'main');
  const ordered = main ? [main, ...carried.filter((file) => file !== main)] : mainFirst(carried);
  const draft = ordered.map(({ name, body, content_type: type }) => ({ name, text: body, ...(type && { type }) }));
  return { draft, left: files.filter((file) => file.name.startsWith('/')).map((file) => file.name) };
}

function mainFirst<F extends { readonly name: string }>(files: readonly F[]): readonly F[] {
  const main = files.find((file) => MAIN.test(file.name));
  return main ? [main, ...files.filter((file) => file !== main)] : files;
}

/** What keeps a draft from being pushed, in a sentence. */
export function trouble(draft: Draft): string | undefined {
  const names = draft.map((file) => file.name.trim());
  if (names.includes('')) return 'Every file needs a name.';
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) return `Two files are named ${twice}.`;
  const empty = draft.find((file) => file.text.trim() === '');
  return empty && `${empty.name.trim()} is empty: write it, or remove it.`;
}

/** The files as a push takes them: of several, the first has the role that says that it is the main one. */
export function files(draft: Draft): Schemas['PushFile'][] {
  return draft.map(({ name, text, type }, at) => ({
    name: name.trim(),
    body: text,
    ...(type !== undefined && { content_type: type }),
    ...(draft.length > 1 && at === 0 && { role: 'main' }),
  }));
}

export function kept(): Draft | undefined {
  try {
    const found: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? 'null');
    if (!Array.isArray(found) || found.length === 0) return undefined;
    const isFile = (one: Partial<DraftFile> | null): one is DraftFile =>
      typeof one === 'object' && one !== null && typeof one.name === 'string' && typeof one.text === 'string';
    return found.every(isFile) ? found : undefined;
  } catch {
    return undefined;
  }
}

export function keep(draft: Draft): void {
  try {
    const text = JSON.stringify(draft);
    if (text.length > MOST) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, text);
  } catch {
    // A browser that keeps nothing: the draft lives as long as the page.
  }
}
