// A page of the repository in a headless browser, driven by a script: served, opened, and closed whatever happens.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';
import { launchBrowser } from './browser.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/**
 * Runs `body(page)` once the page has defined `global`. An error is printed as its sentence, and the exit status is 1.
 *
 * @param config of the server, from the root. @param path of the page.
 */
export async function onPage({ config = 'bench/vite.config.ts', path = '', global }, body) {
  // A run takes minutes; a file saved meanwhile would reload the page and end it.
  const server = await createServer({ configFile: join(root, config), logLevel: 'error', server: { hmr: false, watch: null } });
  await server.listen();
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(0);
    await page.goto(`${server.resolvedUrls.local[0]}${path}`);
    await page.waitForFunction((name) => window[name] !== undefined, {}, global);
    await body(page);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  } finally {
    await browser.close();
    await server.close();
  }
}

/** The names that an option asks for, by default all. @throws Error for one that is none. */
export function choose(wanted, names, option) {
  const odd = wanted?.find((name) => !names.includes(name));
  if (odd) throw new Error(`--${option} takes ${names.join(', ')}; got ${odd}`);
  return wanted ?? names;
}
