/** The address bar as state: reading and writing parameters, matching paths. Pure. */

/** Values of a query, by name. Names that are absent have their default. */
export type Changes = Readonly<Record<string, string | readonly string[] | number | boolean | null | undefined>>;

/** The search part of an address with some parameters changed; null, undefined, '' and [] remove one. */
export function withChanges(search: string, changes: Changes): string {
  const parameters = new URLSearchParams(search);
  for (const [name, value] of Object.entries(changes)) {
    const text = Array.isArray(value) ? value.join(',') : value;
    if (text === null || text === undefined || text === '' || text === false) parameters.delete(name);
    else parameters.set(name, text === true ? '1' : String(text));
  }
  // These are everywhere in queries and need no escape: such an address can be read.
  const written = parameters.toString().replaceAll('%3A', ':').replaceAll('%2C', ',').replaceAll('%2A', '*').replaceAll('%3D', '=').replaceAll('%2F', '/');
  return written === '' ? '' : `?${written}`;
}

/** A link to a path with parameters. */
export function link(path: string, parameters: Changes = {}): string {
  return path + withChanges('', parameters);
}

/** A parameter that is a list with commas between. */
export function list(search: URLSearchParams, name: string, otherwise: readonly string[]): readonly string[] {
  const text = search.get(name);
  return text === null ? otherwise : text.split(',').filter((part) => part !== '');
}

/** A parameter that is one of some words. */
export function oneOf<T extends string>(search: URLSearchParams, name: string, words: readonly T[], otherwise: T): T {
  const text = search.get(name);
  return words.find((word) => word === text) ?? otherwise;
}

/** Fills a pattern such as `/agents/:uid`; null when the path is another. */
export function match(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split('/');
  const given = (path.length > 1 ? path.replace(/\/+$/, '') : path).split('/');
  if (wanted.length !== given.length) return null;
  const found: Record<string, string> = {};
  for (const [at, part] of wanted.entries()) {
    const text = given[at] ?? '';
    if (part.startsWith(':')) {
      if (text === '') return null;
      try {
        found[part.slice(1)] = decodeURIComponent(text);
      } catch {
        return null;
      }
    } else if (part !== text) return null;
  }
  return found;
}

/** A place within the console that a browser may be sent to after logging in; anything else becomes `/`. */
export function within(wish: string | null): string {
  if (wish === null || !/^\/(?![/\\])/.test(wish) || /[\u0000-\u001f\\]/.test(wish)) return '/';
  return wish.startsWith('/login') ? '/' : wish;
}
