/** Calls of the REST API, typed by the server's own description of it. */
import { Problem, isAbort, problemOf } from './problem';
import type { components, paths } from './schema';

export type Schemas = components['schemas'];
export type Agent = Schemas['Agent'];
export type AgentDetail = Schemas['AgentDetail'];
export type FleetEvent = Schemas['Event'];

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
type With<M extends Method> = { [P in keyof paths]: paths[P] extends { [K in M]: object } ? P : never }[keyof paths];
type Call<P extends keyof paths, M extends Method> = M extends keyof paths[P] ? paths[P][M] : never;
type Json<T> = T extends { content: { 'application/json': infer B } } ? B : undefined;
type Parameters<C, In extends string> = C extends { parameters: { [K in In]?: infer V } } ? V : never;

/** What a call is given besides its path. */
export interface Options<C> {
  readonly path?: Parameters<C, 'path'>;
  readonly query?: Parameters<C, 'query'>;
  readonly header?: Readonly<Record<string, string>>;
  readonly body?: C extends { requestBody?: { content: infer T } } ? T[keyof T] : never;
  readonly signal?: AbortSignal;
}

/** What a call answers when it did what it should. */
export type Answer<C> = C extends { responses: infer R } ? Json<R[keyof R & (200 | 201 | 202)]> : never;

let onUnauthenticated: () => void = () => {};

/** Says what to do when the server no longer knows who asks. */
export function whenUnauthenticated(act: () => void): void {
  onUnauthenticated = act;
}

/** The address of a call. */
export function address(pattern: string, path: object | undefined, query: object | undefined): string {
  const values = (path ?? {}) as Record<string, string>;
  const filled = pattern.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ''));
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null && value !== '') parameters.set(name, String(value));
  }
  const search = parameters.toString();
  return search === '' ? filled : `${filled}?${search}`;
}

/** Asks the server; the answer's body as JSON, undefined where it has none. Throws a Problem, or AbortError. */
export async function request(method: string, url: string, options: Options<never> & { body?: unknown } = {}): Promise<unknown> {
  const headers: Record<string, string> = { Accept: 'application/json', ...options.header };
  if (options.body !== undefined) headers['Content-Type'] ??= 'application/json';
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      headers,
      credentials: 'same-origin',
      cache: 'no-store',
      ...(options.signal && { signal: options.signal }),
      ...(options.body !== undefined && { body: JSON.stringify(options.body) }),
    });
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new Problem({
      status: 0,
      code: 'unreachable',
      title: 'The server does not answer',
      detail: 'Is it running, and does the network reach it? What is shown here may be old.',
    });
  }
  if (!response.ok) {
    const problem = await problemOf(response);
    if (problem.status === 401 && !url.startsWith('/api/v1/session')) onUnauthenticated();
    throw problem;
  }
  return response.status === 204 ? undefined : ((await response.json()) as unknown);
}

async function call<M extends Method, P extends With<M>>(
  method: M,
  pattern: P,
  options: Options<Call<P, M>> = {},
): Promise<Answer<Call<P, M>>> {
  const url = address(pattern as string, options.path as object | undefined, options.query as object | undefined);
  return (await request(method.toUpperCase(), url, options as Options<never>)) as Answer<Call<P, M>>;
}

/** The API: `api.get('/api/v1/agents', { query: { q } })`. */
export const api = {
  get: <P extends With<'get'>>(path: P, options?: Options<Call<P, 'get'>>) => call('get', path, options),
  post: <P extends With<'post'>>(path: P, options?: Options<Call<P, 'post'>>) => call('post', path, options),
  put: <P extends With<'put'>>(path: P, options?: Options<Call<P, 'put'>>) => call('put', path, options),
  patch: <P extends With<'patch'>>(path: P, options?: Options<Call<P, 'patch'>>) => call('patch', path, options),
  delete: <P extends With<'delete'>>(path: P, options?: Options<Call<P, 'delete'>>) => call('delete', path, options),
};
