// The Chrome or Chromium of this machine, by its environment and the packages beside this one.

import { fileURLToPath } from 'node:url';
import { bundledBrowser, type FoundBrowser, installedBrowser, isExecutable, namedBrowser } from './find-chrome.mjs';
import { findPeer } from './peers.js';
import { CommandError } from './usage.js';

export const BUNDLED = '@sparticuz/chromium';

/**
 * The executable of PUSHFORWARD_BROWSER, or else an installed one, or else that of the package @sparticuz/chromium, which `bundled` asks for.
 *
 * @throws CommandError where the variable names none.
 */
export async function findBrowser(): Promise<FoundBrowser | null> {
  const wanted = process.env.PUSHFORWARD_BROWSER;
  if (wanted && wanted !== 'bundled') {
    if (!isExecutable(wanted)) throw new CommandError(`PUSHFORWARD_BROWSER names ${wanted}, which is not an executable file`);
    return namedBrowser(wanted);
  }
  const installed = wanted ? null : installedBrowser();
  const entry = installed ? null : findPeer(BUNDLED);
  return installed ?? (entry ? bundledBrowser(fileURLToPath(entry)) : null);
}

export type Mode = 'hardware' | 'software';

/** What to try, in order: a GPU, then SwiftShader on the processor. @throws CommandError */
export function modes(): readonly Mode[] {
  const wanted = process.env.PUSHFORWARD_GPU;
  if (!wanted) return ['hardware', 'software'];
  if (wanted !== 'hardware' && wanted !== 'software')
    throw new CommandError(`PUSHFORWARD_GPU takes hardware or software; got ${JSON.stringify(wanted)}`);
  return [wanted];
}
