import { describe, expect, it } from 'vitest';
import { changedLines, differingFirst, numbered } from '../src/pages/agent/difference';
import { rows, tally } from '../src/pages/agent/health';
import { fieldsOf, payload, sendables } from '../src/pages/agent/messages';
import { reasons } from '../src/pages/agent/reasons';
import { keyOf, kindOf, merged, type Happening } from '../src/pages/agent/timeline';

describe('difference', () => {
  const line = (side: string, text = '') => ({ side, text });
  it('given a place that differs, when its lines are numbered, then numbers run on both sides', () => {
    const lines = [line('both'), line('desired'), line('effective'), line('effective'), line('both')];
    const found = numbered({ desired_start: 7, effective_start: 9, lines });
    expect(found.map(({ desired, effective }) => [desired, effective])).toEqual([
      [7, 9],
      [8, undefined],
      [undefined, 10],
      [undefined, 11],
      [9, 12],
    ]);
  });

  it('given files, when shown, then those that differ come first, with how many lines differ', () => {
    const hunks = [{ desired_start: 1, effective_start: 1, lines: [line('both'), line('desired'), line('effective')] }];
    const files = [{ name: 'a', change: 'same' }, { name: 'b', change: 'changed', hunks }, { name: 'c', change: 'missing' }];
    expect(differingFirst(files).map((file) => [file.name, changedLines(file)])).toEqual([['b', 2], ['c', 0], ['a', 0]]);
  });
});

describe('timeline', () => {
  const event = (number: number, at: string): Happening => ({ at, kind: 'event', event: { number, at, kind: 'health', agent: 'u', name: 'n', text: '' } });
  const command = (state: string): Happening => ({
    at: '2026-01-01T00:00:02Z',
    kind: 'command',
    command: { id: 'c', agent: 'u', kind: 'restart', state, ended: false, actor: 'a', created_at: '', deadline: '' },
  });
  it('given pages that overlap, when merged, then each stands once, as it is now, newest first', () => {
    const before = [event(9, '2026-01-01T00:00:01Z'), command('queued'), event(1, '2026-01-01T00:00:00.5Z')];
    const found = merged(before, [command('succeeded'), event(10, '2026-01-01T00:00:01Z')], 3);
    expect(found.map(keyOf)).toEqual(['command/c', `event/${'10'.padStart(20, '0')}`, `event/${'9'.padStart(20, '0')}`]);
    expect(found[0]?.command?.state).toBe('succeeded');
    expect(found.map(kindOf)).toEqual(['command', 'health', 'health']);
  });
});

describe('messages', () => {
  const schema = {
    type: 'object',
    required: ['tag'],
    properties: { id: { type: 'string' }, lines: { type: 'integer' }, odd: { anyOf: [] }, tag: { type: 'string', description: 'Where to.' } },
  };
  it('given a schema, then its fields are asked for, needed ones first, and the server\'s own are not', () => {
    expect(fieldsOf(schema)).toEqual([
      { name: 'tag', form: 'text', required: true, meaning: 'Where to.' },
      { name: 'lines', form: 'number', required: false, meaning: '' },
      { name: 'odd', form: 'json', required: false, meaning: '' },
    ]);
    expect(fieldsOf({ type: 'object' })).toEqual([]);
  });
  it('given texts of a form, then the payload has what they stand for, or says what is wrong', () => {
    expect(payload(fieldsOf(schema), { tag: 'x', lines: '5', odd: '[1]' })).toEqual({ data: { tag: 'x', lines: 5, odd: [1] } });
    expect(payload(fieldsOf(schema), { lines: 'many' })).toEqual({ errors: { tag: 'is needed', lines: 'is no number' } });
  });
  it('given a capability that the server does not know, then type and data are asked for, and Tidegate\'s own come last', () => {
    const known = { known: true, idempotent: false, answers: true, summary: '' };
    const items = [
      { ...known, name: 'io.tidegate.a', messages: [{ type: 'one', summary: 's', arguments: {} as Record<string, never> }] },
      { ...known, name: 'org.b', known: false, messages: [] },
    ];
    const found = sendables({ restart: true, remote_config: true, items });
    expect(found.map((one) => [one.key, one.kind, one.fields.map((field) => field.name)])).toEqual([
      ['org.b', null, ['type', 'data']],
      ['io.tidegate.a one', 'one', []],
    ]);
  });
});

