/** Who is logged in. The session itself is a cookie that scripts cannot read. */
import { api, type Schemas } from '../api/client';
import { Problem } from '../api/problem';

type Session = Schemas['Session'];

class SessionState {
  /** Undefined until the server was asked; null when nobody is logged in. */
  current = $state.raw<Session | null | undefined>(undefined);
  problem = $state.raw<Problem | undefined>(undefined);

  /** Asks the server who this is. */
  async check(): Promise<void> {
    try {
      this.current = await api.get('/api/v1/session');
      this.problem = undefined;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.status === 401) this.current = null;
      else this.problem = error;
    }
  }

  /** Exchanges a login link's code, or a token, for a session. */
  async begin(proof: { code: string } | { token: string }): Promise<void> {
    this.current = await api.post('/api/v1/session', { body: proof });
  }

  async end(): Promise<void> {
    await api.delete('/api/v1/session');
    this.current = null;
  }

  /** The server does not know this browser any more. */
  lost(): void {
    this.current = null;
  }
}

export const session = new SessionState();
