// Which Chrome or Chromium there is, and how it is started so that it has WebGPU. JavaScript, since the project's scripts run it as it is.

import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * @typedef {object} FoundBrowser
 * @property {string} executable
 * @property {'environment' | 'installed' | 'bundled'} source
 * @property {boolean | 'shell'} headless  `'shell'` for builds that are a headless shell and nothing else
 * @property {Record<string, string>} env  what the process needs beyond the present environment
 */

/** @param {string} path */
export function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** @returns {string[]} */
function candidates() {
  const env = process.env;
  if (process.platform === 'darwin') {
    const apps = ['/Applications', join(env.HOME ?? '', 'Applications')];
    const names = ['Google Chrome', 'Chromium', 'Google Chrome Canary', 'Microsoft Edge'];
    return apps.flatMap((folder) => names.map((name) => join(folder, `${name}.app`, 'Contents/MacOS', name)));
  }
  if (process.platform === 'win32') {
    const folders = [env.PROGRAMFILES, env['PROGRAMFILES(X86)'], env.LOCALAPPDATA].filter((folder) => !!folder);
    const names = [
      'Google\\Chrome\\Application\\chrome.exe',
      'Chromium\\Application\\chrome.exe',
      'Microsoft\\Edge\\Application\\msedge.exe',
    ];
    return names.flatMap((name) => folders.map((folder) => join(folder, name)));
  }
  const names = ['google-chrome', 'google-chrome-stable', 'chromium', 'chromium-browser', 'microsoft-edge', 'chrome'];
  const folders = ['/usr/bin', '/usr/local/bin', '/snap/bin', '/opt/google/chrome', ...(env.PATH ?? '').split(delimiter)];
  return [...new Set(folders.filter(Boolean))].flatMap((folder) => names.map((name) => join(folder, name)));
}

/** An installed browser. @returns {FoundBrowser | null} */
export function installedBrowser() {
  const executable = candidates().find(isExecutable);
  return executable ? { executable, source: 'installed', headless: true, env: {} } : null;
}

/** The one that somebody named. @param {string} executable @returns {FoundBrowser} */
export const namedBrowser = (executable) => ({
  executable,
  source: 'environment',
  headless: /headless[-_]shell/.test(executable) ? 'shell' : true,
  env: {},
});

/** @param {string} entry @returns {{ root: string, version: string }} */
function packageOf(entry) {
  for (let root = dirname(entry); ; root = dirname(root)) {
    const file = join(root, 'package.json');
    const { name, version } = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
    if (name === '@sparticuz/chromium') return { root, version };
    if (dirname(root) === root) throw new Error(`${entry} is no part of @sparticuz/chromium`);
  }
}

/**
 * The browser that @sparticuz/chromium brings for x86-64 Linux, unpacked under node_modules/.cache. The package itself unpacks into the
 * system's temporary folder and trusts whatever lies there, so another user's file or half of an interrupted run would be started as a browser.
 * @param {string} entry the package's main module, an absolute path
 * @returns {Promise<FoundBrowser | null>} null on other machines
 */
export async function bundledBrowser(entry) {
  if (process.platform !== 'linux' || process.arch !== 'x64') return null;
  const { root, version } = packageOf(entry);
  // Of the node_modules that the package lies in.
  const cache = join(root, '../../.cache/pushforward');
  const folder = join(cache, `chromium-${version}`);
  if (!existsSync(folder)) {
    mkdirSync(cache, { recursive: true });
    const partial = mkdtempSync(join(cache, 'unpacking-'));
    const { default: chromium } = await import(/* @vite-ignore */ pathToFileURL(entry).href);
    // TMPDIR is where the package unpacks. The other variable is its documented switch for unpacking NSS, NSPR and expat too, which
    // the browser links to and a bare machine lacks.
    const set = { TMPDIR: partial, AWS_LAMBDA_JS_RUNTIME: 'nodejs20.x' };
    const before = Object.fromEntries(Object.keys(set).map((key) => [key, process.env[key]]));
    Object.assign(process.env, set);
    try {
      await chromium.executablePath();
    } catch (cause) {
      rmSync(partial, { recursive: true, force: true });
      throw new Error(`@sparticuz/chromium could not be unpacked into ${cache}: ${cause instanceof Error ? cause.message : cause}`, {
        cause,
      });
    } finally {
      for (const [key, value] of Object.entries(before)) {
        if (value === undefined) delete process.env[key];
        else process.env[key] = value;
      }
    }
    try {
      renameSync(partial, folder);
    } catch (cause) {
      // Another process was quicker; its copy is the same.
      rmSync(partial, { recursive: true, force: true });
      if (!existsSync(folder)) throw cause;
    }
  }
  // The package's own list of font folders is that of the machines it was made for. Without a font, a page with text ends the browser.
  const fonts = join(folder, 'fonts');
  writeFileSync(
    join(fonts, 'fonts.conf'),
    `<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n<fontconfig><dir>${fonts}</dir><cachedir>${join(folder, 'fonts-cache')}</cachedir></fontconfig>\n`,
  );
  const libraries = [join(folder, 'al2023/lib'), process.env.LD_LIBRARY_PATH].filter(Boolean).join(':');
  return {
    executable: join(folder, 'chromium'),
    source: 'bundled',
    headless: 'shell',
    // In the C locale this build calls its language `en-US@posix`, which Intl refuses.
    env: { LD_LIBRARY_PATH: libraries, FONTCONFIG_PATH: fonts, LC_ALL: 'en_US.UTF-8' },
  };
}

/** @param {'hardware' | 'software'} mode software is SwiftShader, on the processor @returns {string[]} */
export function browserFlags(mode) {
  const flags = ['--enable-unsafe-webgpu', '--no-first-run'];
  // Chromium refuses to start its sandbox as root, which is what containers run as; many also forbid the namespaces it needs.
  if (process.platform === 'linux') flags.push('--no-sandbox');
  if (mode === 'software') flags.push('--use-webgpu-adapter=swiftshader', '--enable-unsafe-swiftshader');
  // Headless Chromium on Linux picks no Vulkan device by itself.
  else if (process.platform === 'linux') flags.push('--enable-features=Vulkan', '--use-angle=vulkan', '--ignore-gpu-blocklist');
  return flags;
}