describe('health', () => {
  const leaf = { healthy: true, status: 'running' };
  it('given components, when drawn, then they stand in the order of the pipeline', () => {
    const found = rows({ 'output:o': leaf, storage: leaf, 'input:i': leaf, 'filter:f': leaf });
    expect(found.map((row) => row.name)).toEqual(['input:i', 'filter:f', 'output:o', 'storage']);
  });

  it('given a closed branch, when drawn, then its children are not rows', () => {
    const tree = { pipeline: { ...leaf, components: { 'input:i': { ...leaf, healthy: false } } } };
    expect(rows(tree).map((row) => row.level)).toEqual([1, 2]);
    expect(rows(tree, new Set(['/pipeline']))).toHaveLength(1);
    expect(tally(tree)).toEqual({ all: 2, bad: 1 });
  });

  it('given a tree without end, when drawn, then it is cut', () => {
    let deep: { healthy: boolean; status: string; components?: object } = leaf;
    for (let at = 0; at < 5_000; at += 1) deep = { ...leaf, components: { x: deep } };
    expect(rows({ x: deep as never }).length).toBeLessThanOrEqual(16);
  });
});

describe('reasons', () => {
  const axis = (value: string, reason?: string) => ({ value, observed_at: '2026-01-01T00:00:00Z', ...(reason !== undefined && { reason }) });
  const told = (connection: string, health: string, config: string, attention: string) =>
    reasons({ connection: axis('connected', connection), health: axis('degraded', health), config: axis('failed', config), attention: { level: 'act', reason: attention } });
  const long = `the check exited: ${'no such plugin '.repeat(40)}`;
  const cut = (text: string) => `${text.slice(0, 240)}…`;

  it('given the same reason on three axes, then it stands with the config and the others say what they are', () => {
    const config = 'dry-run proof failed: no such plugin';
    expect(told('', `config: failed: ${config}`, config, `its config failed: ${config}`)).toEqual({
      connection: '',
      health: 'config: failed',
      config,
      attention: 'its config failed',
    });
  });
  it('given a reason that listings cut, or of several lines, then it is the same one still', () => {
    expect(told('', `config: failed: ${long.slice(0, 200)}…`, long, `its config failed: ${cut(long)}`)).toMatchObject({ health: 'config: failed', attention: 'its config failed' });
    expect(told('', 'unhealthy for long\nand more', '', 'unhealthy: unhealthy for long')).toMatchObject({ health: 'unhealthy for long\nand more', attention: 'unhealthy' });
  });
  it('given health and what comes of it, then attention names it and health tells it', () => {
    const health = 'output:s3: retrying: bucket: not found';
    expect(told('', health, 'no config is assigned', `degraded: ${health}`)).toMatchObject({ health, config: 'no config is assigned', attention: 'degraded' });
    expect(told('no connection is open', '', '', 'disconnected: no connection is open')).toMatchObject({ connection: 'no connection is open', attention: 'disconnected' });
  });
  it('given reasons that differ, then all are told in full', () => {
    const config = 'it runs other files than the ones it applied';
    const both = told('late', 'output:s3: bucket not found', config, 'drifted: something else');
    expect(both).toEqual({ connection: 'late', health: 'output:s3: bucket not found', config, attention: 'drifted: something else' });
    expect(told('', 'config: failed: the check', 'the check exited', '')).toMatchObject({ health: 'config: failed: the check' });
    expect(told('', 'a: …', 'no', '')).toMatchObject({ health: 'a: …' });
  });
});
