/**
 * Texts that machines sent may hold characters that hide, move or reorder what stands beside them. This makes each of
 * them visible; it is the one place that does.
 */

/** A piece of a text: as it is, or one character that is shown by its name. */
export interface Piece {
  readonly text: string;
  /** Name of the character, such as `U+202E`, where the piece stands for one that cannot be seen. */
  readonly name?: string;
}

// Controls; soft hyphen; Arabic letter mark; fillers; Mongolian vowel separator; zero-width and bidi marks; separators;
// word joiner to bidi isolates; byte order mark; interlinear marks; variation selectors and tags; lone surrogates.
// All that `is_hidden` of crates/api/src/text.rs has, which the other faces go by, and the joiners U+200C and U+200D:
// whoever reads a name here has to see that it is not the one that looks the same. A test compares the two.
const HIDDEN =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|[\u{e0000}-\u{e0fff}]|\p{Cs}/gu;

/** Those that the editor of a config marks: all but line feeds and tabs. */
export const HIDDEN_IN_LINES = new RegExp(`(?![\\t\\n])(?:${HIDDEN.source})`, 'gu');

function named(character: string): Piece {
  const code = character.codePointAt(0) ?? 0;
  const name = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
  // The usual short names of C0 controls: fonts without pictures for them are many.
  if (code < 0x20 || code === 0x7f) return { text: `^${String.fromCharCode(code ^ 0x40)}`, name };
  return { text: name, name };
}

/** A text in pieces. With `lines`, line feeds and tabs stay what they are. */
export function pieces(text: string, lines = false): Piece[] {
  const found: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(HIDDEN)) {
    if (lines && (match[0] === '\n' || match[0] === '\t')) continue;
    if (match.index > from) found.push({ text: text.slice(from, match.index) });
    found.push(named(match[0]));
    from = match.index + match[0].length;
  }
  if (from < text.length) found.push({ text: text.slice(from) });
  return found;
}

/** A text with hidden characters made visible, for attributes and titles. */
export function visible(text: string, lines = false): string {
  return pieces(text, lines)
    .map((piece) => (piece.name ? `⟨${piece.text}⟩` : piece.text))
    .join('');
}
