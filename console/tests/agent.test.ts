import { describe, expect, it } from 'vitest';
import { difference, hunks, pairs } from '../src/pages/agent/difference';
import { rows, tally } from '../src/pages/agent/health';

function rebuilt(lines: ReturnType<typeof difference>, side: 'gone' | 'new'): string[] {
  return lines.filter((line) => line.mark === 'same' || line.mark === side).map((line) => line.text);
}

describe('difference', () => {
  it('given any two texts, when compared, then both can be told again from the answer', () => {
    let seed = 7;
    const next = (n: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed % n;
    };
    for (let round = 0; round < 300; round += 1) {
      const make = (): string[] => Array.from({ length: next(12) }, () => 'abc'[next(3)] ?? '');
      const [left, right] = [make(), make()];
      const lines = difference(left.map((l) => `${l}\n`).join(''), right.map((l) => `${l}\n`).join(''));
      expect(rebuilt(lines, 'gone')).toEqual(left);
      expect(rebuilt(lines, 'new')).toEqual(right);
    }
  });

  it('given one changed line, when compared, then only it is marked and numbers run on both sides', () => {
    const lines = difference('a\nb\nc\n', 'a\nB\nc\n');
    expect(lines.map((line) => [line.mark, line.text, line.left, line.right])).toEqual([
      ['same', 'a', 1, 1],
      ['gone', 'b', 2, undefined],
      ['new', 'B', undefined, 2],
      ['same', 'c', 3, 3],
    ]);
  });

  it('given line ends of Windows, when compared, then they are no difference', () => {
    expect(difference('a\r\nb\r\n', 'a\nb\n').every((line) => line.mark === 'same')).toBe(true);
  });

  it('given two large texts with nothing in common, when compared, then all lines are told as replaced', () => {
    const make = (letter: string): string => Array.from({ length: 20_000 }, (_, at) => `${letter}${at}`).join('\n');
    const lines = difference(make('a'), make('b'));
    expect(lines.filter((line) => line.mark === 'gone')).toHaveLength(20_000);
    expect(lines.filter((line) => line.mark === 'new')).toHaveLength(20_000);
  });

  it('given changes far apart, when cut into hunks, then each stands with three lines around it', () => {
    const left = Array.from({ length: 40 }, (_, at) => `line ${at}`);
    const right = left.map((line, at) => (at === 5 || at === 30 ? `${line}!` : line));
    const found = hunks(difference(left.join('\n'), right.join('\n')));
    expect(found.map((hunk) => [hunk.left, hunk.lines.length])).toEqual([[3, 8], [28, 8]]);
  });

  it('given files of both sides, when paired, then those that differ come first and the rendered one is left out', () => {
    const file = (name: string, body: string) => ({ name, body });
    const found = pairs([file('a', '1'), file('b', '1')], [file('a', '1'), file('b', '2'), file('tidegate/rendered', 'x')]);
    expect(found.map((pair) => [pair.name, pair.changes])).toEqual([['b', 2], ['a', 0]]);
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
