import { describe, expect, test } from 'vitest';
import type { FleetEvent } from '../src/api/client';
import { Collector, MAX_EVENTS, MAX_UIDS, NOTHING, joined, newestFirst } from '../src/lib/merge';
import { Sequence } from '../src/lib/sequence';

const event = (number: number, agent = 'a'): FleetEvent => ({
  number,
  agent,
  name: agent,
  at: '2026-01-01T00:00:00Z',
  kind: 'health',
  text: 'x',
});

describe('Collector', () => {
  test('given nothing, then there is nothing to tell', () => {
    expect(new Collector().take()).toBeNull();
  });
  test('given a storm, then what is told is bounded and its count is not', () => {
    const collector = new Collector();
    for (let number = 1; number <= 10_000; number += 1) collector.add(event(number, `a${number}`));
    const batch = collector.take();
    expect(batch?.events.length).toBe(MAX_EVENTS);
    expect(batch?.events.at(-1)?.number).toBe(10_000);
    expect(batch?.count).toBe(10_000);
    expect(batch?.everything).toBe(true);
    expect(batch?.uids).toEqual([]);
    expect(collector.take()).toBeNull();
  });
  test('given one agent many times, then it is named once', () => {
    const collector = new Collector();
    for (let number = 1; number <= 3; number += 1) collector.add(event(number));
    expect(collector.take()).toMatchObject({ uids: ['a'], count: 3, everything: false });
  });
});

describe('joined', () => {
  test('given more agents together than may be named, then everything is looked at', () => {
    const half = (prefix: string) => ({ ...NOTHING, uids: Array.from({ length: MAX_UIDS - 1 }, (_, at) => `${prefix}${at}`) });
    expect(joined(half('a'), half('a'))).toMatchObject({ everything: false });
    expect(joined(half('a'), half('b'))).toMatchObject({ everything: true, uids: [] });
  });
});

describe('newestFirst', () => {
  test('given events twice and out of order, then each is shown once, the newest first', () => {
    expect(newestFirst([event(3), event(1)], [event(2), event(3)], 2).map((one) => one.number)).toEqual([3, 2]);
  });
});

describe('Sequence', () => {
  const known = ['/', 'g a', 'g o', 'j'];
  test('given two keys in time, then their shortcut is found', () => {
    const sequence = new Sequence();
    expect([sequence.press('g', known, 0), sequence.press('a', known, 500)]).toEqual([null, 'g a']);
  });
  test('given the second key too late, then it stands alone', () => {
    const sequence = new Sequence();
    expect([sequence.press('g', known, 0), sequence.press('j', known, 9_000)]).toEqual([null, 'j']);
  });
  test('given a second key that leads nowhere, then the first is forgotten', () => {
    const sequence = new Sequence();
    const pressed = ['g', 'x', 'a'].map((key, at) => sequence.press(key, known, at));
    expect(pressed).toEqual([null, null, null]);
  });
});
