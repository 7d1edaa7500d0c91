import { describe, expect, test } from 'vitest';
import { aligned, lone, times } from '../src/charts/series';

describe('a series', () => {
  test('given values between unknown ones, then those that no line leads to are found', () => {
    expect(lone([1, null, 2, 3, null, null, 0])).toEqual([0, 6]);
    expect(lone([null, null])).toEqual([]);
    expect(lone([4])).toEqual([0]);
  });

  test('given fewer values than steps, then the rest is unknown', () => {
    expect(aligned([1, 2], 3)).toEqual([1, 2, null]);
  });

  test('given a history, then each step has its time', () => {
    expect(times({ from: '1970-01-01T00:01:00Z', step_seconds: 60, steps: 3 })).toEqual([60, 120, 180]);
  });
});
