// The command line, beside the library in dist/, whose index.js it imports.
import { defineConfig } from 'vite';

export default defineConfig({
  publicDir: false,
  build: {
    target: 'node20',
    ssr: true,
    outDir: 'dist',
    emptyOutDir: false,
    minify: true,
    rolldownOptions: {
      // cli-page.js runs in a browser.
      input: { cli: 'src/cli/main.ts', 'cli-page': 'src/cli/page.ts' },
      external: ['pushforward'],
      output: {
        paths: { pushforward: './index.js' },
        entryFileNames: '[name].js',
        chunkFileNames: 'cli-[name].js',
      },
    },
  },
});
