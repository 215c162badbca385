// Runs Vitest's browser mode in a Chrome that puppeteer-core starts. Vitest's own providers bring a driver that downloads a browser or
// cannot be told which flags and libraries the browser needs.
import { defineBrowserProvider } from '@vitest/browser';
import type { Browser, Page } from 'puppeteer-core';
import type { BrowserProvider, TestProject } from 'vitest/node';
import { launchBrowser } from '../../scripts/browser.mjs';

/**
 * SwiftShader clears workgroup memory word by word where Vulkan is told to: of 9 KiB, a kernel takes 2.6 s to compile. With this Dawn's compiler writes the loop
 * that clears it, and the same kernel takes 0.25 s.
 */
const CLEAR_BY_LOOP = '--disable-dawn-features=use_vulkan_zero_initialize_workgroup_memory_extension';

class PuppeteerProvider implements BrowserProvider {
  readonly name = 'puppeteer';
  /** With a browser for each page: a page behind another one is hidden, and slowed down. */
  readonly supportsParallelism = true;
  readonly #browsers: Promise<Browser>[] = [];
  readonly #pages = new Map<string, Page>();
  readonly #project: TestProject;

  constructor(project: TestProject) {
    this.#project = project;
  }

  getCommandsContext(sessionId: string): Record<string, unknown> {
    return { page: this.#pages.get(sessionId) };
  }

  async openPage(sessionId: string, url: string): Promise<void> {
    const launched = this.#launch();
    this.#browsers.push(launched);
    const page = await (await launched).newPage();
    this.#pages.set(sessionId, page);
    await page.goto(url, { waitUntil: 'domcontentloaded', timeout: 120_000 });
  }

  async close(): Promise<void> {
    this.#pages.clear();
    await Promise.all(this.#browsers.splice(0).map(async (launched) => (await launched.catch(() => undefined))?.close()));
  }

  async #launch(): Promise<Browser> {
    try {
      const browser = await launchBrowser({ args: [CLEAR_BY_LOOP] });
      const { vendor, architecture, description } = browser.adapter;
      if (this.#browsers.length <= 1)
        this.#project.vitest.logger.log(`WebGPU adapter: ${[vendor, architecture, description].filter(Boolean).join(', ')}`);
      return browser;
    } catch (error) {
      // The sentence says what to do; the stack of this file would bury it.
      if (error instanceof Error) error.stack = `${error.name}: ${error.message}`;
      throw error;
    }
  }
}

export const puppeteer = defineBrowserProvider({
  name: 'puppeteer',
  supportedBrowser: ['chrome'],
  options: {},
  providerFactory: (project) => new PuppeteerProvider(project),
});
