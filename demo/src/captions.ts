// The log-densities over the canvas: a listbox with one option for each image, so that keyboard and screen reader reach every image
// that the pointer reaches. It takes one stop of the Tab key; arrow keys move within.

import type { Layout } from './layout.js';
import { integer, nats } from './text.js';

export class Captions {
  readonly #list: HTMLElement;
  readonly #onSelect: (index: number) => void;
  #cells: HTMLElement[] = [];
  #columns = 1;
  #narrow = false;
  #selected = 0;

  constructor(list: HTMLElement, onSelect: (index: number) => void) {
    this.#list = list;
    this.#onSelect = onSelect;
    const cellOf = (event: Event): number => this.#cells.indexOf((event.target as Element).closest<HTMLElement>('[role=option]')!);
    for (const type of ['pointerover', 'pointerdown'])
      list.addEventListener(type, (event) => {
        const cell = cellOf(event);
        if (cell >= 0) this.select(cell);
      });
    list.addEventListener('keydown', (event) => {
      const to = this.#target(event.key);
      if (to === null) return;
      event.preventDefault();
      this.select(Math.max(0, Math.min(this.#cells.length - 1, to)));
      this.#cells[this.#selected]?.scrollIntoView({ block: 'nearest' });
    });
  }

  #target(key: string): number | null {
    const at = this.#selected;
    const steps: Record<string, number> = {
      ArrowRight: at + 1,
      ArrowLeft: at - 1,
      ArrowDown: at + this.#columns < this.#cells.length ? at + this.#columns : at,
      ArrowUp: at >= this.#columns ? at - this.#columns : at,
      Home: 0,
      End: this.#cells.length - 1,
    };
    return steps[key] ?? null;
  }

  get selected(): number {
    return this.#selected;
  }

  place(count: number, { columns, image, pitch, scale, captioned }: Layout): void {
    this.#columns = columns;
    this.#narrow = pitch[0] / scale < 46;
    const { style } = this.#list;
    style.gridTemplateColumns = `repeat(${columns}, ${image / scale}px)`;
    style.gridAutoRows = `${image / scale}px`;
    style.rowGap = `${(pitch[1] - image) / scale}px`;
    this.#list.classList.toggle('captioned', captioned);
    if (this.#cells.length === count) return;
    this.#cells = Array.from({ length: count }, (_, index) => {
      const cell = document.createElement('div');
      cell.role = 'option';
      cell.id = `image-${index}`;
      cell.append(document.createElement('span'));
      return cell;
    });
    this.#list.replaceChildren(...this.#cells);
    this.select(Math.min(this.#selected, count - 1));
  }

  show(logProb: Float32Array): void {
    for (const [index, cell] of this.#cells.entries()) {
      const value = nats(logProb[index]!);
      // Six characters would touch the neighbours of a narrow image.
      cell.firstElementChild!.textContent = this.#narrow && value.length > 5 ? integer(logProb[index]!) : value;
      cell.ariaLabel = `Image ${index + 1}, log-density ${value} nats`;
    }
  }

  select(index: number): void {
    this.#cells[this.#selected]?.setAttribute('aria-selected', 'false');
    this.#selected = index;
    this.#cells[index]?.setAttribute('aria-selected', 'true');
    this.#list.setAttribute('aria-activedescendant', `image-${index}`);
    this.#onSelect(index);
  }
}
