// The optional packages that bring WebGPU: beside this package, or where the command is called.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The address of a package's module, or null where it is not installed. */
export function findPeer(name: string): string | null {
  try {
    return import.meta.resolve(name);
  } catch {
    try {
      return pathToFileURL(createRequire(join(process.cwd(), 'package.json')).resolve(name)).href;
    } catch {
      return null;
    }
  }
}

/** The module at an address that `findPeer` gave. */
export const importPeer = async <T>(address: string): Promise<T> => (await import(/* @vite-ignore */ address)) as T;
