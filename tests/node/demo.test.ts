// The page of demo/, in a browser: what it draws is compared with what the library says, pixel by pixel, and it is used as a person
// would use it, by pointer and by keyboard.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'puppeteer-core';
import { build } from 'vite';
import { describe, expect, test } from 'vitest';
import { launchBrowser } from '../../scripts/browser.mjs';
import { ownFlow } from '../../src/flows/flow.js';
import { importTorch } from '../../src/index.js';
import { decodePng, demoConfig, forget, isSoftware, keepDevice, status, text, useDemo } from '../support/demo.js';
import { ReferenceFlow } from '../support/reference-flow.js';
import { without } from '../support/without.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const pixels = JSON.parse(readFileSync(join(root, 'demo/models/digits/pixels.json'), 'utf8')) as { mean: number[]; scale: number[] };

const { open: withPage, share } = useDemo();

const shared = share({
  before: `window.shift = 0;
    new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.shift += entry.value; })
      .observe({ type: 'layout-shift', buffered: true });
    ${keepDevice}`,
  ready: async (page) => {
    await status(page, '64 images from seed 7');
    await page.evaluate('window.shiftOfLoading = window.shift');
  },
});

/** The page that most tests share, as it begins: 64 images from seed 7, at rest, unsorted, the first one chosen. */
const withSheet = (use: (page: Page) => Promise<void>): Promise<void> =>
  shared(async (page) => {
    await page.evaluate(() => {
      const field = (id: string) => document.getElementById(id) as HTMLInputElement;
      if (field('run').textContent === 'Pause') field('run').click();
      field('pace').value = 'calm';
      for (const id of ['sort', 'smooth']) if (field(id).checked) field(id).click();
      document.querySelector<HTMLInputElement>('input[name=count][value="64"]')!.click();
      field('seed').value = '7';
    });
    await page.focus('#captions');
    await page.keyboard.press('Home');
    await forget(page);
    await page.click('#sample');
    await status(page, '64 images from seed 7');
    await use(page);
  });

const logDensities = (page: Page): Promise<number[]> =>
  page.$$eval('#captions [role=option]', (cells) => cells.map((cell) => Number(cell.textContent?.replace('−', '-') || Number.NaN)));

/** Grey levels of all squares of all images, from 0 (paper) to 1 (ink), as they are on the screen now. */
async function levels(page: Page): Promise<number[]> {
  // The window is tall enough for the sheet: to reach further, the browser would change the size of the page and have it drawn anew.
  const { clip, cells, colours } = await page.$eval('#stage', (stage) => {
    const { x, y, width, height } = stage.getBoundingClientRect();
    const style = getComputedStyle(document.documentElement);
    return {
      clip: { x, y, width, height },
      cells: [...document.querySelectorAll('#captions [role=option]')].map((cell) => {
        const own = cell.getBoundingClientRect();
        return { x: own.x - x, y: own.y - y, size: own.width };
      }),
      colours: ['--tile', '--ink'].map((name) => Number.parseInt(style.getPropertyValue(name).slice(1, 3), 16)),
    };
  });
  const picture = decodePng(await page.screenshot({ clip, captureBeyondViewport: false }));
  const [paper, ink] = colours;
  return cells.flatMap((cell) =>
    Array.from({ length: 64 }, (_, pixel) => {
      const x = Math.round(cell.x + ((pixel % 8) + 0.5) * (cell.size / 8));
      const y = Math.round(cell.y + (Math.floor(pixel / 8) + 0.5) * (cell.size / 8));
      return (picture.rgb(x, y)[0] - paper!) / (ink! - paper!);
    }),
  );
}

