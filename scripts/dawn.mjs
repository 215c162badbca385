// WebGPU in this Node process: Dawn, through the package `webgpu`.
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Gives this process the globals of WebGPU and a navigator. @throws Error where the package is not installed beside where the command is called. */
export async function useDawn() {
  let peer;
  try {
    peer = createRequire(join(process.cwd(), 'package.json')).resolve('webgpu');
  } catch {
    throw new Error('Node runs WebGPU by the package webgpu, which is not installed: npm install --no-save webgpu');
  }
  const { create, globals } = await import(pathToFileURL(peer).href);
  Object.assign(globalThis, globals);
  const navigator = { gpu: create([]), userAgent: `Node.js ${process.version}`, hardwareConcurrency: availableParallelism() };
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
}
