// Finds and starts a browser with WebGPU for the tests and the benchmarks: an environment variable first, then an installed
// Chrome or Chromium, then the Chromium that the npm package @sparticuz/chromium carries, so that `npm ci` alone is enough on a
// Linux machine with neither a browser nor a GPU.
//
//   PUSHFORWARD_BROWSER   path of a Chrome/Chromium executable, or `bundled` for @sparticuz/chromium
//   PUSHFORWARD_GPU       `hardware` for the machine's GPU, `software` for SwiftShader (the default; on macOS the default is hardware)
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
import { fileURLToPath } from 'node:url';
import puppeteer from 'puppeteer-core';

/**
 * @typedef {object} ResolvedBrowser
 * @property {string} executable
 * @property {'environment' | 'installed' | 'bundled'} source
 * @property {boolean | 'shell'} headless  `'shell'` for builds that are a headless shell and nothing else
 * @property {Record<string, string>} env  what the process needs beyond the present environment
 */

const howToGetOne =
  'Set PUSHFORWARD_BROWSER to a Chrome or Chromium executable of version 113 or later, or run `npm ci` again on x86-64 Linux, where the ' +
  'package @sparticuz/chromium brings one.';

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function installedCandidates() {
  const env = process.env;
  if (process.platform === 'darwin') {
    const apps = ['/Applications', join(env.HOME ?? '', 'Applications')];
    const names = ['Google Chrome', 'Chromium', 'Google Chrome Canary', 'Microsoft Edge'];
    return apps.flatMap((folder) => names.map((name) => join(folder, `${name}.app`, 'Contents/MacOS', name)));
  }
  if (process.platform === 'win32') {
    const folders = [env.PROGRAMFILES, env['PROGRAMFILES(X86)'], env.LOCALAPPDATA].filter(Boolean);
    const names = [
      'Google\\Chrome\\Application\\chrome.exe',
      'Chromium\\Application\\chrome.exe',
      'Microsoft\\Edge\\Application\\msedge.exe',
    ];
    return names.flatMap((name) => folders.map((folder) => join(folder, name)));
  }
  const names = ['google-chrome', 'google-chrome-stable', 'chromium', 'chromium-browser', 'chrome'];
  const folders = ['/usr/bin', '/usr/local/bin', '/snap/bin', '/opt/google/chrome', ...(env.PATH ?? '').split(delimiter)];
  return [...new Set(folders.filter(Boolean))].flatMap((folder) => names.map((name) => join(folder, name)));
}

/**
 * The browser of @sparticuz/chromium, unpacked under node_modules/.cache. The package itself unpacks into the system's temporary folder
 * and trusts whatever lies there, so another user's file or half of an interrupted run would be started as a browser.
 * @returns {Promise<ResolvedBrowser | undefined>}
 */
