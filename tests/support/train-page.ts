// The page of demo/ that trains a flow, as a person uses it.

import type { Page } from 'puppeteer-core';
import { decodePng, forget, type Picture, status, text } from './demo.js';

/** As a person types into a field, but at once. */
export const set = (page: Page, id: string, value: string): Promise<void> =>
  page.$eval(
    `#${id}`,
    (field, wanted) => {
      (field as HTMLInputElement).value = wanted;
      field.dispatchEvent(new Event('change', { bubbles: true }));
    },
    value,
  );

export const choose = (page: Page, kind: string): Promise<void> => page.click(`input[name=kind][value="${kind}"]`);

const PARAMETERS = { realNVP: '676', maf: '776', spline: '2\u202f206' };

/** A small flow, so that a test takes seconds on a processor. */
export interface Small {
  readonly kind: keyof typeof PARAMETERS;
  readonly steps: number;
}

/** The address at which the page begins with it, and compiles no other before. */
export const smallAt = ({ kind, steps }: Small): string => `train.html?kind=${kind}&layers=2&width=16&steps=${steps}`;

export const isSmall = (page: Page, kind: Small['kind']): Promise<unknown> => status(page, `A fresh flow, ${PARAMETERS[kind]} parameters`);

/** The same by the page's fields. */
export async function small(page: Page, { kind, steps }: Small): Promise<void> {
  await status(page, 'A fresh flow');
  await set(page, 'layers', '2');
  await set(page, 'width', '16');
  await choose(page, kind);
  await set(page, 'steps', String(steps));
  await isSmall(page, kind);
}

/** The same from whatever a test before left: other data, a run that goes on, a flow from a file. */
export async function beginSmall(page: Page, { kind, steps }: Small): Promise<void> {
  await page.evaluate(
    (wanted, count) => {
      const field = (id: string) => document.getElementById(id) as HTMLInputElement;
      document.querySelector<HTMLInputElement>(`input[name=kind][value="${wanted}"]`)!.checked = true;
      field('layers').value = '2';
      field('width').value = '16';
      field('steps').value = count;
      field('data').value = 'moons';
      field('data').dispatchEvent(new Event('change', { bubbles: true }));
    },
    kind,
    String(steps),
  );
  await forget(page);
  await page.click('#reset');
  await isSmall(page, kind);
}

export const drop = (page: Page, name: string, bytes: Uint8Array | string): Promise<void> =>
  page.evaluate(
    (called, base64) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))], called));
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
    },
    name,
    Buffer.from(bytes).toString('base64'),
  );

/** What the page hands to the browser to store, and its name. */
export async function download(page: Page): Promise<{ name: string; bytes: Uint8Array }> {
  const { name, base64 } = await page.evaluate(
    () =>
      new Promise<{ name: string; base64: string }>((resolve) => {
        const { click } = HTMLAnchorElement.prototype;
        HTMLAnchorElement.prototype.click = async function () {
          HTMLAnchorElement.prototype.click = click;
          const bytes = new Uint8Array(await (await fetch(this.href)).arrayBuffer());
          resolve({ name: this.download, base64: btoa(bytes.reduce((all, byte) => all + String.fromCharCode(byte), '')) });
        };
        document.getElementById('download')!.click();
      }),
  );
  return { name, bytes: Buffer.from(base64, 'base64') };
}

export const number = (words: string): number => Number(words.replace('−', '-').replace(/\s/g, ''));
export const stepOf = async (page: Page): Promise<number> => number((await text(page, 'step')).split(' of ')[0]!);
export const stepsAt = (page: Page, least: number): Promise<unknown> =>
  page.waitForFunction(
    (n) => Number(document.getElementById('step')?.textContent?.split(' of ')[0]?.replace(/\s/g, '')) >= n,
    { timeout: 60_000 },
    least,
  );

export async function pictureOf(page: Page, id: string): Promise<Picture> {
  const clip = await page.$eval(`#${id}`, (canvas) => canvas.getBoundingClientRect().toJSON());
  return decodePng(await page.screenshot({ clip, captureBeyondViewport: false }));
}

/** Share of ink at a place: 0 paper, 1 ink, by the green channel of the colours by day. */
export const inkAt = (picture: Picture, x: number, y: number): number => (255 - picture.rgb(x, y)[1]) / (255 - 0x2f);

export function shareOfInk(picture: Picture): number {
  let inked = 0;
  for (let y = 0; y < picture.height; y++) for (let x = 0; x < picture.width; x++) if (inkAt(picture, x, y) > 0.25) inked++;
  return inked / (picture.width * picture.height);
}

/** The picture once the compositor shows what is asked for; the last one, if it never does. */
export async function pictureOnce(page: Page, id: string, accept: (picture: Picture) => boolean): Promise<Picture> {
  const end = performance.now() + 10_000;
  for (;;) {
    const picture = await pictureOf(page, id);
    if (accept(picture) || performance.now() > end) return picture;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export const waitForTrained = (page: Page) => status(page, 'Trained for', 90_000);

/** 300 rows of three columns in the middle of which there is little, in units far from 1. */
export function csv(): string {
  const rows = Array.from({ length: 300 }, (_, i) => {
    const side = i < 150 ? -1 : 1;
    const wave = (k: number) => Math.sin(i * k) + Math.sin(i * k * 1.7 + 1);
    return [1000 + side * 60 + 10 * wave(2.1), 0.05 + side * 0.01 + 0.002 * wave(3.3), -3 + wave(5.7)].map((value) => value.toFixed(5));
  });
  return `weight,share,"change, a day"\n${rows.map((row) => row.join(',')).join('\n')}\n`;
}
