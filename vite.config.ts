// The library. The demo has its own configuration, demo/vite.config.ts, and the tests vitest.config.ts.
import { defineConfig } from 'vite';
import { groups, shadersFirst } from './scripts/chunks.mjs';
import { rearranged } from './scripts/rearrange.mjs';

export default defineConfig({
  publicDir: false,
  plugins: [shadersFirst, rearranged],
  build: {
    target: 'es2022',
    sourcemap: true,
    lib: { entry: 'src/index.ts', formats: ['es'], fileName: () => 'index.js' },
    // In full: a library build keeps white space otherwise, 12 kB of it gzipped. Pure annotations stay, so that a bundle drops what it does not use.
    rolldownOptions: { output: { chunkFileNames: '[name].js', minify: true, codeSplitting: { groups } } },
  },
});
