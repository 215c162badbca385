// Finds and starts a browser with WebGPU for the tests and the benchmarks: an environment variable first, then an installed
// Chrome or Chromium, then the Chromium that the npm package @sparticuz/chromium carries, so that `npm ci` alone is enough on a
// Linux machine with neither a browser nor a GPU.
//
//   PUSHFORWARD_BROWSER   path of a Chrome/Chromium executable, or `bundled` for @sparticuz/chromium
//   PUSHFORWARD_GPU       `hardware` for the machine's GPU, `software` for SwiftShader (the default; on macOS the default is hardware)
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import puppeteer from 'puppeteer-core';
import * as chrome from '../src/cli/find-chrome.mjs';

const howToGetOne =
  'Set PUSHFORWARD_BROWSER to a Chrome or Chromium executable of version 113 or later, or run `npm ci` again on x86-64 Linux, where the ' +
  'package @sparticuz/chromium brings one.';

/** @returns {Promise<import('../src/cli/find-chrome.mjs').FoundBrowser | null>} */
async function bundledBrowser() {
  let entry;
  try {
    entry = fileURLToPath(import.meta.resolve('@sparticuz/chromium'));
  } catch {
    return null;
  }
  if (!existsSync(entry)) return null;
  return chrome.bundledBrowser(entry).catch((cause) => {
    throw new Error(`${cause.message}. ${howToGetOne}`, { cause });
  });
}

/**
 * The browser to start.
 * @returns {Promise<import('../src/cli/find-chrome.mjs').FoundBrowser>}
 */
export async function resolveBrowser() {
  const wanted = process.env.PUSHFORWARD_BROWSER;
  if (wanted && wanted !== 'bundled') {
    if (!chrome.isExecutable(wanted))
      throw new Error(`PUSHFORWARD_BROWSER names ${wanted}, which is not an executable file. ${howToGetOne}`);
    return chrome.namedBrowser(wanted);
  }
  const installed = wanted ? null : chrome.installedBrowser();
  if (installed) return installed;
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
export const browserFlags = () => chrome.browserFlags(gpuMode());

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
