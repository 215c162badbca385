// What both pages have: elements by name, colours of the style sheet, the notice over the pictures, the adapter.

import { Gpu } from '../../src/index.js';

export function element<T extends Element = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no element #${id}.`);
  return found as Element as T;
}

/** Red, green and blue of a colour of the style sheet, which has six hex digits, from 0 to 1. */
export function colourOf(name: string): number[] {
  const hex = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255);
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
