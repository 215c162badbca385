// The page of demo/ that trains a flow: what it draws is compared with what the library says, and it is used as a person would use it.

import type { Page } from 'puppeteer-core';
import { describe, expect, test } from 'vitest';
import { launchBrowser } from '../../scripts/browser.mjs';
import { ownFlow } from '../../src/flows/flow.js';
import { loadFlow, realNVP } from '../../src/index.js';
import { keepDevice, type Picture, status, text, useDemo } from '../support/demo.js';
import { ReferenceFlow } from '../support/reference-flow.js';
import {
  beginSmall,
  choose,
  csv,
  download,
  drop,
  inkAt,
  isSmall,
  number,
  pictureOf,
  pictureOnce,
  type Small,
  set,
  shareOfInk,
  small,
  smallAt,
  stepOf,
  stepsAt,
  waitForTrained,
} from '../support/train-page.js';
import { without } from '../support/without.js';

const { open, share } = useDemo();

const shared = share({ url: smallAt({ kind: 'realNVP', steps: 400 }), before: keepDevice, ready: (page) => isSmall(page, 'realNVP') });

/** The page that most tests share, with a fresh small flow that has not been trained. */
const withSmall = (wanted: Small, use: (page: Page) => Promise<void>): Promise<void> =>
  shared(async (page) => {
    await beginSmall(page, wanted);
    await use(page);
  });