async function bundledBrowser() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  let entry;
  try {
    entry = fileURLToPath(import.meta.resolve('@sparticuz/chromium'));
  } catch {
    return undefined;
  }
  if (!existsSync(entry)) return undefined;
  const { version } = JSON.parse(readFileSync(join(dirname(entry), '../../package.json'), 'utf8'));
  const cache = join(dirname(fileURLToPath(import.meta.url)), '../node_modules/.cache/pushforward');
  const folder = join(cache, `chromium-${version}`);
  if (!existsSync(folder)) {
    mkdirSync(cache, { recursive: true });
    const partial = mkdtempSync(join(cache, 'unpacking-'));
    const { default: chromium } = await import('@sparticuz/chromium');
    // TMPDIR is where the package unpacks. The other variable is its documented switch for unpacking NSS, NSPR and expat too, which
    // the browser links to and a bare machine lacks.
    const set = { TMPDIR: partial, AWS_LAMBDA_JS_RUNTIME: 'nodejs20.x' };
    const before = Object.fromEntries(Object.keys(set).map((key) => [key, process.env[key]]));
    Object.assign(process.env, set);
    try {
      await chromium.executablePath();
    } catch (cause) {
      rmSync(partial, { recursive: true, force: true });
      throw new Error(`@sparticuz/chromium could not be unpacked into ${cache}: ${cause.message}. ${howToGetOne}`, { cause });
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

/**
 * The browser to start.
 * @returns {Promise<ResolvedBrowser>}
 */
export async function resolveBrowser() {
  const wanted = process.env.PUSHFORWARD_BROWSER;
  if (wanted && wanted !== 'bundled') {
    if (!isExecutable(wanted)) throw new Error(`PUSHFORWARD_BROWSER names ${wanted}, which is not an executable file. ${howToGetOne}`);
    return { executable: wanted, source: 'environment', headless: /headless[-_]shell/.test(wanted) ? 'shell' : true, env: {} };
  }
  if (!wanted) {
    const installed = installedCandidates().find(isExecutable);
    if (installed) return { executable: installed, source: 'installed', headless: true, env: {} };
  }
  const bundled = await bundledBrowser();
  if (bundled) return bundled;
  if (wanted)
    throw new Error(
      `PUSHFORWARD_BROWSER is "bundled", but @sparticuz/chromium is not installed or has no build for this machine. ${howToGetOne}`,
    );
  throw new Error(`No Chrome or Chromium was found on this machine. ${howToGetOne}`);
}

/** @returns {'hardware' | 'software'} */
function gpuMode() {
  const wanted = process.env.PUSHFORWARD_GPU;
  if (wanted === 'hardware' || wanted === 'software') return wanted;
  if (wanted) throw new Error(`PUSHFORWARD_GPU is "${wanted}"; it takes "hardware" or "software".`);
  return process.platform === 'darwin' ? 'hardware' : 'software';
}

/** @returns {string[]} */
export function browserFlags() {
  const flags = ['--enable-unsafe-webgpu', '--no-first-run'];
  // Chromium refuses to start its sandbox as root, which is what containers run as; many also forbid the namespaces it needs.
  if (process.platform === 'linux') flags.push('--no-sandbox');
  if (gpuMode() === 'software') flags.push('--use-webgpu-adapter=swiftshader', '--enable-unsafe-swiftshader');
  // Headless Chromium on Linux picks no Vulkan device by itself.
  else if (process.platform === 'linux') flags.push('--enable-features=Vulkan', '--use-angle=vulkan', '--ignore-gpu-blocklist');
  return flags;
}

/** What `requestAdapter` gives in this browser, or undefined. `navigator.gpu` exists only on a secure origin, hence the faked page. */
async function probeAdapter(browser) {
  const page = await browser.newPage();
  try {
    await page.setRequestInterception(true);
    page.on('request', (request) => request.respond({ contentType: 'text/html', body: '<!doctype html>' }));
    await page.goto('http://127.0.0.1/');
    return await page.evaluate(async () => {
      const adapter = await navigator.gpu?.requestAdapter();
      if (!adapter) return undefined;
      const { vendor, architecture, device, description } = adapter.info;
      return { vendor, architecture, device, description };
    });
  } finally {
    await page.close();
  }
}

/**
 * Starts the browser and makes sure that it has a WebGPU adapter.
 * @param {{ args?: string[] }} [options] `args`: flags beside those above
 * @returns {Promise<import('puppeteer-core').Browser & { adapter: { vendor: string, architecture: string, device: string, description: string } }>}
 */
export async function launchBrowser({ args = [] } = {}) {
  const { executable, source, headless, env } = await resolveBrowser();
  const flags = [...browserFlags(), ...args];
  const which = {
    environment: 'the browser of PUSHFORWARD_BROWSER',
    installed: 'the installed browser',
    bundled: 'the browser of @sparticuz/chromium',
  }[source];
  let browser;
  try {
    browser = await puppeteer.launch({
      executablePath: executable,
      headless,
      // A copy: puppeteer takes entries out of the array.
      args: [...flags],
      env: { ...process.env, ...env },
      // Benchmarks evaluate for minutes in one call.
      protocolTimeout: 3_600_000,
    });
  } catch (cause) {
    const said = String(cause?.message ?? cause)
      .replace(/\s*TROUBLESHOOTING:.*/s, '')
      .replace(/\s+/g, ' ');
    throw new Error(
      `Could not start ${which}, ${executable} ${flags.join(' ')}: set PUSHFORWARD_BROWSER to another Chrome or Chromium executable of version 113 or ` +
        `later${source === 'bundled' ? '' : ', or to "bundled" for the one of @sparticuz/chromium'} (it said: ${said}).`,
    );
  }
  let adapter;
  let reason = '';
  try {
    adapter = await probeAdapter(browser);
  } catch (cause) {
    reason = ` (${cause instanceof Error ? cause.message : cause})`;
  }
  if (!adapter) {
    const version = await browser.version().catch(() => 'unknown version');
    await browser.close();
    throw new Error(
      `No WebGPU adapter${reason} in ${which}, ${executable} (${version}), started with ${flags.join(' ')}: ` +
        'set PUSHFORWARD_BROWSER to a Chrome or Chromium executable of version 113 or later or to "bundled" (x86-64 Linux; run `npm ci` so that ' +
        `@sparticuz/chromium is there)${gpuMode() === 'hardware' ? ', or PUSHFORWARD_GPU to "software"' : ', or PUSHFORWARD_GPU to "hardware" if this machine has a GPU'}.`,
    );
  }
  return Object.assign(browser, { adapter });
}
