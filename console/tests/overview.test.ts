import { describe, expect, test } from 'vitest';
import { breakdown, byVersion, parts } from '../src/pages/overview/counts';
import { ofWay, wayOf } from '../src/pages/operation/targets';

const facet = (values: Record<string, number>, other = 0, missing = 0) => ({
  values: Object.entries(values).map(([value, count]) => ({ value, count })),
  other,
  missing,
});

describe('overview', () => {
  test('given versions, then they are ordered as versions, pre-releases before their release', () => {
    const sorted = ['5.1.10', '5.1.2', '4.9', '5.1.2-rc1', 'main', '5.1'].sort(byVersion);
    expect(sorted).toEqual(['main', '4.9', '5.1', '5.1.2-rc1', '5.1.2', '5.1.10']);
  });
  test('given an axis, then its parts stand in the order of the state model and unknown words come last', () => {
    const found = parts(facet({ odd: 1, unhealthy: 2, healthy: 3, degraded: 0 }), ['healthy', 'degraded', 'unhealthy']);
    expect(found.map((part) => part.value)).toEqual(['healthy', 'unhealthy', 'odd']);
  });
  test('given more values than are shown, then the rest is counted as other', () => {
    expect(breakdown(facet({ a: 5, b: 3, c: 2 }, 4, 1), 2)).toEqual({
      rows: [{ value: 'a', count: 5 }, { value: 'b', count: 3 }],
      other: 6,
      missing: 1,
    });
  });
});

describe('operation', () => {
  test('given the states of commands, then each belongs to one way', () => {
    expect(['succeeded', 'refused', 'queued', 'sent', 'acknowledged', 'expired', 'unknown', 'cancelled', 'failed'].map(wayOf)).toEqual([
      ...['succeeded', 'refused', 'pending', 'pending', 'pending'],
      ...['failed', 'failed', 'failed', 'failed'],
    ]);
  });
  test('given targets, then those that failed come first', () => {
    const of = (outcome: string) => ({ uid: outcome, name: outcome, outcome });
    expect(ofWay([of('succeeded'), of('queued'), of('failed')], 'all').map((one) => one.uid)).toEqual(['failed', 'queued', 'succeeded']);
    expect(ofWay([of('succeeded'), of('queued')], 'pending').map((one) => one.uid)).toEqual(['queued']);
  });
});