describe('training', () => {
  test('a flow learns two moons while one watches, pauses, goes on, and starts again', () =>
    withSmall({ kind: 'realNVP', steps: 400 }, async (page) => {
      const before = shareOfInk(await pictureOnce(page, 'sample-points', (picture) => shareOfInk(picture) > 0.02));
      expect(before).toBeGreaterThan(0.02);
      expect(await text(page, 'entropy')).toBe('2.396');
      await page.click('#run');
      await stepsAt(page, 20);
      expect(number(await text(page, 'training-loss'))).toBeGreaterThan(2.38);
      expect(await text(page, 'run')).toBe('Pause');
      expect(number(await text(page, 'pace'))).toBeGreaterThan(0);
      await page.click('#run');
      await status(page, 'Paused at step ');
      const paused = await stepOf(page);
      await new Promise((resolve) => setTimeout(resolve, 700));
      expect(await stepOf(page)).toBe(paused);
      expect(await text(page, 'run')).toBe('Resume');
      await page.click('#run');
      await stepsAt(page, paused + 20);
      await waitForTrained(page);
      const loss = number(/loss ([\d.−]+) nats/.exec(await text(page, 'status'))![1]!);
      // The normal distribution nearest to the moons is at 3.29 nats: an affine flow does not get below.
      expect(loss).toBeLessThan(3.1);
      expect(loss).toBeGreaterThan(2.38);
      expect(await text(page, 'step')).toBe('400 of 400');
      await page.click('#run');
      await status(page, 'Training');
      await page.click('#reset');
      await status(page, 'A fresh flow, 676 parameters');
      expect(await text(page, 'training-loss')).toBe('–');
      expect(await text(page, 'run')).toBe('Start');
    }));

  // On a page of its own: one that was frozen gets no frame again.
  test('goes on and ends while the page is hidden, where no frame comes', () =>
    open({ url: smallAt({ kind: 'realNVP', steps: 400 }) }, async (page) => {
      await isSmall(page, 'realNVP');
      await page.click('#run');
      await stepsAt(page, 20);
      const client = await page.createCDPSession();
      await client.send('Page.setWebLifecycleState', { state: 'frozen' });
      expect(await page.evaluate(() => document.visibilityState)).toBe('hidden');
      await page.evaluate(() => {
        requestAnimationFrame(() => {
          document.title = 'a frame';
        });
      });
      const hidden = await stepOf(page);
      expect(hidden).toBeLessThan(400);
      // Asked from here, since the page's own frames and timers stand still.
      const statusNow = () => text(page, 'status');
      for (const end = performance.now() + 60_000; !(await statusNow()).startsWith('Trained for') && performance.now() < end; )
        await new Promise((resolve) => setTimeout(resolve, 100));
      expect(await statusNow()).toMatch(/^Trained for/);
      expect(await page.title()).not.toBe('a frame');
      expect(await text(page, 'step')).toBe('400 of 400');
      expect(number(/loss ([\d.−]+) nats/.exec(await statusNow())![1]!)).toBeLessThan(3.1);
    }));

  test('the pictures follow the flow while it trains', () =>
    withSmall({ kind: 'realNVP', steps: 100_000 }, async (page) => {
      const shades = async () => {
        const picture = await pictureOf(page, 'density');
        return Array.from({ length: 400 }, (_, i) => inkAt(picture, 20 * (i % 20) + 10, 20 * Math.floor(i / 20) + 10));
      };
      // The compositor may still show the flow before.
      let fresh = await shades();
      for (let same = 0; same < 4; ) {
        await new Promise((resolve) => setTimeout(resolve, 250));
        const again = await shades();
        same = again.every((shade, i) => shade === fresh[i]) ? same + 1 : 0;
        fresh = again;
      }
      await page.click('#run');
      const end = performance.now() + 30_000;
      let moved = 0;
      while (moved < 0.05 && performance.now() < end) {
        const now = await shades();
        moved = now.reduce((sum, shade, i) => sum + Math.abs(shade - fresh[i]!), 0) / 400;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      expect(moved).toBeGreaterThan(0.05);
      expect(await text(page, 'run')).toBe('Pause');
    }));

  test('the density is that of the library', () =>
    withSmall({ kind: 'realNVP', steps: 100 }, async (page) => {
      const side = 110;
      const at = (i: number) => (8.8 * (i + 0.5)) / side - 4.4;
      const points = Float32Array.from({ length: 2 * side * side }, (_, i) =>
        i % 2 === 0 ? at((i / 2) % side) : -at(Math.floor(i / 2 / side)),
      );
      const flow = await realNVP(without(), { dim: 2, layers: 2, hidden: [16, 16], seed: 1 });
      const logProb = [...new ReferenceFlow(ownFlow('test', flow)).logProb(points)];
      const p = logProb.map(Math.exp);
      const level = p.reduce((sum, value) => sum + value * value, 0) / p.reduce((sum, value) => sum + value, 0);
      const expected = p.map((value) => 1 - Math.exp((-1.5 * value) / level));
      const worst = (picture: Picture) =>
        Math.max(
          ...expected.map((shade, i) => {
            const [x, y] = [i % side, Math.floor(i / side)].map((cell) => Math.floor(((cell + 0.5) * picture.width) / side)) as [
              number,
              number,
            ];
            // Where the caption lies.
            return x < 80 && y < 30 ? 0 : Math.abs(inkAt(picture, x, y) - shade);
          }),
        );
      expect(worst(await pictureOnce(page, 'density', (picture) => worst(picture) < 0.06))).toBeLessThan(0.06);
    }));

  test('every flow takes a step on another toy density', () =>
    withSmall({ kind: 'realNVP', steps: 3 }, async (page) => {
      const names = await page.$$eval('#data option', (options) => options.map((option) => option.value));
      expect(names).toHaveLength(7);
      // Every second one, each with another flow; the others are drawn by the same code.
      for (const [i, name] of names.filter((known, at) => known !== 'flights' && at % 2 === 1).entries()) {
        await set(page, 'data', name);
        await small(page, { kind: (['maf', 'realNVP', 'spline'] as const)[i]!, steps: 3 });
        await page.waitForFunction(() => document.getElementById('run')?.textContent === 'Start');
        await page.click('#run');
        await waitForTrained(page);
        expect(await text(page, 'status')).toMatch(/^Trained for 3 steps: validation loss \d+\.\d+ nats, \d+\.\d+ above the entropy/);
        expect(number(await text(page, 'entropy'))).toBeGreaterThan(2);
      }
    }));

  test('flights load when they are chosen, and train', () =>
    withSmall({ kind: 'maf', steps: 3 }, async (page) => {
      await set(page, 'data', 'flights');
      await page.waitForFunction(() => document.getElementById('status')?.textContent?.includes('195\u202f000 rows'));
      expect(await text(page, 'axes')).toMatch(/^Across: delay \/ minutes, −\d+\.?\d* to \d+.* Up: distance \/ miles, /);
      await page.click('#run');
      await waitForTrained(page);
      // The density of minutes and miles: a thousandth of one is usual.
      expect(number(/loss ([\d.−]+) nats/.exec(await text(page, 'status'))![1]!)).toBeGreaterThan(10);
    }));

  test('a dropped file trains in its own units, and what is downloaded opens again', () =>
    withSmall({ kind: 'maf', steps: 60 }, async (page) => {
      await drop(page, 'weights.csv', csv());
      await page.waitForFunction(() => document.getElementById('status')?.textContent?.endsWith('270 rows. 30 more are held out.'));
      expect(await page.$eval('#density', (canvas) => canvas.clientWidth)).toBe(0);
      expect(await page.$$eval('#up option', (options) => options.map((option) => option.textContent))).toEqual([
        'weight',
        'share',
        'change, a day',
      ]);
      await set(page, 'up', '2');
      expect(await text(page, 'axes')).toMatch(/^Across: weight, 9\d\d to 1.\d+\. Up: change, a day, −5.\d+ to −0.\d+\.$/);
      expect(await page.$eval('#entropy-key', (key) => (key as HTMLElement).hidden)).toBe(true);
      expect(shareOfInk(await pictureOnce(page, 'data-points', (picture) => shareOfInk(picture) > 0.005))).toBeGreaterThan(0.005);
      await page.click('#run');
      await waitForTrained(page);
      const validation = number(/loss ([\d.−]+) nats/.exec(await text(page, 'status'))![1]!);
      const { name, bytes } = await download(page);
      expect(name).toBe('weights.safetensors');
      const rows = csv()
        .split('\n')
        .slice(1, -1)
        .map((row) => row.split(',').map(Number));
      const flow = await loadFlow(without(), Uint8Array.from(bytes));
      const logProb = new ReferenceFlow(ownFlow('test', flow)).logProb(Float32Array.from(rows.flat()));
      const mean = logProb.reduce((sum, value) => sum + value, 0) / logProb.length;
      // A normal with the deviations of the columns has 60, 0.01 and 1 of them: about 4.1 − 4.6 + 0 + 3 · 1.42 nats.
      expect(-mean).toBeLessThan(3.9);
      expect(Math.abs(-mean - validation)).toBeLessThan(0.5);
      await set(page, 'data', 'moons');
      await page.waitForFunction(() => document.getElementById('status')?.textContent?.includes('20 000 rows'.replace(' ', '\u202f')));
      await drop(page, 'mine.safetensors', bytes);
      await status(page, 'The flow of mine.safetensors');
      expect(await text(page, 'status')).toContain('It has 3 columns');
      expect(await page.$eval('#run', (button) => (button as HTMLButtonElement).disabled)).toBe(true);
      expect(shareOfInk(await pictureOnce(page, 'sample-points', (picture) => shareOfInk(picture) > 0.005))).toBeGreaterThan(0.005);
      await drop(page, 'weights.csv', csv());
      await page.waitForFunction(() => /^The flow of mine.*270 rows/.test(document.getElementById('status')?.textContent ?? ''));
      await page.click('#run');
      await stepsAt(page, 1);
      // It goes on from what was learned, not from the start.
      expect(number(await text(page, 'training-loss'))).toBeLessThan(4.5);
    }));
});

describe('the page', () => {
  test('refuses what it cannot learn from, in words, and goes on', () =>
    withSmall({ kind: 'maf', steps: 1000 }, async (page) => {
      await page.click('#run');
      await stepsAt(page, 1);
      await drop(page, 'a.csv', 'a,b\n1,2\n3,n/a\n');
      await status(page, 'Row 3, column “b” holds “n/a”');
      await drop(page, 'b.npy', 'nothing');
      await status(page, 'This is no .npy file');
      await drop(page, 'c.safetensors', 'nothing');
      await status(page, 'Safetensors');
      const step = await stepOf(page);
      await stepsAt(page, step + 1);
      await set(page, 'width', '0');
      await status(page, 'Hidden width takes a whole number from 1 to 1,024.');
      expect(await page.$eval('#width', (field) => field.getAttribute('aria-invalid'))).toBe('true');
      await set(page, 'width', '16');
      await status(page, 'A fresh flow');
      await drop(page, 'one.csv', `height\n${Array.from({ length: 40 }, (_, i) => (i * i) % 17).join('\n')}`);
      await page.waitForFunction(() => document.getElementById('status')?.textContent?.includes('40 rows'));
      await choose(page, 'realNVP');
      await status(page, 'RealNVP: dim needs at least 2');
      expect(await page.$eval('#run', (button) => (button as HTMLButtonElement).disabled)).toBe(true);
      await choose(page, 'spline');
      await status(page, 'A fresh flow');
      await set(page, 'steps', '2');
      await page.click('#run');
      await waitForTrained(page);
    }));

  test('begins as its address says, and refuses there what its fields refuse', () =>
    open({ url: 'train.html?kind=maf&layers=0&width=16' }, async (page) => {
      await status(page, 'Layers takes a whole number from 1 to 32.');
      expect(await page.$eval('#layers', (field) => field.getAttribute('aria-invalid'))).toBe('true');
      await set(page, 'layers', '2');
      await isSmall(page, 'maf');
    }));

  test('a start waits for the flow that is being made', () =>
    withSmall({ kind: 'realNVP', steps: 4 }, async (page) => {
      await page.evaluate(() => {
        const width = document.getElementById('width') as HTMLInputElement;
        for (const value of ['8', '12', '5']) {
          width.value = value;
          width.dispatchEvent(new Event('change', { bubbles: true }));
        }
        for (let i = 0; i < 2; i++) document.getElementById('run')!.click();
      });
      await waitForTrained(page);
      const { bytes } = await download(page);
      expect(Buffer.from(bytes).toString('latin1')).toContain('"shape":[5,1]');
    }));

  test('fits a small screen, and is dark where dark is asked for', () =>
    withSmall({ kind: 'realNVP', steps: 10 }, async (page) => {
      // The longest texts come with the end.
      await page.click('#run');
      await waitForTrained(page);
      for (const [scheme, width, low, high] of [
        ['light', 360, 200, 255],
        ['dark', 320, 0, 60],
      ] as const) {
        await page.setViewport({ width, height: 1200 });
        await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
        // Pictures take their new width with the next frame.
        await page.waitForFunction((most) => document.documentElement.scrollWidth <= most, { timeout: 10_000 }, width);
        await page.evaluate(() => scrollTo(0, 0));
        const brightness = (picture: Picture) => picture.rgb(2, picture.height - 3)[0];
        const fits = (picture: Picture) => brightness(picture) >= low && brightness(picture) <= high;
        expect(fits(await pictureOnce(page, 'data-points', fits))).toBe(true);
      }
    }));

  test('appears where the browser cannot show a WebGPU canvas', async () => {
    const plain = await launchBrowser();
    try {
      await open({ url: smallAt({ kind: 'realNVP', steps: 5 }), on: plain }, async (page) => {
        await isSmall(page, 'realNVP');
        expect(shareOfInk(await pictureOnce(page, 'sample-points', (picture) => shareOfInk(picture) > 0.02))).toBeGreaterThan(0.02);
        await page.click('#run');
        await waitForTrained(page);
      });
    } finally {
      await plain.close();
    }
  });

  test('says so where there is no WebGPU', () =>
    open({ url: 'train.html', before: `Object.defineProperty(navigator, 'gpu', { value: undefined });` }, async (page) => {
      await status(page, 'No WebGPU here');
      expect(await text(page, 'notice')).toContain('Chrome or Edge 113');
    }));

  test('starts again after the device was lost in the middle of training', () =>
    withSmall({ kind: 'realNVP', steps: 5000 }, async (page) => {
      await page.click('#run');
      await stepsAt(page, 3);
      await page.evaluate('window.device.destroy()');
      await status(page, 'The GPU went away');
      await page.click('#notice button');
      await status(page, 'A fresh flow, 676 parameters');
      await set(page, 'steps', '5');
      await page.click('#run');
      await waitForTrained(page);
    }));
});
