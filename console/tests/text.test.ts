import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { absolute, ago, bytes, count, counted, percent, rate, span } from '../src/lib/format';
import { HIDDEN_IN_LINES, pieces, visible } from '../src/lib/visible';
import { restarts } from '../src/lib/words';

describe('visible', () => {
  test('given markup, then it stays the text that it is', () => {
    expect(visible('<script>alert(1)</script>')).toBe('<script>alert(1)</script>');
  });
  test('given controls, bidi marks and zero-width characters, then each has a name', () => {
    expect(visible('a\u001b[31m\u0000\u007f')).toBe('a⟨^[⟩[31m⟨^@⟩⟨^?⟩');
    expect(visible('x\u202egpj\u200b\ufeff\uffa0\u{e0041}')).toBe('x⟨U+202E⟩gpj⟨U+200B⟩⟨U+FEFF⟩⟨U+FFA0⟩⟨U+E0041⟩');
    expect(visible('\ud800')).toBe('⟨U+D800⟩');
  });
  test('given lines are wanted, then line feeds and tabs stay and carriage returns do not', () => {
    expect(visible('a\r\n\tb', true)).toBe('a⟨^M⟩\n\tb');
    expect(visible('a\n')).toBe('a⟨^J⟩');
  });
  test('given words of any script, then nothing is changed', () => {
    for (const text of ['Zürich', '東京', 'مرحبا', '👩🏽 ok', '']) expect(visible(text)).toBe(text);
  });
  test('given every character, then those that the other faces hide are shown here, the joiners as well, and no others', () => {
    const source = readFileSync(resolve(import.meta.dirname, '../../crates/api/src/text.rs'), 'utf8');
    const body = /pub fn is_hidden[^]*?matches!([^]*?)\n\}/.exec(source)?.[1] ?? '';
    const code = (hex: string): number => Number.parseInt(hex, 16);
    const ranges = [...body.matchAll(/'\\u\{([0-9a-f]+)\}'(?:\.\.='\\u\{([0-9a-f]+)\}')?/g)].map(([, from = '', to = from]) => [code(from), code(to)] as const);
    expect(source).toContain('character.is_control()');
    expect(ranges.length).toBeGreaterThan(10);
    // Controls, joiners, and what no text of a server can hold.
    ranges.push([0, 0x1f], [0x7f, 0x9f], [0x200c, 0x200d], [0xd800, 0xdfff]);
    const wrong: string[] = [];
    for (let point = 0; point <= 0x10ffff; point += 1) {
      const hides = ranges.some(([from, to]) => from <= point && point <= to);
      const text = String.fromCodePoint(point);
      if (hides !== (visible(text) !== text)) wrong.push(point.toString(16));
    }
    expect(wrong).toEqual([]);
  });
  test('given a config in the editor, then what it marks is what is hidden, but for line feeds and tabs', () => {
    expect('a\t: \u202ab\u2068\n\u{e0041}\u3164\r'.match(HIDDEN_IN_LINES)).toEqual(['\u202a', '\u2068', '\u{e0041}', '\u3164', '\r']);
  });
  test('given a hidden character, then its piece is marked and the others are not', () => {
    expect(pieces('a\u202eb')).toEqual([{ text: 'a' }, { text: 'U+202E', name: 'U+202E' }, { text: 'b' }]);
  });
});

describe('format', () => {
  test('given spans, then the largest unit that fits is used', () => {
    expect([0, 59, 60, 3599, 3600, 86_400, -5].map(span)).toEqual(['0 s', '59 s', '1 m', '59 m', '1 h', '1 d', '0 s']);
  });
  test('given times, then ages look back and ahead', () => {
    expect([ago(0, 500), ago(0, 14 * 60_000), ago(90_000, 0), ago(Number.NaN, 0)]).toEqual([
      'now',
      '14 m ago',
      'in 1 m',
      'at an unknown time',
    ]);
  });
  test('given a time, then the absolute one names its zone', () => {
    expect(absolute(0)).toMatch(/^19(70-01-01|69-12-31) \d\d:\d\d:00 UTC([+-]\d\d:\d\d)?$/);
    expect(absolute(Number.NaN)).toBe('an unknown time');
  });
  test('given numbers, then thousands are apart and few is never none', () => {
    expect(count(1234567)).toBe('1\u202f234\u202f567');
    expect(counted(1, 'agent')).toBe('1 agent');
    expect([percent(1, 100_000), percent(99_999, 100_000), percent(1, 2), percent(0, 0)]).toEqual(['<1 %', '>99 %', '50 %', '–']);
    expect([bytes(512), bytes(1536), bytes(1048576 * 200)]).toEqual(['512 B', '1.5 KiB', '200 MiB']);
    expect([rate(0), rate(0.12345), rate(123.4), rate(45678)]).toEqual(['0', '0.123', '123', '45.7k']);
  });
});

describe('words', () => {
  test('given one agent or several, then what a restart does is told of so many', () => {
    expect(restarts(1)).toMatch(/^Its process ends and starts anew\. What it holds .* sent to it meanwhile/);
    expect(restarts(2)).toMatch(/^Their processes end and start anew\. What they hold .* sent to them meanwhile/);
  });
});
