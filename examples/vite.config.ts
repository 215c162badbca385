import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const library = process.env.PUSHFORWARD_DIST ? '../dist/index.js' : '../src/index.ts';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  resolve: { alias: { pushforward: fileURLToPath(new URL(library, import.meta.url)) } },
  server: { host: '127.0.0.1' },
});
