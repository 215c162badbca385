// What both pages have: elements by name, colours of the style sheet, the notice over the pictures, the adapter.

import { Gpu } from '../../src/index.js';

export function element<T extends Element = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no element #${id}.`);
  return found as Element as T;
}

/** Red, green and blue of a colour of the style sheet, from 0 to 1. It has six hex digits there, and may have three where it was minified. */
export function colourOf(name: string): number[] {
  const hex = getComputedStyle(document.documentElement).getPropertyValue(name).trim().slice(1);
  const digits = hex.length === 3 ? 1 : 2;
  return [0, 1, 2].map((channel) => {
    const own = hex.slice(channel * digits, (channel + 1) * digits);
    return Number.parseInt(digits === 1 ? own + own : own, 16) / 255;
  });
}

/** An error's message as the page says it. */
export const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;

/** @param again for a button that starts the page again. */
export function showNotice(notice: HTMLElement, heading: string, text: string, again: (() => void) | null): void {
  const title = document.createElement('h2');
  title.textContent = heading;
  const paragraph = document.createElement('p');
  paragraph.textContent = text;
  notice.replaceChildren(title, paragraph);
  if (again) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = 'Start again';
    button.addEventListener('click', again);
    notice.append(button);
  }
  notice.hidden = false;
}

export function adapterName(info: Partial<GPUAdapterInfo> | undefined): string {
  const named = [info?.description || info?.device, [info?.vendor, info?.architecture].filter(Boolean).join(' ')].filter(Boolean);
  return named.join(', ') || 'an adapter without a name';
}

/** A browser whose GPU process has just ended offers no adapter until the next one runs. */
export async function requestGpu(attempts: number): Promise<Gpu> {
  for (let left = attempts - 1; ; left--) {
    try {
      return await Gpu.request();
    } catch (error) {
      if (left <= 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }
}
