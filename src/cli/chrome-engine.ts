// WebGPU in a page of headless Chrome, through the package `puppeteer-core`.

import type { Browser, Page } from 'puppeteer-core';
import { findBrowser, type Mode, modes } from './browsers.js';
import type { Engine, Missing } from './engine.js';
import { browserFlags, type FoundBrowser } from './find-chrome.mjs';
import type { Job, Report, ResultOf } from './jobs.js';
import type { Adapter } from './page.js';
import { type PageServer, startPageServer } from './page-server.js';
import { findPeer, importPeer } from './peers.js';
import { CommandError, sentence } from './usage.js';

type Puppeteer = typeof import('puppeteer-core').default;

/** Opens the page and waits for its answer, or for the end of the browser. */
async function ask(browser: Browser, server: PageServer, job: Job | null, report: Report): Promise<unknown> {
  const page: Page = await browser.newPage();
  try {
    const answer = server.serve(job, report);
    const ended = new Promise<never>((_, reject) => {
      const crashed = () => reject(new CommandError('Chrome ended before its work was done; it may have had too little memory'));
      browser.once('disconnected', crashed);
      page.once('error', crashed);
      page.once('pageerror', (error: unknown) => reject(new CommandError(`the page in Chrome failed: ${sentence(error)}`)));
    });
    ended.catch(() => undefined);
    await Promise.race([page.goto(server.address), ended]);
    const said = await Promise.race([answer, ended]);
    if ('error' in said) throw new CommandError(said.error);
    return said.result;
  } finally {
    await page.close().catch(() => undefined);
  }
}

const launch = (puppeteer: Puppeteer, { executable, headless, env }: FoundBrowser, mode: Mode): Promise<Browser> =>
  puppeteer.launch({
    executablePath: executable,
    headless,
    args: browserFlags(mode),
    env: { ...process.env, ...env },
    // Over a pipe it ends with this process, even where that is killed.
    pipe: true,
    // Ctrl-C is for the command, which then has the browser end its training.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
  });

export async function openChrome(): Promise<Engine | Missing> {
  const address = findPeer('puppeteer-core');
  if (address === null) return { missing: 'the package puppeteer-core is not installed' };
  const found = await findBrowser();
  if (found === null) return { missing: 'puppeteer-core has no Chrome or Chromium to start' };
  const { default: puppeteer } = await importPeer<{ default: Puppeteer }>(address);
  const server = await startPageServer();
  let missing = `Chrome at ${found.executable} has no WebGPU adapter`;
  for (const mode of modes()) {
    let browser: Browser | null = null;
    try {
      browser = await launch(puppeteer, found, mode);
      const adapter = (await ask(browser, server, null, async () => true)) as Adapter | null;
      if (adapter) return engineOf(browser, server, adapter);
    } catch (error) {
      missing = `Chrome at ${found.executable} does not start, ${sentence(error).replace(/\s*TROUBLESHOOTING:.*/, '')}`;
    }
    await browser?.close().catch(() => undefined);
  }
  server.close();
  return { missing };
}

function engineOf(browser: Browser, server: PageServer, adapter: Adapter): Engine {
  return {
    name: `${adapter.name} in headless Chrome`,
    software: adapter.software,
    run: async <J extends Job>(job: J, report: Report) => (await ask(browser, server, job, report)) as ResultOf<J>,
    close: async () => {
      server.close();
      await browser.close().catch(() => undefined);
    },
  };
}
