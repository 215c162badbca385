import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = fileURLToPath(new URL('.', import.meta.url));

export default defineConfig({
  root: here,
  // Relative addresses, so that the built page works in any folder of any server.
  base: './',
  server: {
    host: '127.0.0.1',
    // The page imports the library's source from the folder above.
    fs: { allow: [fileURLToPath(new URL('..', import.meta.url))] },
  },
  preview: { host: '127.0.0.1' },
  build: { target: 'es2022', outDir: '../dist-demo', emptyOutDir: true },
});
