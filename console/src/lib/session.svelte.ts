/** Who is logged in. The session itself is a cookie that scripts cannot read. */
import { request } from '../api/client';
import { Problem } from '../api/problem';

/** A session as the server tells of it. */
export interface Session {
  readonly actor: string;
  readonly expires_at?: string | null;
}

const PATH = '/api/v1/session';

class SessionState {
  /** Undefined until the server was asked; null when nobody is logged in. */
  current = $state.raw<Session | null | undefined>(undefined);
  problem = $state.raw<Problem | undefined>(undefined);

  /** Asks the server who this is. */
  async check(): Promise<void> {
    try {
      this.current = (await request('GET', PATH)) as Session;
      this.problem = undefined;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.status === 401) this.current = null;
      else this.problem = error;
    }
  }

  /** Exchanges a login link's code, or a token, for a session. */
  async begin(proof: { code: string } | { token: string }): Promise<void> {
    this.current = (await request('POST', PATH, { body: proof } as never)) as Session;
  }

  async end(): Promise<void> {
    await request('DELETE', PATH);
    this.current = null;
  }

  /** The server does not know this browser any more. */
  lost(): void {
    this.current = null;
  }
}

export const session = new SessionState();
