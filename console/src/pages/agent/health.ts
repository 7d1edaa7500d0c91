/** The components of an agent as rows of a tree, in the order in which records pass them. Pure. */
import type { Schemas } from '../../api/client';

type Component = Schemas['Component'];

/** A row of the tree. */
export interface HealthRow {
  /** Names from the root, joined so that no two rows have the same. */
  readonly key: string;
  readonly name: string;
  /** `input`, `filter`, `output` or '' for what is no part of the pipeline. */
  readonly kind: string;
  /** From 1, as `aria-level` counts. */
  readonly level: number;
  /** Place among its siblings, from 1, and how many they are. */
  readonly place: number;
  readonly siblings: number;
  readonly children: boolean;
  readonly component: Component;
  /** The state in the words of the state model. */
  readonly state: string;
}

/** Deeper trees end here: an agent may send any. */
const DEEPEST = 16;
/** More rows than this are not drawn: an agent may send many. */
export const MOST_ROWS = 1_000;
const ORDER = ['input', 'processor', 'filter', 'output'];

/** What a component is: the part of its name before the first colon, where that is a stage of a pipeline. */
export function kindOf(name: string): string {
  const kind = name.split(':', 1)[0] ?? '';
  return name.includes(':') && ORDER.includes(kind) ? kind : '';
}

/** A component's state in one word of the state model; its own word stands beside it. */
export function stateOf(component: Component): string {
  if (component.healthy) return 'healthy';
  return /^starting$/i.test(component.status) ? 'starting' : 'unhealthy';
}

function rank(name: string): number {
  const at = ORDER.indexOf(kindOf(name));
  return at < 0 ? ORDER.length : at;
}

/** The rows that are to be seen; what `closed` names keeps its children to itself. */
export function rows(components: Readonly<Record<string, Component>>, closed: ReadonlySet<string> = new Set()): HealthRow[] {
  const found: HealthRow[] = [];
  const walk = (map: Readonly<Record<string, Component>>, level: number, above: string): void => {
    const entries = Object.entries(map).sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1));
    for (const [at, [name, component]] of entries.entries()) {
      if (found.length >= MOST_ROWS) return;
      const below = component.components ?? {};
      const children = Object.keys(below).length > 0 && level < DEEPEST;
      const key = `${above}/${name.replaceAll('/', '//')}`;
      const place = { place: at + 1, siblings: entries.length };
      found.push({ key, name, kind: kindOf(name), level, ...place, children, component, state: stateOf(component) });
      if (children && !closed.has(key)) walk(below, level + 1, key);
    }
  };
  walk(components, 1, '');
  return found;
}

/** How many components there are, and how many of them are not healthy. */
export function tally(components: Readonly<Record<string, Component>>): { all: number; bad: number } {
  const found = rows(components);
  return { all: found.length, bad: found.filter((row) => !row.component.healthy).length };
}
