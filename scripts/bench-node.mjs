// bench/ in this process, on what Dawn finds here: the page's functions without a page.
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'vite';
import { useDawn } from './dawn.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const outDir = join(root, 'node_modules/.cache/pushforward/bench');

/** `answer` and `ownAdapterClass` of bench/src/answer.ts. @throws Error where the package `webgpu` is not installed. */
export async function benchmarkInNode() {
  await useDawn();
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    // The other libraries are measured in a page, and stay where they are.
    build: { ssr: 'bench/src/answer.ts', outDir, emptyOutDir: true, minify: false },
  });
  return import(pathToFileURL(join(outDir, 'answer.js')).href);
}
