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
  const server = await createServer({
    configFile: join(root, config),
    logLevel: 'error',
    // A run takes minutes; a file saved meanwhile would reload the page and end it.
    server: { port: 0, strictPort: false, hmr: false, watch: null },
  });
  let browser;
  try {
    await server.listen();
    browser = await launchBrowser();
    const page = await browser.newPage();
    page.setDefaultTimeout(0);
    const broken = new Promise((_, reject) => {
      page.on('pageerror', (error) => reject(new Error(`the page failed: ${error.message}`)));
      browser.on('disconnected', () => reject(new Error('the browser ended')));
    });
    broken.catch(() => {});
    const began = Date.now();
    // Libraries beside this one report errors of their devices there.
    page.on('console', (message) => message.type() === 'error' && console.error(`the page said: ${message.text()}`));
    await page.exposeFunction('reportProgress', (text) =>
      console.error(`[${((Date.now() - began) / 1000).toFixed(0).padStart(4)} s] ${text}`),
    );
    await page.goto(`${server.resolvedUrls.local[0]}${path}`);
    await Promise.race([broken, page.waitForFunction((name) => window[name] !== undefined, {}, global)]);
    await Promise.race([broken, body(page)]);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  } finally {
    await browser?.close();
    await server.close();
  }
}

/** The names that an option asks for, by default all. @throws Error for one that is none. */
export function choose(wanted, names, option) {
  const odd = wanted?.find((name) => !names.includes(name));
  if (odd) throw new Error(`--${option} takes ${names.join(', ')}; got ${odd}`);
  return wanted ?? names;
}
