import { describe, expect, test } from 'vitest';
import { address } from '../src/api/client';
import { link, list, match, oneOf, withChanges, within } from '../src/lib/url';

describe('parameters', () => {
  test('given changes, then the others stay and empty ones go', () => {
    expect(withChanges('?q=a&sort=name', { q: 'os=linux', sort: '', page: 2 })).toBe('?q=os=linux&page=2');
    expect(withChanges('?q=a', { q: null })).toBe('');
    expect(link('/agents', { q: 'health:unhealthy,degraded' })).toBe('/agents?q=health:unhealthy,degraded');
  });
  test('given any text, when it is written and read, then it is the same', () => {
    for (const text of ['a b', 'a&b=c#d', '"ü" + 1', '*:,%3A']) {
      expect(new URLSearchParams(withChanges('', { q: text })).get('q')).toBe(text);
    }
  });
  test('given words that are not among those known, then the default holds', () => {
    const search = new URLSearchParams('tab=x&cols=a,,b');
    expect(oneOf(search, 'tab', ['summary', 'config'], 'summary')).toBe('summary');
    expect(list(search, 'cols', ['z'])).toEqual(['a', 'b']);
    expect(list(search, 'other', ['z'])).toEqual(['z']);
  });
});

describe('match', () => {
  test('given a pattern, then its names are filled and decoded', () => {
    expect(match('/agents/:uid', '/agents/a%20b/')).toEqual({ uid: 'a b' });
    expect(match('/', '/')).toEqual({});
    expect(match('/agents/:uid', '/agents')).toBeNull();
    expect(match('/agents/:uid', '/agents/%zz')).toBeNull();
    expect(match('/agents', '/pushes')).toBeNull();
  });
});

describe('within', () => {
  test.each(['https://evil.example', '//evil.example', '/\\evil.example', '/a\\b', 'x', '/login?next=/', null, '/\tx'])(
    'given %j, then the overview is opened',
    (wish) => expect(within(wish)).toBe('/'),
  );
  test('given a place of the console, then it is opened', () => {
    expect(within('/agents?q=a//b')).toBe('/agents?q=a//b');
  });
});

describe('address', () => {
  test('given names with slashes, then they stay within their part of the path', () => {
    expect(address('/api/v1/agents/{uid}', { uid: 'a/../b' }, { q: 'x y', limit: 5, cursor: undefined })).toBe(
      '/api/v1/agents/a%2F..%2Fb?q=x+y&limit=5',
    );
  });
});
