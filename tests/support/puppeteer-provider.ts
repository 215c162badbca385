// Runs Vitest's browser mode in a Chrome that puppeteer-core starts. Vitest's own providers bring a driver that downloads a browser or
// cannot be told which flags and libraries the browser needs.
import { defineBrowserProvider } from '@vitest/browser';
import type { Browser, Page } from 'puppeteer-core';
import type { BrowserProvider, TestProject } from 'vitest/node';
import { launchBrowser } from '../../scripts/browser.mjs';

class PuppeteerProvider implements BrowserProvider {
  readonly name = 'puppeteer';
  // One adapter, often a software one: test files side by side would only disturb each other's time limits.
  readonly supportsParallelism = false;
  #browser: Promise<Browser> | undefined;
  readonly #pages = new Map<string, Page>();
  readonly #project: TestProject;

  constructor(project: TestProject) {
    this.#project = project;
  }

  getCommandsContext(sessionId: string): Record<string, unknown> {
    return { page: this.#pages.get(sessionId) };
  }

  async openPage(sessionId: string, url: string): Promise<void> {
    const browser = await this.#launch();
    const page = await browser.newPage();
    this.#pages.set(sessionId, page);
    await page.goto(url, { waitUntil: 'domcontentloaded', timeout: 120_000 });
  }

  async close(): Promise<void> {
    const browser = this.#browser;
    this.#browser = undefined;
    this.#pages.clear();
    await (await browser?.catch(() => undefined))?.close();
  }

  #launch(): Promise<Browser> {
    this.#browser ??= launchBrowser().then(
      (browser) => {
        const { vendor, architecture, description } = browser.adapter;
        this.#project.vitest.logger.log(`WebGPU adapter: ${[vendor, architecture, description].filter(Boolean).join(', ')}`);
        return browser;
      },
      (error: Error) => {
        // The sentence says what to do; the stack of this file would bury it.
        error.stack = `${error.name}: ${error.message}`;
        throw error;
      },
    );
    return this.#browser;
  }
}

export const puppeteer = defineBrowserProvider({
  name: 'puppeteer',
  supportedBrowser: ['chrome'],
  options: {},
  providerFactory: (project) => new PuppeteerProvider(project),
});
