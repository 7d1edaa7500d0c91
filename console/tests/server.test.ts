import { describe, expect, it } from 'vitest';
import { nameOf, often, rest, seconds, standing, targetOf, withHeartbeat } from '../src/pages/server/rules';

describe('heartbeat rules', () => {
  it('given targets, when named, then the names are those of the command line', () => {
    expect(nameOf({ all: true })).toBe('heartbeat-all');
    expect(nameOf({ q: ' a\n' })).toBe('heartbeat-q-af63dc4c8601ec8c');
    expect(nameOf({ agent: '01A219CB-2745-76C0-9E86-1D9D859867DD' })).toBe('heartbeat-01a219cb-2745-76c0-9e86-1d9d859867dd');
  });

  it('given texts, when read as a span, then only those from a second to a day are taken', () => {
    expect(['10s', '30', '5m', ' 24 h ', '0', '25h', '-1', '1.5m', 'soon', ''].map(seconds)).toEqual([10, 30, 300, 86_400, null, null, null, null, null, null]);
  });

  it('given a choice without what it needs, when read, then it is no target', () => {
    expect(targetOf('q', '  ')).toBeNull();
    expect(targetOf('agent', 'edge-1')).toBeNull();
    expect(targetOf('all', '')).toEqual({ all: true });
  });

  it('given a rule that sets more, when its heartbeat changes, then the rest stays and nothing of the answer is sent back', () => {
    const agents = { total: 1, pending: 0, offered: 0, acknowledged: 1, failed: 0, unsupported: 0 };
    const rule = { name: 'heartbeat-all', revision: 3, actor: 'admin', at: '2026-01-01T00:00:00Z', agents, target: { all: true }, own_logs: { endpoint: 'https://x' } };
    const made = withHeartbeat(rule, { all: true }, { interval_seconds: 10 });
    expect(made).toEqual({ target: { all: true }, own_logs: { endpoint: 'https://x' }, heartbeat: { interval_seconds: 10 } });
    expect(rest(rule)).toEqual(['own_logs']);
  });

  it('given how far a rule has come, when told in a line, then what there is none of is left out', () => {
    const none = { total: 0, pending: 0, offered: 0, acknowledged: 0, failed: 0, unsupported: 0 };
    expect(standing({ ...none, total: 1, acknowledged: 1 })).toBe('1 agent: 1 taken');
    expect(standing({ ...none, total: 7, acknowledged: 3, offered: 1, failed: 2, unsupported: 1 })).toBe('7 agents: 3 taken, 1 offered, 2 failed, 1 cannot');
    expect(standing(none)).toBe('0 agents');
  });

  it('given settings, when told, then in the largest unit that fits', () => {
    expect([{ off: true }, { interval_seconds: 90 }, { interval_seconds: 300 }, { interval_seconds: 7_200 }].map(often)).toEqual(['off', 'every 90 s', 'every 5 m', 'every 2 h']);
  });
});
