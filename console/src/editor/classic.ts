/** Fluent Bit's classic format, as far as colours need it. Pure. */
import type { StreamParser } from '@codemirror/language';

interface State {
  /** Where in a line the reader is: at its start, or behind its key. */
  place: 'start' | 'value';
}

export const classic: StreamParser<State> = {
  name: 'fluent-bit',
  startState: () => ({ place: 'start' }),
  token(stream, state) {
    if (stream.sol()) {
      state.place = 'start';
      if (stream.match(/\s*#.*/)) return 'comment';
      if (stream.match(/\[[^\]]*\]/)) return 'heading';
      if (stream.match(/@(INCLUDE|SET)\b/i)) {
        state.place = 'value';
        return 'keyword';
      }
      if (stream.eatSpace()) return null;
    }
    if (state.place === 'start' && stream.match(/\S+/)) {
      state.place = 'value';
      return 'propertyName';
    }
    if (stream.match(/\$\{[^}]*\}/)) return 'variableName';
    if (stream.eatSpace()) return null;
    if (stream.match(/-?\d+(\.\d+)?[a-zA-Z]?(?=\s|$)/)) return 'number';
    if (stream.match(/(on|off|true|false)(?=\s|$)/i)) return 'bool';
    stream.match(/[^$\s]+|\$/);
    return 'string';
  },
};

export type Format = 'yaml' | 'classic';

/** Which format a config is in, by its file's name: the agent decides by it, too. */
export function formatOf(name: string): Format {
  return /\.ya?ml$/i.test(name) ? 'yaml' : 'classic';
}
