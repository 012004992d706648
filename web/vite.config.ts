import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const server = process.env.LEADPULSE_URL ?? 'http://localhost:4000';

/** Gives the script that must run before the first paint a name that changes with its content. */
function themeScript(): Plugin {
  return {
    name: 'theme-script',
    apply: 'build',
    enforce: 'post',
    generateBundle(_, bundle) {
      const source = readFileSync(here('theme.js'), 'utf8');
      const hash = createHash('sha256').update(source).digest('hex').slice(0, 8);
      const fileName = `assets/theme-${hash}.js`;
      this.emitFile({ type: 'asset', fileName, source });
      const page = bundle['index.html'];
      if (page?.type !== 'asset') throw new Error('There is no index.html to name the script in.');
      page.source = String(page.source).replace('/theme.js', `/${fileName}`);
    },
  };
}

export default defineConfig({
  plugins: [react(), tailwindcss(), themeScript()],
  resolve: {
    alias: [
      { find: '@', replacement: here('src') },
      // The original writes a style element, which the pages' policy forbids.
      {
        find: /^react-remove-scroll-bar(\/constants)?$/,
        replacement: here('src/lib/scroll-lock.ts'),
      },
    ],
  },
  server: {
    port: 5173,
    proxy: {
      '/api': { target: server, changeOrigin: false },
      '/sdk': { target: server, changeOrigin: false },
      '/socket.io': { target: server, changeOrigin: false, ws: true },
    },
  },
  build: {
    outDir: here('../src/leadpulse/http/web'),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    manifest: 'assets/manifest.json',
    target: 'es2023',
  },
  test: {
    environment: 'jsdom',
    setupFiles: ['src/testing/setup.ts'],
    include: ['src/**/*.test.{ts,tsx}'],
    css: false,
    // On a machine that does other things beside.
    testTimeout: 30_000,
    restoreMocks: true,
  },
});
