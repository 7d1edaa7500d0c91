import { describe, expect, test } from 'vitest';
import { and, choice, choose, has, isCompound, quoted, term, without, words } from '../src/lib/query';

describe('quoted', () => {
  test.each([
    ['5.1.1', '5.1.1'],
    ['two words', '"two words"'],
    ['a,b', '"a,b"'],
    ['say "hi"', '"say \\"hi\\""'],
    ['a*b\\', '"a\\*b\\\\"'],
    ['OR', '"OR"'],
    ['-x', '"-x"'],
    ['', '""'],
  ])('given %j, then %j is written', (value, written) => {
    expect(quoted(value)).toBe(written);
  });
});

describe('words', () => {
  test('given quotes, brackets and escapes, then words end only outside of quotes', () => {
    const found = words('a:"x y" (b OR -c:"\\" )")');
    expect(found.map((word) => word.text)).toEqual(['a:"x y"', 'b', 'OR', '-c:"\\" )"']);
  });
  test('given a quote that is never closed, then the rest is one word', () => {
    expect(words('a "b c').map((word) => word.text)).toEqual(['a', '"b c']);
  });
});

describe('changing a query', () => {
  test('given an OR at the top, when a term is added, then the rest stands in brackets', () => {
    expect(and('a OR b', 'c')).toBe('(a OR b) c');
  });
  test('given the term already, when it is added, then nothing changes', () => {
    expect(and('os=linux web', 'os=linux')).toBe('os=linux web');
  });
  test('given a term between others, when it is taken away, then they remain as written', () => {
    expect(without('a  os=linux b:"x"', 'os=linux')).toBe('a b:"x"');
  });
  test('given a value that only contains the term, then it does not have it', () => {
    expect(has('name:"os=linux"', 'os=linux')).toBe(false);
    expect(isCompound('name:"a OR b"')).toBe(false);
  });
});

describe('facets', () => {
  test('given an excluded value, when it is included, then the query says only that', () => {
    const excluded = choose('web', 'os', 'linux', 'out');
    expect(excluded).toBe('web -os=linux');
    expect(choice(excluded, 'os', 'linux')).toBe('out');
    const included = choose(excluded, 'os', 'linux', 'in');
    expect(included).toBe('web os=linux');
    expect(choice(included, 'os', 'linux')).toBe('in');
    expect(choose(included, 'os', 'linux', 'none')).toBe('web');
  });
  test('given no value, then it is asked for as missing, and its opposite as present', () => {
    expect(term('label.env', '')).toBe('-label.env:');
    expect(choose('', 'label.env', '', 'out')).toBe('label.env:*');
  });
});
