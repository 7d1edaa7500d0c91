/** What tells one text from another, line by line. Pure, and bounded in time for any two texts. */

export type Mark = 'same' | 'gone' | 'new';

export interface DiffLine {
  readonly mark: Mark;
  readonly text: string;
  /** Line numbers from 1 on the side of what should be, and of what is. */
  readonly left?: number;
  readonly right?: number;
}

/** Lines that belong together, with where they begin. */
export interface Hunk {
  readonly left: number;
  readonly right: number;
  readonly lines: readonly DiffLine[];
}

/** Edits beyond which two texts are called wholly different between their common beginning and end. */
const MOST_EDITS = 800;
/** Lines around a change that are shown with it. */
const AROUND = 3;

/** A text's lines; a line end at the end of the text opens no further line. */
export function linesOf(text: string): string[] {
  if (text === '') return [];
  const lines = text.split(/\r\n|\n|\r/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** All lines of both texts with what became of them. */
export function difference(should: string, is: string): DiffLine[] {
  const left = linesOf(should);
  const right = linesOf(is);
  let begin = 0;
  while (begin < left.length && begin < right.length && left[begin] === right[begin]) begin += 1;
  let end = 0;
  while (end < left.length - begin && end < right.length - begin && left.at(-1 - end) === right.at(-1 - end)) end += 1;
  const marks: Mark[] = [
    ...Array<Mark>(begin).fill('same'),
    ...edits(left.slice(begin, left.length - end), right.slice(begin, right.length - end)),
    ...Array<Mark>(end).fill('same'),
  ];
  let l = 0;
  let r = 0;
  return marks.map((mark): DiffLine => {
    if (mark === 'gone') return { mark, text: left[l] ?? '', left: ++l };
    if (mark === 'new') return { mark, text: right[r] ?? '', right: ++r };
    return { mark, text: left[l] ?? '', left: ++l, right: ++r };
  });
}

/** Myers' shortest way from one list to the other. */
function edits(left: readonly string[], right: readonly string[]): Mark[] {
  const most = Math.min(left.length + right.length, MOST_EDITS);
  const trail: Int32Array[] = [];
  const reach = new Int32Array(2 * most + 3);
  const middle = most + 1;
  for (let d = 0; d <= most; d += 1) {
    trail.push(reach.slice());
    for (let k = -d; k <= d; k += 2) {
      const before = reach[middle + k - 1] ?? 0;
      const after = reach[middle + k + 1] ?? 0;
      let x = k === -d || (k !== d && before < after) ? after : before + 1;
      while (x < left.length && x - k < right.length && left[x] === right[x - k]) x += 1;
      reach[middle + k] = x;
      if (x >= left.length && x - k >= right.length) return back(trail, left.length, right.length, middle);
    }
  }
  return [...Array<Mark>(left.length).fill('gone'), ...Array<Mark>(right.length).fill('new')];
}

function back(trail: readonly Int32Array[], lefts: number, rights: number, middle: number): Mark[] {
  const marks: Mark[] = [];
  let x = lefts;
  let y = rights;
  for (let d = trail.length - 1; d >= 0; d -= 1) {
    const reach = trail[d];
    const k = x - y;
    const before = reach?.[middle + k - 1] ?? 0;
    const after = reach?.[middle + k + 1] ?? 0;
    const down = k === -d || (k !== d && before < after);
    const fromX = down ? after : before;
    const fromY = down ? fromX - (k + 1) : fromX - (k - 1);
    while (x > 0 && y > 0 && x > (d === 0 ? 0 : fromX) && y > (d === 0 ? 0 : fromY)) {
      marks.push('same');
      x -= 1;
      y -= 1;
    }
    if (d === 0) break;
    marks.push(down ? 'new' : 'gone');
    x = fromX;
    y = fromY;
  }
  return marks.reverse();
}

/** The changed places with some lines around each. */
export function hunks(lines: readonly DiffLine[]): Hunk[] {
  const found: Hunk[] = [];
  let from = -1;
  let last = -1;
  const close = (): void => {
    if (from < 0) return;
    const part = lines.slice(from, Math.min(lines.length, last + AROUND + 1));
    const left = part.find((line) => line.left !== undefined)?.left ?? 0;
    const right = part.find((line) => line.right !== undefined)?.right ?? 0;
    found.push({ left, right, lines: part });
    from = -1;
  };
  for (const [at, line] of lines.entries()) {
    if (line.mark === 'same') continue;
    if (from >= 0 && at - last > 2 * AROUND) close();
    if (from < 0) from = Math.max(0, at - AROUND);
    last = at;
  }
  close();
  return found;
}

/** A file of a config, as far as it is compared. */
interface File {
  readonly name: string;
  readonly body: string;
}

/** One file on both sides; null where it is missing. */
export interface FilePair {
  readonly name: string;
  readonly should: string | null;
  readonly is: string | null;
  readonly lines: readonly DiffLine[];
  readonly changes: number;
}

/** What the supervisor made of a config for itself is told beside the files and is no part of what was asked for. */
const RENDERED = 'tidegate/rendered';

/** The files of both sides by name, those that differ first. */
export function pairs(should: readonly File[], is: readonly File[]): FilePair[] {
  const wanted = new Map(should.map((file) => [file.name, file.body]));
  const given = new Map(is.filter((file) => file.name !== RENDERED).map((file) => [file.name, file.body]));
  const names = [...new Set([...wanted.keys(), ...given.keys()])].sort();
  return names
    .map((name) => {
      const left = wanted.get(name) ?? null;
      const right = given.get(name) ?? null;
      const lines = difference(left ?? '', right ?? '');
      const changes = lines.filter((line) => line.mark !== 'same').length + (left === null || right === null ? 1 : 0);
      return { name, should: left, is: right, lines, changes };
    })
    .sort((a, b) => Number(b.changes > 0) - Number(a.changes > 0));
}
