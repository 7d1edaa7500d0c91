/** The lines of a changed place of a file, numbered on both sides. The server compares; nothing here does. Pure. */
import type { Schemas } from '../../api/client';

export interface NumberedLine {
  readonly side: string;
  readonly text: string;
  /** Its number, from 1, in what should run and in what runs. */
  readonly desired?: number;
  readonly effective?: number;
}

/** A place's lines with their numbers. */
export function numbered(hunk: Schemas['DifferenceHunk']): NumberedLine[] {
  let desired = hunk.desired_start;
  let effective = hunk.effective_start;
  return hunk.lines.map(({ side, text }) => {
    if (side === 'desired') return { side, text, desired: desired++ };
    if (side === 'effective') return { side, text, effective: effective++ };
    return { side, text, desired: desired++, effective: effective++ };
  });
}

/** How many lines of a file differ. */
export function changedLines(file: Schemas['FileDifference']): number {
  return (file.hunks ?? []).reduce((sum, hunk) => sum + hunk.lines.filter((line) => line.side !== 'both').length, 0);
}

/** The files, those that differ first. */
export function differingFirst(files: readonly Schemas['FileDifference'][]): Schemas['FileDifference'][] {
  return [...files].sort((a, b) => Number(a.change === 'same') - Number(b.change === 'same'));
}
