import type { components } from './schema';

type Body = components['schemas']['Problem'];

/** A place at which a call was wrong. */
export type ProblemPlace = components['schemas']['ProblemDetail'];

/** Why a call did not do what it should, in the server's words, or in ours where it could not be asked. */
export class Problem extends Error {
  readonly status: number;
  /** The kind as a word: the server's codes, and `unreachable` or `unreadable`. */
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly errors: readonly ProblemPlace[];
  readonly traceId: string | undefined;
  readonly retryAfter: number | undefined;

  constructor(body: Partial<Body> & Pick<Body, 'title' | 'detail' | 'code' | 'status'>) {
    super(`${body.title}: ${body.detail}`);
    this.name = 'Problem';
    this.status = body.status;
    this.code = body.code;
    this.title = body.title;
    this.detail = body.detail;
    this.errors = body.errors ?? [];
    this.traceId = body.trace_id;
    this.retryAfter = body.retry_after ?? undefined;
  }

  /** All of it as plain text, to be pasted into a report. */
  asText(): string {
    const places = this.errors.map((place) => `${place.pointer}: ${place.message}`);
    const trace = this.traceId ? [`trace id ${this.traceId}`] : [];
    return [`${this.title} (${this.code}, ${this.status})`, this.detail, ...places, ...trace].join('\n');
  }
}

/** Whether something thrown only says that a call was given up. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

/** What was thrown, as a problem. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const detail = error instanceof Error ? error.message : String(error);
  return new Problem({ status: 0, code: 'console', title: 'The console went wrong', detail });
}

/** The problem that an answer which is no success stands for. */
export async function problemOf(response: Response): Promise<Problem> {
  const traceId = response.headers.get('x-request-id') ?? undefined;
  if ((response.headers.get('content-type') ?? '').includes('json')) {
    try {
      const body = (await response.json()) as Partial<Body>;
      if (typeof body.code === 'string' && typeof body.title === 'string') {
        const { code, title, detail = '' } = body;
        return new Problem({ ...body, code, title, detail, status: response.status, ...(traceId && { trace_id: traceId }) });
      }
    } catch {
      // Falls through: what cannot be read is said to be so.
    }
  }
  return new Problem({
    status: response.status,
    code: 'unreadable',
    title: `The server answered ${response.status}`,
    detail: 'Something between this browser and the server may have answered in its place. Try again.',
    ...(traceId && { trace_id: traceId }),
  });
}
