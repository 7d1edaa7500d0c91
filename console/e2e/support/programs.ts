/** Tidegate's programs as the tests run them: in a folder of their own, on ports that the system chooses. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../../..');

/** Where the programs are: TIDEGATE_BIN_DIR, or where cargo puts them. */
export const BIN_DIR = process.env.TIDEGATE_BIN_DIR ?? join(process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target'), 'debug');

/** Waits until something is so. */
export async function until<T>(what: string, ask: () => Promise<T | undefined> | T | undefined, within = 30_000): Promise<T> {
  const end = Date.now() + within;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** A server with what runs beside it. */
export class Fleet {
  readonly folder = mkdtempSync(join(tmpdir(), 'tidegate-console-'));
  readonly #children: ChildProcess[] = [];
  agents = '';
  operators = '';
  token = '';

  async start(): Promise<void> {
    const data = join(this.folder, 'server');
    this.#spawn('tidegate-server', ['--data-dir', data, '--agents', '127.0.0.1:0', '--operators', '127.0.0.1:0'], 'server');
    const read = (name: string) => {
      const path = join(data, name);
      const text = existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
      return text === '' ? undefined : text;
    };
    this.operators = await until('the operators’ address', () => read('operators-address'));
    this.agents = await until('the agents’ address', () => read('agents-address'));
    this.token = await until('the token', () => read('admin-token'));
  }

  /** Another login link's path and fragment. */
  async loginLink(): Promise<string> {
    const { path } = (await this.call('POST', '/login-links')) as { path?: string };
    if (!path) throw new Error('the server gave no link');
    return path;
  }

  /** A supervisor with a Fluent Bit, the real one where FLUENT_BIT_BIN names it. */
  async supervisor(name: string): Promise<void> {
    const state = join(this.folder, name);
    mkdirSync(state, { recursive: true });
    const port = await freePort();
    const config = join(state, 'fluent-bit.yaml');
    const example = readFileSync(join(ROOT, 'examples/fluent-bit.yaml'), 'utf8');
    writeFileSync(config, example.replace('port: 8888', `port: ${port}`));
    const binary = process.env.FLUENT_BIT_BIN ?? join(BIN_DIR, 'fake-fluent-bit');
    this.#spawn(
      'tidegate-supervisor',
      ['--endpoint', `ws://${this.agents}/v1/opamp`, '--kind', 'fluent-bit', '--probation', '1s', '--metrics-interval', '10s']
        .concat(['--allow', 'remote-config,restart,chatops,logs,dry-run,diagnostics', '--binary', binary])
        .concat(['--agent-config', config, '--state-dir', join(state, 'state'), '--chatops-port', String(port)])
        .concat(['--attribute', `host.name=${name}`]),
      name,
    );
    await this.matching(`name:${name} connection:connected`, 1);
  }

  /** Simulated agents; answers a function that drives them. */
  swarm(seed = 1, further: readonly string[] = []): (command: string) => void {
    const args = ['agents', '--endpoint', `ws://${this.agents}/v1/opamp`, '--seed', String(seed), ...further];
    const child = this.#spawn('tidegate-swarm', args, `swarm-${seed}`);
    return (command) => child.stdin?.write(`${command}\n`);
  }

  /** Calls the API as an operator. */
  async call(method: string, path: string, body?: unknown): Promise<Record<string, never>> {
    const response = await fetch(`http://${this.operators}/api/v1${path}`, {
      method,
      headers: { Authorization: `Bearer ${this.token}`, 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Record<string, never>;
  }

  /** Plans a restart as an assistant does, over MCP; the path of the plan's page, as the assistant is told it. */
  async plan(q: string): Promise<string> {
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
      'io.modelcontextprotocol/clientInfo': { name: 'an assistant', version: '1' },
    };
    const response = await fetch(`http://${this.operators}/mcp`, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${this.token}`,
        'Content-Type': 'application/json',
        Accept: 'application/json, text/event-stream',
        'MCP-Protocol-Version': '2026-07-28',
        'Mcp-Method': 'tools/call',
        'Mcp-Name': 'plan_command',
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: 'plan_command', arguments: { q, command: 'restart' }, _meta: meta },
      }),
    });
    const text = await response.text();
    const { result } = JSON.parse(text) as { result?: { structuredContent?: { url?: string } } };
    const url = result?.structuredContent?.url;
    if (!url) throw new Error(`no plan was made: ${text}`);
    return new URL(url).pathname;
  }

  /** Waits until so many agents match. */
  async matching(q: string, least: number, within = 30_000): Promise<void> {
    await until(`${least} agents that match ${q}`, async () => {
      const page = (await this.call('GET', `/agents?limit=1&q=${encodeURIComponent(q)}`)) as { total?: { value: number } };
      return (page.total?.value ?? 0) >= least ? true : undefined;
    }, within);
  }

  async stop(): Promise<void> {
    const gone = this.#children.reverse().map(
      (child) =>
        new Promise<void>((done) => {
          if (child.exitCode !== null || child.signalCode !== null) return done();
          child.once('exit', () => done());
          child.kill('SIGTERM');
          setTimeout(() => child.kill('SIGKILL'), 8_000).unref();
        }),
    );
    await Promise.all(gone);
    rmSync(this.folder, { recursive: true, force: true });
  }

  #spawn(program: string, args: string[], name: string): ChildProcess {
    const path = join(BIN_DIR, program);
    if (!existsSync(path)) throw new Error(`${path} is not there: build it, or name its folder in TIDEGATE_BIN_DIR`);
    const child = spawn(path, args, { stdio: ['pipe', 'ignore', 'pipe'], env: { ...process.env, XDG_STATE_HOME: this.folder } });
    let log = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      log = (log + chunk.toString()).slice(-20_000);
      writeFileSync(join(this.folder, `${name}.log`), log);
    });
    this.#children.push(child);
    return child;
  }
}
