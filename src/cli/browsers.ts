// The Chrome or Chromium of this machine, and how it is started so that it has WebGPU.

import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { CommandError } from './usage.js';

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

const present = (folder: string | undefined): folder is string => folder !== undefined && folder !== '';

function candidates(): string[] {
  const { env } = process;
  if (process.platform === 'darwin') {
    const folders = ['/Applications', join(env.HOME ?? '', 'Applications')];
    const names = ['Google Chrome', 'Chromium', 'Google Chrome Canary', 'Microsoft Edge'];
    return folders.flatMap((folder) => names.map((name) => join(folder, `${name}.app`, 'Contents/MacOS', name)));
  }
  if (process.platform === 'win32') {
    const folders = [env.PROGRAMFILES, env['PROGRAMFILES(X86)'], env.LOCALAPPDATA].filter(present);
    const names = [
      'Google\\Chrome\\Application\\chrome.exe',
      'Chromium\\Application\\chrome.exe',
      'Microsoft\\Edge\\Application\\msedge.exe',
    ];
    return folders.flatMap((folder) => names.map((name) => join(folder, name)));
  }
  const names = ['google-chrome', 'google-chrome-stable', 'chromium', 'chromium-browser', 'microsoft-edge', 'chrome'];
  const folders = ['/usr/bin', '/usr/local/bin', '/snap/bin', '/opt/google/chrome', ...(env.PATH ?? '').split(delimiter).filter(present)];
  return folders.flatMap((folder) => names.map((name) => join(folder, name)));
}

/** The executable of PUSHFORWARD_BROWSER, or an installed one, or null. @throws CommandError where the variable names none. */
export function findBrowser(): string | null {
  const wanted = process.env.PUSHFORWARD_BROWSER;
  if (!wanted) return candidates().find(isExecutable) ?? null;
  if (!isExecutable(wanted)) throw new CommandError(`PUSHFORWARD_BROWSER names ${wanted}, which is not an executable file`);
  return wanted;
}

type Mode = 'hardware' | 'software';

/** What to try, in order: a GPU, then SwiftShader on the processor. @throws CommandError */
export function modes(): readonly Mode[] {
  const wanted = process.env.PUSHFORWARD_GPU;
  if (!wanted) return ['hardware', 'software'];
  if (wanted !== 'hardware' && wanted !== 'software')
    throw new CommandError(`PUSHFORWARD_GPU takes hardware or software; got ${JSON.stringify(wanted)}`);
  return [wanted];
}

export function flagsOf(mode: Mode): string[] {
  const flags = ['--enable-unsafe-webgpu', '--no-first-run'];
  // Chromium refuses to start its sandbox as root, which is what containers run as. The page holds this package's code and nothing else.
  if (process.platform === 'linux') flags.push('--no-sandbox');
  if (mode === 'software') flags.push('--use-webgpu-adapter=swiftshader', '--enable-unsafe-swiftshader');
  // Headless Chromium on Linux picks no Vulkan device by itself.
  else if (process.platform === 'linux') flags.push('--enable-features=Vulkan', '--use-angle=vulkan', '--ignore-gpu-blocklist');
  return flags;
}
