import { describe, expect, it } from 'vitest';
import type { Schemas } from '../src/api/client';
import { EXAMPLE, files, formatIn, ofAgent, trouble, withFile, withMain, withNew, withOpened, without, type Draft } from '../src/pages/push/draft';
import { forecast, place } from '../src/pages/push/progress';

const TWO: Draft = [
  { name: 'fluent-bit.yaml', text: 'pipeline:' },
  { name: 'parsers.conf', text: '[PARSER]' },
];
const names = (draft: Draft): string[] => draft.map((file) => file.name);

describe('the files of a push', () => {
  it('given several, when they are sent, then the first alone has the role of the main one', () => {
    expect(files(TWO).map((file) => file.role)).toEqual(['main', undefined]);
    expect(files(withMain(TWO, 1)).map((file) => [file.name, file.role])).toEqual([['parsers.conf', 'main'], ['fluent-bit.yaml', undefined]]);
    expect(files([{ name: ' a.conf ', text: 'x' }])).toEqual([{ name: 'a.conf', body: 'x' }]);
  });

  it('given names and texts, when something is missing or doubled, then it is said', () => {
    expect(trouble(TWO)).toBeUndefined();
    expect(trouble(withFile(TWO, 1, { name: ' ' }))).toBe('Every file needs a name.');
    expect(trouble(withFile(TWO, 1, { name: 'fluent-bit.yaml ' }))).toBe('Two files are named fluent-bit.yaml.');
    expect(trouble(withFile(TWO, 1, { text: ' \n' }))).toBe('parsers.conf is empty: write it, or remove it.');
  });

  it('given a draft, when files are added and removed, then names are free and one stays', () => {
    const three = withNew(TWO);
    expect(names(three)).toEqual(['fluent-bit.yaml', 'parsers.conf', 'part-3.yaml']);
    expect(names(withNew(withFile(TWO, 1, { name: 'part-3.yaml' })))).toEqual(['fluent-bit.yaml', 'part-3.yaml', 'part-4.yaml']);
    expect(names(without(three, 0))).toEqual(['parsers.conf', 'part-3.yaml']);
    expect(without([TWO[0]!], 0)).toHaveLength(1);
  });

  it('given files from this computer, when they are opened, then they replace those of their names, the example and what is empty', () => {
    const given = [{ name: 'a.conf', text: 'a' }, { name: 'fluent-bit.yaml', text: 'new' }];
    expect(names(withOpened(EXAMPLE, 0, given))).toEqual(['fluent-bit.yaml', 'a.conf']);
    expect(withOpened(TWO, 1, given).map((file) => file.text)).toEqual(['new', '[PARSER]', 'a']);
    expect(names(withOpened(withFile(TWO, 1, { text: '' }), 1, given))).toEqual(['fluent-bit.yaml', 'a.conf']);
    expect(withOpened(TWO, 0, [])).toBe(TWO);
  });
});

describe('what an agent has', () => {
  it('given its files, when they are edited, then all but the rendered one and those of the host come, the main one first', () => {
    const found = ['/etc/other.conf', 'a.conf', 'fluent-bit.conf', 'tidegate/rendered'].map((name) => ({ name, body: name }));
    const { draft, left } = ofAgent(found);
    expect(names(draft)).toEqual(['fluent-bit.conf', 'a.conf']);
    expect(left).toEqual(['/etc/other.conf']);
    expect(names(ofAgent([...found, { name: 'z', body: '', role: 'main' }]).draft)).toEqual(['z', 'a.conf', 'fluent-bit.conf']);
  });

  it('given a file with a media type, when it gets another name, then the name says what it is', () => {
    const { draft } = ofAgent([{ name: 'config', body: 'pipeline:', content_type: 'text/yaml' }]);
    expect(formatIn(draft[0]!)).toBe('yaml');
    expect(files(draft)[0]?.content_type).toBe('text/yaml');
    const renamed = withFile(draft, 0, { name: 'x.conf' });
    expect(formatIn(renamed[0]!)).toBe('classic');
    expect(files(renamed)[0]).not.toHaveProperty('content_type');
  });
});

describe('what a push would do', () => {
  const agent = (state: string, connection: string): Schemas['PushAgent'] => ({ uid: state + connection, name: 'a', state, connection: { value: connection, observed_at: '' } });
  const warning = (agents: number, further: Partial<Schemas['PushWarning']> = {}): Schemas['PushWarning'] => ({ schema: 's', agents, file: 'a.yaml', message: 'm', ...further });

  it('given a dry run, when it is read, then it says who is away, who cannot, and what will not be understood by most', () => {
    const agents = [agent('refused', 'disconnected'), agent('pending', 'disconnected'), agent('pending', 'connected')];
    const summary = { total: 3, refused: 1, pending: 2, proven: 0, unproven: 0, applying: 0, failed: 0, superseded: 0 };
    const told = forecast({ id: 'p', config: 'c', q: 'name:*', actor: 'admin', at: '', agents, summary, warnings: [warning(1), warning(2)] });
    expect([told.total, told.refused, told.away]).toEqual([3, 1, 1]);
    expect(told.warnings.map((one) => one.agents)).toEqual([2, 1]);
    expect([place(warning(1)), place(warning(1, { line: 3, column: null })), place(warning(1, { line: 3, column: 5 }))]).toEqual(['a.yaml', 'a.yaml:3', 'a.yaml:3:5']);
  });
});
