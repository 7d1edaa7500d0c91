import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

// The development server stands in front of a running Tidegate; TIDEGATE_URL and TIDEGATE_TOKEN say which.
const target = process.env.TIDEGATE_URL ?? 'http://127.0.0.1:4321';
const token = process.env.TIDEGATE_TOKEN;
const headers = token ? { Authorization: `Bearer ${token}` } : undefined;

export default defineConfig({
  plugins: [svelte()],
  build: {
    target: 'es2022',
    // The content security policy allows neither inline scripts nor data: scripts and styles.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: true,
  },
  server: { proxy: { '/api': { target, headers }, '/openapi.json': target } },
  test: { include: ['tests/**/*.test.ts'], environment: 'node' },
});
