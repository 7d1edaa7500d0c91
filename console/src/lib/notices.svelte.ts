/** Short messages at the rim of the screen, and what is said to those who do not see it. */
import { asProblem, type Problem } from '../api/problem';
import type { Tone } from './states';

export interface Toast {
  readonly id: number;
  readonly tone: Extract<Tone, 'ok' | 'bad'>;
  readonly text: string;
  readonly href?: string;
  readonly problem?: Problem;
}

/** Most messages at once; the oldest gives way. */
const MOST = 4;
/** How long a message that is no problem stays, in milliseconds. Problems stay until they are closed. */
const STAYS = 6_000;
/** Announcements come at most this often, in milliseconds. */
const PACE = 5_000;

class Notices {
  toasts = $state.raw<readonly Toast[]>([]);
  /** What a screen reader is told. */
  spoken = $state('');

  #next = 1;
  #waiting: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  say(text: string, href?: string): void {
    this.#show({ id: this.#next++, tone: 'ok', text, ...(href && { href }) });
  }

  /** Shows what went wrong. */
  fail(error: unknown): void {
    const problem = asProblem(error);
    this.#show({ id: this.#next++, tone: 'bad', text: problem.title, problem });
  }

  close(id: number): void {
    this.toasts = this.toasts.filter((toast) => toast.id !== id);
  }

  /** Tells a screen reader of live changes: the last wish of five seconds wins. */
  announce(text: string): void {
    this.#waiting = text;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.spoken = this.#waiting ?? '';
    }, PACE);
  }

  #show(toast: Toast): void {
    this.toasts = [...this.toasts, toast].slice(-MOST);
    if (toast.tone !== 'bad') setTimeout(() => this.close(toast.id), STAYS);
  }
}

export const notices = new Notices();
