/**
 * Where the server under test carries no console, or another build of it: this hands out `dist/` under the server's own
 * policy and passes every call on.
 */
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { type Server, createServer, request } from 'node:http';
import { extname, join, resolve } from 'node:path';

const DIST = resolve(import.meta.dirname, '../../dist/app');
const TYPES: Record<string, string> = { '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.html': 'text/html; charset=utf-8' };
const NONCE = 'bm9uY2U';
const POLICY =
  `default-src 'self'; script-src 'self'; style-src 'self' 'nonce-${NONCE}'; ` +
  "img-src 'self' data:; connect-src 'self'; " +
  "frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/** Whether the server hands out this very build. */
export async function carriesThisBuild(operators: string): Promise<boolean> {
  const built = readFileSync(join(DIST, 'index.html'), 'utf8');
  const script = /src="(\/assets\/[^"]+)"/.exec(built)?.[1] ?? '';
  const response = await fetch(`http://${operators}/`).catch(() => undefined);
  return response?.ok === true && script !== '' && (await response.text()).includes(script);
}

/** Starts the front; its address. */
export async function front(operators: string): Promise<{ url: string; server: Server }> {
  const [host, port] = operators.split(':');
  const server = createServer((asked, answer) => {
    const path = new URL(asked.url ?? '/', 'http://x').pathname;
    if (/^\/(api|docs|openapi\.json)/.test(path)) {
      const { headers, method, url } = asked;
      const further = request({ host, port, path: url, method, headers }, (got) => {
        answer.writeHead(got.statusCode ?? 502, got.headers);
        got.pipe(answer);
      });
      further.on('error', () => answer.destroy());
      answer.on('close', () => further.destroy());
      asked.pipe(further);
    } else {
      const file = join(DIST, path);
      const found = path.startsWith('/assets/') && existsSync(file) && statSync(file).isFile() ? file : join(DIST, 'index.html');
      answer.writeHead(200, { 'Content-Type': TYPES[extname(found)] ?? 'application/octet-stream', 'Content-Security-Policy': POLICY });
      if (found.endsWith('index.html')) answer.end(readFileSync(found, 'utf8').replace('{{nonce}}', NONCE));
      else createReadStream(found).pipe(answer);
    }
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { url: `http://127.0.0.1:${address.port}`, server };
}
