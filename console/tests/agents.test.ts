import { describe, expect, test } from 'vitest';
import { Chain, MOST_ROWS, STEP, STRIDE, inSight } from '../src/pages/agents/chain';
import { ariaSort, column, columns, fields, nextSort } from '../src/pages/agents/columns';
import { characters, offerOf, still, take } from '../src/pages/agents/complete';
import { Ends, reversed } from '../src/pages/agents/ends';
import { MOST_TICKED, NONE, extended, predicate, toggled } from '../src/pages/agents/selection';

/** A list of so many rows as the server pages through it. */
function serve(chain: Chain<number>, total: number, from: number, to: number): number {
  let asked = 0;
  for (let wish = chain.wish(from, to); wish !== null; wish = chain.wish(from, to)) {
    asked += 1;
    if (asked > 1_000) throw new Error('asks for ever');
    const { link, kind } = wish;
    expect(link.cursor).toBe(link.start === 0 ? undefined : `at ${link.start}`);
    const size = Math.min(link.size, total - link.start);
    const next = link.start + size < total ? `at ${link.start + size}` : undefined;
    if (kind === 'way') chain.passed(link, size, next);
    else chain.came(link, Array.from({ length: size }, (_, at) => link.start + at), next);
  }
  return asked;
}

describe('Chain', () => {
  test('given rows in sight, then only their pages are asked for', () => {
    const chain = new Chain<number>();
    expect(serve(chain, 1_000, 0, 40)).toBe(1);
    expect(chain.at(39)).toBe(39);
    expect(chain.at(STEP)).toBeUndefined();
    expect(serve(chain, 1_000, 80, 120)).toBe(1);
    expect(chain.at(119)).toBe(119);
  });
  test('given a jump to the end of 100 000 rows, then the way there is read in strides and kept rows are bounded', () => {
    const chain = new Chain<number>();
    const asked = serve(chain, 100_000, 99_960, 100_000);
    expect(chain.at(99_999)).toBe(99_999);
    expect(asked).toBeLessThanOrEqual(100_000 / STRIDE + 5);
    serve(chain, 100_000, 50_000, 50_040);
    expect(chain.at(50_020)).toBe(50_020);
    for (let from = 0; from < 20_000; from += 400) serve(chain, 100_000, from, from + 400);
    expect([...chain.rows()].length).toBeLessThanOrEqual(MOST_ROWS + STRIDE);
    expect(serve(chain, 100_000, 99_960, 100_000)).toBe(1);
  });
  test('given fewer rows than were counted, then it does not ask for ever', () => {
    const chain = new Chain<number>();
    serve(chain, 150, 0, 400);
    expect(chain.at(149)).toBe(149);
    expect(chain.wish(150, 400)).toBeNull();
  });
  test('given a newer row, then it stands in the place of the older', () => {
    const chain = new Chain<{ id: number; text: string }>();
    const wish = chain.wish(0, 1);
    if (wish) chain.came(wish.link, [{ id: 7, text: 'old' }], undefined);
    chain.replace((row) => row.id === 7, { id: 7, text: 'new' });
    expect(chain.at(0)?.text).toBe('new');
  });
});

describe('Ends', () => {
  /** Serves what is wished for, forth and back; answers how much was asked for and how much of that from the end. */
  function read(list: Ends<number>, from: number, to: number): { asked: number; back: number } {
    const count = { asked: 0, back: 0 };
    for (let wish = list.wish(from, to); wish !== null; wish = list.wish(from, to)) {
      count.asked += 1;
      if (count.asked > 1_000) throw new Error('asks for ever');
      const { start } = wish.link;
      const { back } = wish;
      if (back) count.back += 1;
      const size = Math.min(wish.link.size, list.total - start);
      const rows = Array.from({ length: size }, (_, at) => (back ? list.total - 1 - start - at : start + at));
      list.came(wish, rows, start + size < list.total ? 'on' : undefined);
    }
    expect(Array.from({ length: to - from }, (_, at) => list.at(from + at))).toEqual(Array.from({ length: to - from }, (_, at) => from + at));
    return count;
  }
  const listOf = (total: number, both = true): Ends<number> => {
    const list = new Ends<number>(both);
    expect(list.wish(0, 1)).toMatchObject({ back: false, kind: 'rows' });
    list.total = total;
    read(list, 0, Math.min(total, 40));
    return list;
  };

  test('given a jump to the end of 100 000 rows, then one page is read from there, and on towards the middle', () => {
    const list = listOf(100_000);
    expect(read(list, 99_960, 100_000)).toEqual({ asked: 1, back: 1 });
    expect(read(list, 99_800, 99_880)).toEqual({ asked: 1, back: 1 });
    expect(read(list, 80, 160)).toEqual({ asked: 1, back: 0 });
    const middle = read(list, 40_000, 40_040);
    expect(middle.back).toBe(0);
    expect(middle.asked).toBeLessThanOrEqual(40_000 / STRIDE + 5);
  });
  test('given both ends were read until they meet, then every row is there once', () => {
    const list = listOf(350);
    read(list, 310, 350);
    read(list, 200, 300);
    for (let at = 0; at < 350; at += 1) read(list, at, at + 1);
    read(list, 0, 350);
  });
  test('given an order that cannot be read backwards, then the end is reached from the start', () => {
    const list = listOf(2_000, false);
    expect(read(list, 1_960, 2_000).back).toBe(0);
  });
  test('given fewer rows than were counted, then it does not ask for ever', () => {
    const list = new Ends<number>(true);
    list.total = 400;
    for (let asked = 0; asked < 20; asked += 1) {
      const wish = list.wish(0, 400);
      if (!wish) break;
      list.came(wish, [], undefined);
    }
    expect(list.wish(0, 400)).toBeNull();
  });
  test('given an order, then its reverse ends with the uid, and there is none where values may be missing', () => {
    expect(['', 'name', '-name', '-attention,name', 'uid', '-uid', 'last_seen,-uid'].map(reversed)).toEqual([
      '-uid',
      '-name,-uid',
      'name,-uid',
      'attention,-name,-uid',
      '-uid',
      'uid',
      '-last_seen,uid',
    ]);
    expect(['version', 'name,os', '-label.env', 'attr.host.name', 'name,health,config,connection'].map(reversed)).toEqual(Array(5).fill(undefined));
  });
});