/** The levels, once the compositor shows what is asked for; on a busy machine it lags behind the page. The last ones, if it never does. */
async function levelsOnce(page: Page, accept: (levels: number[]) => boolean): Promise<number[]> {
  const end = performance.now() + 10_000;
  for (;;) {
    const got = await levels(page);
    if (accept(got) || performance.now() > end) return got;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const isPicture = (got: number[]): boolean => new Set(got.map((level) => level.toFixed(2))).size > 8;

let said: Promise<{ x: number[]; logProb: number[] }> | undefined;

/** 64 samples of seed 7 with their log-densities, in float64. */
function exactSamples(): Promise<{ x: number[]; logProb: number[] }> {
  said ??= (async () => {
    const file = (name: string) => readFileSync(join(root, 'demo/models/digits', name));
    const flow = await importTorch(without(), JSON.parse(file('case.json').toString()), new Uint8Array(file('weights.safetensors')));
    const { x, logProb } = new ReferenceFlow(ownFlow('test', flow)).sampleWithLogProb(64, 7);
    return { x: [...x], logProb: [...logProb] };
  })();
  return said;
}

const greyLevel = (value: number, pixel: number): number => {
  const unit = (1 / (1 + Math.exp(-(value * pixels.scale[pixel]! + pixels.mean[pixel]!))) - 0.05) / 0.9;
  return Math.min(16, Math.max(0, Math.floor(17 * unit))) / 16;
};

/** Squares of two pictures that do not have the same of the 17 levels. */
const differing = (a: number[], b: number[]): number =>
  a.length === b.length ? a.filter((level, i) => Math.abs(level - b[i]!) > 0.02).length : Number.POSITIVE_INFINITY;

/** Of 4096 squares, those that may fall to the other side of the edge between two levels, in the shader's exp or in that of the test. */
const FEW = 4;

describe('the sheet', () => {
  test('shows the samples of the flow with their log-densities', () =>
    withSheet(async (page) => {
      const expected = await exactSamples();
      const shown = await logDensities(page);
      expect(shown).toHaveLength(64);
      for (const [index, value] of shown.entries()) expect(Math.abs(value - expected.logProb[index]!)).toBeLessThan(0.06);
      const wanted = expected.x.map((value, i) => greyLevel(value, i % 64));
      expect(differing(await levelsOnce(page, (got) => differing(got, wanted) <= FEW), wanted)).toBeLessThanOrEqual(FEW);
      const mean = expected.logProb.reduce((sum, value) => sum + value, 0) / 64;
      expect(Number((await text(page, 'mean')).replace('−', '-'))).toBeCloseTo(mean, 0);
    }));

  test('is the same for the same seed and another for another seed', () =>
    withSheet(async (page) => {
      const expected = await exactSamples();
      const wanted = expected.x.map((value, i) => greyLevel(value, i % 64));
      const first = await levelsOnce(page, (got) => differing(got, wanted) <= FEW);
      const seed = (await page.$('#seed'))!;
      const draw = async (value: string) => {
        await seed.click({ count: 3 });
        await seed.type(value);
        await page.click('#sample');
        await status(page, `64 images from seed ${value} `);
      };
      await draw('8');
      const other = await levelsOnce(page, (got) => differing(got, first) > 1000);
      expect(differing(other, first)).toBeGreaterThan(1000);
      expect(isPicture(other)).toBe(true);
      await draw('7');
      const again = await levelsOnce(page, (got) => differing(got, first) === 0);
      expect(again).toEqual(first);
    }));

  test('sorts, and changes its number of images', () =>
    withSheet(async (page) => {
      await page.click('#sort');
      await page.waitForFunction(() => document.querySelector('#detail-rank')?.textContent?.startsWith('1st of 64'));
      const sorted = await logDensities(page);
      expect(sorted).toEqual([...sorted].sort((a, b) => b - a));
      const expected = await exactSamples();
      const byDensity = expected.logProb.map((_, i) => i).sort((a, b) => expected.logProb[b]! - expected.logProb[a]!);
      const wanted = byDensity.flatMap((i) => expected.x.slice(i * 64, i * 64 + 64).map(greyLevel));
      expect(differing(await levelsOnce(page, (got) => differing(got, wanted) <= FEW), wanted)).toBeLessThanOrEqual(FEW);
      for (const count of [16, 256]) {
        await page.click(`input[name=count][value="${count}"]`);
        await status(page, `${count} images from seed 7`);
        const values = await logDensities(page);
        expect(values).toHaveLength(count);
        expect(values.every(Number.isFinite)).toBe(true);
      }
    }));

  test('runs, pauses, and keeps calm where reduced motion is asked for', () =>
    withSheet(async (page) => {
      await page.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value: 'reduce' }]);
      await page.select('#pace', 'frames');
      await page.click('#run');
      await page.waitForFunction(() => Number((document.getElementById('seed') as HTMLInputElement).value) >= 9, { timeout: 60_000 });
      const seed = await page.$eval('#seed', (input) => Number((input as HTMLInputElement).value));
      await new Promise((resolve) => setTimeout(resolve, 1000));
      const later = await page.$eval('#seed', (input) => Number((input as HTMLInputElement).value));
      expect(later - seed).toBeLessThanOrEqual(1);
      await page.click('#run');
      await status(page, 'Paused at seed ');
      expect(await text(page, 'run')).toBe('Run');
    }));

  test('times a large batch', () =>
    withSheet(async (page) => {
      await page.click('#large');
      await page.waitForFunction(() => /a second/.test(document.getElementById('large-result')?.textContent ?? ''), { timeout: 30_000 });
      expect(await text(page, 'adapter-note')).toContain(isSoftware ? 'software adapter' : 'this GPU');
      expect(Number((await text(page, 'rate')).replace(/\s/g, ''))).toBeGreaterThan(0);
    }));

  test('appears where the browser cannot show a WebGPU canvas', async () => {
    const plain = await launchBrowser();
    try {
      await withPage({ on: plain }, async (page) => {
        await status(page, '64 images from seed 7');
        expect(isPicture(await levelsOnce(page, isPicture))).toBe(true);
      });
    } finally {
      await plain.close();
    }
  });
});

