import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, gzipSync } from 'node:zlib';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

// The development server stands in front of a running Tidegate; TIDEGATE_URL says which.
const target = process.env.TIDEGATE_URL ?? 'http://127.0.0.1:4321';

// The server has these folders and files built into it: see crates/server/src/console.
const OUT = 'dist/app';
/** Smaller files are not worth a second copy, in bytes. */
const LEAST = 1024;

/** Writes `NAME.gz` beside what is worth it, so that the server never has to compress. */
function copiesInGzip(): Plugin {
  return {
    name: 'copies-in-gzip',
    apply: 'build',
    closeBundle() {
      for (const name of readdirSync(OUT, { recursive: true, encoding: 'utf8' })) {
        if (!/\.(js|css|svg)$/.test(name)) continue;
        const file = readFileSync(join(OUT, name));
        if (file.length > LEAST) writeFileSync(join(OUT, `${name}.gz`), gzipSync(file, { level: constants.Z_BEST_COMPRESSION }));
      }
    },
  };
}

export default defineConfig({
  plugins: [svelte(), copiesInGzip()],
  build: {
    outDir: OUT,
    target: 'es2022',
    // The content security policy allows neither inline scripts nor data: scripts and styles.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
  server: { proxy: { '/api': target, '/openapi.json': target, '/docs': target } },
  test: { include: ['tests/**/*.test.ts'], environment: 'node' },
});
