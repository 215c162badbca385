// The pages of demo/, served and opened in a browser as a person would.

import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { inflateSync } from 'node:zlib';
import type { Browser, Page } from 'puppeteer-core';
import { createServer, type ViteDevServer } from 'vite';
import { afterAll, beforeAll, expect } from 'vitest';
import { browserFlags, launchBrowser } from '../../scripts/browser.mjs';

export const demoConfig = fileURLToPath(new URL('../../demo/vite.config.ts', import.meta.url));

// SwiftShader computes for WebGPU on Vulkan; to show a WebGPU canvas the compositor has to run on it as well.
export const isSoftware = browserFlags().includes('--use-webgpu-adapter=swiftshader');
const compositing = isSoftware ? ['--enable-features=Vulkan', '--use-vulkan=swiftshader', '--use-angle=swiftshader'] : [];

export interface PageOptions {
  /** The page below the server's address, or a whole address. Default the first page. */
  readonly url?: string;
  /** JavaScript that runs before the page's own. */
  readonly before?: string;
  /** Part of an address that the server pretends not to have. */
  readonly missing?: string;
  readonly on?: Browser;
}

/** A page that tests share: what they leave behind is theirs to mend. */
export interface SharedOptions extends Pick<PageOptions, 'url' | 'before'> {
  /** Waits for the page after it was opened. */
  readonly ready: (page: Page) => Promise<unknown>;
}

const USUAL_SIZE = { width: 1200, height: 1200 };

type Use = (page: Page) => Promise<void>;

/** Runs before the page's own script: keeps the device, so that a test can take it away. */
export const keepDevice = `const request = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (...args) { return (window.device = await request.apply(this, args)); };`;

/** Serves demo/ and starts a browser for the tests of a file. Any error of a page fails the test that uses it. */
export function useDemo(): {
  /** Opens a page, hands it on and closes it. */
  readonly open: (options: PageOptions, use: Use) => Promise<void>;
  /**
   * Hands on one page again and again, since most of what a fresh one costs on a processor is kernels that compile. After a test that failed it is opened
   * anew. It comes with the usual size and media.
   */
  readonly share: (options: SharedOptions) => (use: Use) => Promise<void>;
} {
  let server: ViteDevServer;
  let browser: Browser;
  let address: string;

  beforeAll(async () => {
    server = await createServer({ configFile: demoConfig, logLevel: 'error', server: { port: 0, hmr: false } });
    await server.listen();
    address = `http://127.0.0.1:${(server.httpServer!.address() as AddressInfo).port}/`;
    browser = await launchBrowser({ args: compositing });
  });

  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  const begin = async (options: PageOptions): Promise<{ page: Page; errors: string[] }> => {
    const page = await (options.on ?? browser).newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error' && !options.missing) errors.push(message.text());
    });
    await page.setViewport(USUAL_SIZE);
    if (options.before) await page.evaluateOnNewDocument(options.before);
    if (options.missing) {
      await page.setRequestInterception(true);
      page.on('request', (request) =>
        request.url().includes(options.missing!) ? request.respond({ status: 404, body: 'not here' }) : request.continue(),
      );
    }
    await page.goto(new URL(options.url ?? '', address).href);
    return { page, errors };
  };

  return {
    open: async (options, use) => {
      const { page, errors } = await begin(options);
      try {
        await use(page);
        expect(errors).toEqual([]);
      } finally {
        await page.close();
      }
    },
    share: ({ ready, ...options }) => {
      let held: { page: Page; errors: string[] } | null = null;
      return async (use) => {
        const { page, errors } = held ?? (await begin(options));
        const opened = !held;
        held = null;
        try {
          if (opened) await ready(page);
          else {
            await page.bringToFront();
            await page.setViewport(USUAL_SIZE);
            await page.emulateMediaFeatures([]);
          }
          await use(page);
          expect(errors).toEqual([]);
          held = { page, errors };
        } finally {
          if (!held) await page.close();
        }
      };
    },
  };
}

export const text = (page: Page, id: string): Promise<string> => page.$eval(`#${id}`, (element) => element.textContent ?? '');

/** Waits until the page's status begins so. In a browser that has compiled nothing yet that took 16 s on a slow day, and twice that beside other tests. */
export const status = (page: Page, start: string, timeout = 60_000): Promise<unknown> =>
  page.waitForFunction((wanted) => document.getElementById('status')?.textContent?.startsWith(wanted), { timeout }, start);

/** Empties the page's status, so that what it says next is news. */
export const forget = (page: Page): Promise<void> =>
  page.evaluate(() => {
    document.getElementById('status')!.textContent = '';
  });

export interface Picture {
  readonly width: number;
  readonly height: number;
  rgb(x: number, y: number): readonly [number, number, number];
}

/** What a PNG of eight bits a channel shows. */
export function decodePng(file: Uint8Array): Picture {
  const bytes = Buffer.from(file);
  const data: Buffer[] = [];
  for (let at = 8; at < bytes.length; at += 12 + bytes.readUInt32BE(at))
    if (bytes.toString('latin1', at + 4, at + 8) === 'IDAT') data.push(bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at)));
  const width = bytes.readUInt32BE(16);
  const height = bytes.readUInt32BE(20);
  const channels = bytes[25] === 6 ? 4 : 3;
  const raw = inflateSync(Buffer.concat(data));
  const stride = width * channels;
  const out = new Uint8Array(height * stride);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)]!;
    for (let i = 0; i < stride; i++) {
      const left = i < channels ? 0 : out[y * stride + i - channels]!;
      const up = y === 0 ? 0 : out[(y - 1) * stride + i]!;
      const corner = y === 0 || i < channels ? 0 : out[(y - 1) * stride + i - channels]!;
      const guess = left + up - corner;
      const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
      const paeth = a <= b && a <= c ? left : b <= c ? up : corner;
      out[y * stride + i] = raw[y * (stride + 1) + 1 + i]! + [0, left, up, (left + up) >> 1, paeth][filter]!;
    }
  }
  const rgb = (x: number, y: number) => {
    const at = y * stride + x * channels;
    return [out[at]!, out[at + 1]!, out[at + 2]!] as const;
  };
  return { width, height, rgb };
}