describe('the page', () => {
  test('is used by keyboard alone, with a visible focus', () =>
    withSheet(async (page) => {
      const focused = () =>
        page.evaluate(() => {
          const active = document.activeElement as HTMLInputElement;
          const outlined = [active, active.nextElementSibling, active.querySelector('[aria-selected=true]')].some(
            (element) => element && Number.parseFloat(getComputedStyle(element).outlineWidth) >= 2,
          );
          return { name: active.id || active.value, outlined };
        });
      const tab = async () => {
        await page.keyboard.press('Tab');
        return focused();
      };
      await page.focus('#to-digits');
      await tab();
      await page.keyboard.down('Shift');
      expect(await tab()).toEqual({ name: 'to-digits', outlined: true });
      await page.keyboard.up('Shift');
      for (const name of ['to-training', 'captions']) expect(await tab()).toEqual({ name, outlined: true });
      await page.keyboard.press('ArrowRight');
      expect(await text(page, 'detail-number')).toBe('Image 2');
      await page.keyboard.press('End');
      expect(await text(page, 'detail-number')).toBe('Image 64');
      expect(await page.$eval('#captions', (list) => list.getAttribute('aria-activedescendant'))).toBe('image-63');
      expect(await tab()).toEqual({ name: '64', outlined: true });
      await page.keyboard.press('ArrowRight');
      await status(page, '144 images from seed 7');
      expect(await tab()).toEqual({ name: 'seed', outlined: true });
      await page.keyboard.type('5');
      await page.keyboard.press('Enter');
      await status(page, '144 images from seed 5');
      const rest = [];
      for (let i = 0; i < 7; i++) rest.push(await tab());
      expect(rest).toEqual(['new-seed', 'sample', 'pace', 'run', 'sort', 'smooth', 'large'].map((name) => ({ name, outlined: true })));
    }));

  test('refuses what is no seed, in words', () =>
    withSheet(async (page) => {
      await page.$eval('#seed', (input) => {
        (input as HTMLInputElement).value = '';
      });
      await page.click('#sort');
      await status(page, 'A seed is a whole number');
    }));

  test('has no sideways scroll on a small screen', () =>
    withSheet(async (page) => {
      for (const [width, count] of [
        [360, 64],
        [360, 256],
        [320, 256],
        [320, 16],
      ] as const) {
        await page.setViewport({ width, height: 1200 });
        await page.click(`input[name=count][value="${count}"]`);
        await page.waitForFunction((wanted) => document.querySelectorAll('#captions [role=option]').length === wanted, {}, count);
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
      }
    }));

  test('is dark where dark is asked for', async () => {
    const brightness: number[] = [];
    for (const scheme of ['light', 'dark'])
      await withSheet(async (page) => {
        await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
        const picture = decodePng(Buffer.from(await page.screenshot()));
        brightness.push(picture.rgb(4, 4)[0]);
        expect(isPicture(await levelsOnce(page, isPicture))).toBe(true);
      });
    expect(brightness[0]).toBeGreaterThan(200);
    expect(brightness[1]).toBeLessThan(60);
  });

  test('stands still while it loads', () =>
    withSheet(async (page) => {
      expect(await page.evaluate('window.shiftOfLoading')).toBeLessThan(0.01);
    }));

  test('builds into a folder that works below any address', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'pushforward-demo-'));
    let files: Server | undefined;
    try {
      await build({ configFile: demoConfig, logLevel: 'error', build: { outDir: folder, emptyOutDir: true } });
      const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };
      files = createHttpServer((request, response) => {
        const path = request.url!.replace(/^\/some\/where\//, '').replace(/^$/, 'index.html');
        try {
          const body = readFileSync(join(folder, path));
          response.writeHead(200, { 'content-type': types[extname(path)] ?? 'application/octet-stream' }).end(body);
        } catch {
          response.writeHead(404).end();
        }
      });
      await new Promise<void>((resolve) => files!.listen(0, '127.0.0.1', resolve));
      const url = `http://127.0.0.1:${(files.address() as AddressInfo).port}/some/where/`;
      await withPage({ url }, async (page) => {
        await status(page, '64 images from seed 7');
        expect(isPicture(await levelsOnce(page, isPicture))).toBe(true);
        // Minified, the colours of the style sheet have three digits; the paper of the first image is white still.
        const { x, y } = await page.$eval('#captions [role=option]', (cell) => cell.getBoundingClientRect().toJSON());
        const picture = decodePng(await page.screenshot({ captureBeyondViewport: false }));
        expect(picture.rgb(Math.round(x) + 4, Math.round(y) + 4)).toEqual([255, 255, 255]);
        await page.click('#to-training');
        await status(page, 'A fresh flow');
        await page.click('#to-digits');
        await page.waitForFunction(() => document.querySelectorAll('#captions [role=option]').length === 64);
        expect(page.url()).toBe(url);
      });
    } finally {
      files?.closeAllConnections();
      files?.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('what can go wrong is said in words', () => {
  const readable = async (page: Page) => expect(await text(page, 'model-class')).toBe('MaskedAutoregressiveFlow');

  test('no WebGPU', () =>
    withPage({ before: `Object.defineProperty(navigator, 'gpu', { value: undefined });` }, async (page) => {
      await status(page, 'No WebGPU here');
      expect(await text(page, 'notice')).toContain('Chrome or Edge 113');
      await readable(page);
    }));

  test('no adapter', () =>
    withPage({ before: 'navigator.gpu.requestAdapter = async () => null;' }, async (page) => {
      await status(page, 'No WebGPU here');
      expect(await text(page, 'notice')).toContain('no adapter');
      await readable(page);
    }));

  test('no model', () =>
    withPage({ missing: 'weights.safetensors' }, async (page) => {
      await status(page, 'The model is missing');
      expect(await text(page, 'notice')).toMatch(/weights could not be loaded: the server answered 404.*demo\/models\/digits/);
      await readable(page);
    }));

  test('a lost device, and a new start', () =>
    withSheet(async (page) => {
      await page.evaluate('window.device.destroy()');
      await status(page, 'The GPU went away');
      await page.click('#notice button');
      await status(page, '64 images from seed 7');
      expect(await page.$eval('#notice', (notice) => (notice as HTMLElement).hidden)).toBe(true);
      expect(isPicture(await levelsOnce(page, isPicture))).toBe(true);
    }));
});
