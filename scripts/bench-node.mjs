// bench/ in this process, on what Dawn finds here through the package `webgpu`: the page's functions without a page.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));
const outDir = join(root, 'node_modules/.cache/pushforward/bench');

/** `answer` and `ownAdapterClass` of bench/src/answer.ts. @throws Error where the package `webgpu` is not installed. */
export async function benchmarkInNode() {
  let peer;
  try {
    peer = createRequire(join(process.cwd(), 'package.json')).resolve('webgpu');
  } catch {
    throw new Error('--node runs on the package webgpu, which is not installed: npm install --no-save webgpu');
  }
  const { create, globals } = await import(pathToFileURL(peer).href);
  Object.assign(globalThis, globals);
  const { availableParallelism } = await import('node:os');
  const navigator = { gpu: create([]), userAgent: `Node.js ${process.version}`, hardwareConcurrency: availableParallelism() };
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    // The other libraries are measured in a page, and stay where they are.
    build: { ssr: 'bench/src/answer.ts', outDir, emptyOutDir: true, minify: false },
  });
  return import(pathToFileURL(join(outDir, 'answer.js')).href);
}