describe('inSight', () => {
  test('given any place and height, then no more rows than allowed are drawn and those in sight are among them', () => {
    for (const [top, height] of [[0, 600], [1_234_567, 600], [3_200_000, 400], [16, 5_000]] as const) {
      const [from, to] = inSight(top, height, 32, 100_000, 80);
      expect(to - from).toBeLessThanOrEqual(80);
      expect(from).toBeLessThanOrEqual(Math.floor(top / 32));
      expect(to).toBeGreaterThanOrEqual(Math.min(100_000, from + 1));
    }
    expect(inSight(0, 600, 32, 0, 80)).toEqual([0, 0]);
  });
});

describe('columns', () => {
  test('given ids from an address, then unknown and repeated ones are left out and the name is first', () => {
    expect(columns(['os', 'bogus', 'os', 'attr.host.name', 'label.env', 'label.']).map((one) => one.id)).toEqual([
      'name',
      'os',
      'attr.host.name',
      'label.env',
    ]);
    expect(column('constructor')).toBeNull();
  });
  test('given columns, then only the fields that they read are asked for', () => {
    expect(fields(columns(['os', 'health']))).toBe('attributes,connection,health,name');
  });
  test('given clicks on a head, then the sort rises, falls and ends', () => {
    expect(['', 'os', '-os', 'name'].map((sort) => nextSort(sort, 'os'))).toEqual(['os', '-os', '', 'os']);
    expect([ariaSort('os', 'os'), ariaSort('-os', 'os'), ariaSort('', 'os'), ariaSort('', undefined)]).toEqual(['ascending', 'descending', 'none', undefined]);
  });
});

describe('completion', () => {
  const answer = (from: number, to: number, ...items: { kind: string; text: string; count?: number }[]) => ({ from, to, items });
  test('given proposals of the server, then keys say what they mean, values how many have them and names what they are', () => {
    const items = offerOf('', answer(0, 0, { kind: 'key', text: 'os:' }, { kind: 'key', text: 'attr.x:', count: 7 }, { kind: 'value', text: '"a b"', count: 2 }, { kind: 'agent', text: 'web-1', count: 1 })).items;
    expect(items).toEqual([
      { text: 'os:', shown: 'os:', note: 'operating system' },
      { text: 'attr.x:', shown: 'attr.x:', note: '7' },
      { text: '"a b" ', shown: '"a b"', note: '2' },
      { text: 'web-1 ', shown: 'web-1', note: 'by its name' },
    ]);
  });
  test('given characters of two halves, then places are told and read in whole characters', () => {
    const query = 'name:\u{1f680} hea';
    expect(characters(query, query.length)).toBe(10);
    const offer = offerOf(query, answer(7, 10, { kind: 'key', text: 'health:' }));
    expect(take(offer, offer.items[0]!)).toEqual({ query: 'name:\u{1f680} health:', caret: 15 });
  });
  test('given a suggestion, when it is taken, then the rest of the query stays and no second blank comes', () => {
    const offer = offerOf('-health:un os:linux', answer(8, 10, { kind: 'value', text: 'unhealthy', count: 1 }));
    expect(take(offer, offer.items[0]!)).toEqual({ query: '-health:unhealthy os:linux', caret: 17 });
  });
  test('given more letters of what is written, then what still fits is offered at once, and nothing elsewhere', () => {
    const offer = offerOf('os: web', answer(3, 3, { kind: 'value', text: 'linux', count: 2 }, { kind: 'value', text: 'windows', count: 1 }));
    const fewer = still(offer, 'os:Wi web', 5);
    expect(fewer?.items.map((item) => item.shown)).toEqual(['windows']);
    expect(fewer && take(fewer, fewer.items[0]!)).toEqual({ query: 'os:windows web', caret: 10 });
    expect(still(offer, 'os:x web', 4)).toBeNull();
    expect(still(offer, 'os: web', 7)).toBeNull();
    expect(still(offer, 'arch: web', 5)).toBeNull();
  });
});

describe('selection', () => {
  test('given ticks, then the query names those agents and no others', () => {
    const two = toggled(toggled(NONE, 'a'), 'b');
    expect(predicate(two, 'os:linux', 50)).toEqual({ q: 'uid=a,b', count: 2 });
    expect(predicate(toggled(two, 'a'), '', 50)).toEqual({ q: 'uid=b', count: 1 });
  });
  test('given all that match, then the query itself is bound to its number', () => {
    const all = { uids: new Set<string>(), all: true };
    expect(predicate(all, 'os:linux', 50)).toEqual({ q: 'os:linux', count: 50 });
    expect(predicate(all, ' ', 50)).toEqual({ q: 'name:*', count: 50 });
    expect(toggled(all, 'a')).toEqual({ uids: new Set(['a']), all: false });
  });
  test('given more ticks than a query can name, then no more are taken', () => {
    const many = extended(NONE, Array.from({ length: 1_000 }, (_, at) => `a${at}`));
    expect(many.uids.size).toBe(MOST_TICKED);
    expect(toggled(many, 'further').uids.size).toBe(MOST_TICKED);
  });
});
