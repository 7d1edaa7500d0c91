/** The columns that the table of agents can show. Pure. */
import type { Agent } from '../../api/client';

/** How a cell is drawn. */
export type Cell =
  | { readonly kind: 'text'; readonly of: (agent: Agent) => string }
  | { readonly kind: 'mono'; readonly of: (agent: Agent) => string }
  | { readonly kind: 'time'; readonly of: (agent: Agent) => string | undefined }
  | { readonly kind: 'axis'; readonly axis: 'connection' | 'health' | 'config' }
  | { readonly kind: 'attention' }
  | { readonly kind: 'labels' };

export interface Column {
  readonly id: string;
  readonly title: string;
  /** The key that it is sorted by; absent where it cannot be. */
  readonly sort?: string;
  /** Width in pixels, and what it gets of the room that is left. */
  readonly width: number;
  readonly grows?: number;
  /** The keys of an agent that it reads. */
  readonly fields: readonly string[];
  readonly cell: Cell;
}

const attribute = (id: string, title: string, name: string, width: number): Column => ({
  id,
  title,
  sort: id,
  width,
  fields: ['attributes'],
  cell: { kind: 'text', of: (agent) => agent.attributes?.[name] ?? '' },
});

export const COLUMNS: readonly Column[] = [
  {
    id: 'attention',
    title: 'Attention',
    sort: 'attention',
    width: 140,
    grows: 1,
    fields: ['attention'],
    cell: { kind: 'attention' },
  },
  { id: 'connection', title: 'Connection', sort: 'connection', width: 136, fields: ['connection'], cell: { kind: 'axis', axis: 'connection' } },
  { id: 'health', title: 'Health', sort: 'health', width: 110, fields: ['health'], cell: { kind: 'axis', axis: 'health' } },
  { id: 'config', title: 'Config', sort: 'config', width: 116, fields: ['config'], cell: { kind: 'axis', axis: 'config' } },
  attribute('version', 'Version', 'service.version', 76),
  attribute('os', 'OS', 'os.type', 68),
  attribute('arch', 'Arch', 'host.arch', 80),
  attribute('service', 'Service', 'service.name', 120),
  attribute('attr.host.name', 'Host', 'host.name', 140),
  { id: 'last_seen', title: 'Last seen', sort: 'last_seen', width: 92, fields: ['last_seen'], cell: { kind: 'time', of: (agent) => agent.last_seen } },
  { id: 'first_seen', title: 'First seen', sort: 'first_seen', width: 100, fields: ['first_seen'], cell: { kind: 'time', of: (agent) => agent.first_seen } },
  {
    id: 'started_at',
    title: 'Started',
    width: 100,
    fields: ['started_at'],
    cell: { kind: 'time', of: (agent) => agent.started_at ?? undefined },
  },
  { id: 'transport', title: 'Transport', sort: 'transport', width: 96, fields: ['transport'], cell: { kind: 'text', of: (agent) => agent.transport ?? '' } },
  { id: 'labels', title: 'Labels', width: 200, grows: 1, fields: ['labels'], cell: { kind: 'labels' } },
  { id: 'uid', title: 'Uid', sort: 'uid', width: 290, fields: [], cell: { kind: 'mono', of: (agent) => agent.uid } },
];

/** The column that is always there, first. */
export const NAME: Column = {
  id: 'name',
  title: 'Name',
  sort: 'name',
  width: 200,
  grows: 2,
  fields: ['name'],
  cell: { kind: 'text', of: (agent) => agent.name },
};

export const DEFAULT_COLUMNS: readonly string[] = ['connection', 'health', 'config', 'version', 'os', 'last_seen', 'attention'];

/** Most columns beside the name. */
export const MOST_COLUMNS = 16;

/** A column by its id: one of those above, or any attribute or label. Null where there is no such. */
export function column(id: string): Column | null {
  const known = COLUMNS.find((one) => one.id === id);
  if (known) return known;
  const [, kind, name] = /^(attr|label)\.(.+)$/.exec(id) ?? [];
  if (!kind || !name) return null;
  const of = (agent: Agent) => (kind === 'attr' ? agent.attributes?.[name] : agent.labels?.[name]) ?? '';
  const fields = [kind === 'attr' ? 'attributes' : 'labels'];
  return { id, title: name, sort: id, width: 140, fields, cell: { kind: 'text', of } };
}

/** The columns of a list of ids, the name first; what is unknown or named twice is left out. */
export function columns(ids: readonly string[]): Column[] {
  const found = [...new Set(ids)].flatMap((id) => column(id) ?? []);
  return [NAME, ...found.slice(0, MOST_COLUMNS)];
}

/** The keys of an agent that columns read, for `fields`. States need to know whether the agent is connected. */
export function fields(shown: readonly Column[]): string {
  return [...new Set(['name', 'connection', ...shown.flatMap((one) => one.fields)])].sort().join(',');
}

/** The sort after a click on a column's head: rising, falling, none. */
export function nextSort(sort: string, key: string): string {
  if (sort === key) return `-${key}`;
  return sort === `-${key}` ? '' : key;
}

/** What `aria-sort` says of a column. */
export function ariaSort(sort: string, key: string | undefined): 'ascending' | 'descending' | 'none' | undefined {
  if (key === undefined) return undefined;
  if (sort === key) return 'ascending';
  return sort === `-${key}` ? 'descending' : 'none';
}

/** What of the columns a narrow screen has room for: the name, and three below it. */
export function stacked(shown: readonly Column[]): Column[] {
  return shown.slice(0, 4);
}

/** The second line of such a row as CSS, below a tick: each column by what it needs. */
export function stackedTemplate(cells: readonly Column[]): string {
  return ['36px', ...cells.slice(1).map(({ width }) => `minmax(0, ${width}fr)`)].join(' ');
}

/** The grid's columns as CSS: a tick, then each with its least width and its part of the room that is left. */
export function template(shown: readonly Column[]): string {
  const tracks = shown.map(({ width, grows }) => (grows ? `minmax(${width}px, ${grows}fr)` : `${width}px`));
  return ['36px', ...tracks].join(' ');
}
