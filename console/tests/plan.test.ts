import { describe, expect, it } from 'vitest';
import type { Schemas } from '../src/api/client';
import { isOpen, missing, title } from '../src/pages/plan/standing';

const PLAN: Schemas['Plan'] = {
  id: 'p',
  hash: 'h',
  state: 'waiting',
  action: { kind: 'restart' },
  summary: 'restart',
  q: 'name:*',
  count: 2,
  agents: [],
  refused: 0,
  refused_agents: [],
  confirmation: 'restart 2',
  actor: 'admin',
  made_at: '2026-11-27T00:00:00Z',
  expires_at: '2026-11-27T00:15:00Z',
};

describe('a plan', () => {
  it('given what was typed, when it is not what confirms, or no reason stands, then it cannot be carried out', () => {
    const because = { ...PLAN, reason: 'the output hangs' };
    for (const [plan, typed, reason, lacks] of [
      [PLAN, '', 'the output hangs', 'confirmation'],
      [PLAN, 'restart 3', 'the output hangs', 'confirmation'],
      [PLAN, ' restart 2 ', 'the output hangs', undefined],
      [PLAN, 'restart 2', '', 'reason'],
      [PLAN, 'restart 2', ' short ', 'reason'],
      [PLAN, 'restart 2', 'x'.repeat(281), 'reason'],
      [because, 'restart 2', '', undefined],
      [because, 'restart 2', 'short', 'reason'],
    ] as const) {
      expect(missing(plan, typed, reason), `${typed} / ${reason}`).toBe(lacks);
    }
  });

  it('given plans, when they are named, then it is said what comes to how many', () => {
    expect(title(PLAN)).toBe('Restart 2 agents');
    const action = { kind: 'custom', capability: 'c', type: 'Flush', data: null } as const;
    expect(title({ ...PLAN, count: 1, action })).toBe('Send Flush to 1 agent');
    expect([isOpen(PLAN), isOpen({ ...PLAN, state: 'stale' })]).toEqual([true, false]);
  });
});
