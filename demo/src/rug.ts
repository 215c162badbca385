// All log-densities of a sheet on one axis, with their mean and that of real digits.

import { nats } from './text.js';

const SVG = 'http://www.w3.org/2000/svg';
// Fixed, so that sheets can be compared by eye, and wide enough for nearly every image; the others stop at its ends.
const LOWEST = -130;
const HIGHEST = -40;
const AXIS = 44;
const HEIGHT = 76;

export class Rug {
  readonly #svg: SVGSVGElement;
  readonly #reference: number;
  #width = 0;
  #values: Float32Array = new Float32Array();
  #selected = 0;
  readonly #axis = document.createElementNS(SVG, 'g');
  readonly #ticks = document.createElementNS(SVG, 'path');
  readonly #mean = document.createElementNS(SVG, 'path');
  readonly #current = document.createElementNS(SVG, 'path');

  constructor(svg: SVGSVGElement, reference: number) {
    this.#svg = svg;
    this.#reference = reference;
    this.#ticks.setAttribute('class', 'ticks');
    this.#mean.setAttribute('class', 'mean');
    this.#current.setAttribute('class', 'current');
    svg.append(this.#axis, this.#ticks, this.#mean, this.#current);
  }

  resize(width: number): void {
    if (width === this.#width) return;
    this.#width = width;
    this.#svg.setAttribute('viewBox', `0 0 ${width} ${HEIGHT}`);
    this.#axis.replaceChildren();
    const line = document.createElementNS(SVG, 'path');
    line.setAttribute('class', 'line');
    const step = width < 480 ? 20 : 10;
    let marks = `M0 ${AXIS + 0.5}H${width}`;
    for (let value = Math.ceil(LOWEST / step) * step; value <= HIGHEST; value += step) {
      marks += `M${this.#at(value)} ${AXIS}v5`;
      // The outermost labels would stick out of the drawing.
      const anchor = value === LOWEST ? 'start' : value === HIGHEST ? 'end' : 'middle';
      this.#label(nats(value).replace('.0', ''), this.#at(value), AXIS + 20, anchor);
    }
    line.setAttribute('d', marks);
    const reference = document.createElementNS(SVG, 'path');
    reference.setAttribute('class', 'reference');
    reference.setAttribute('d', `M${this.#at(this.#reference)} 16V${AXIS}`);
    this.#axis.append(line, reference);
    this.#label(`real digits ${nats(this.#reference)}`, this.#at(this.#reference), 10, 'middle');
    this.show(this.#values);
  }

  show(values: Float32Array): void {
    this.#values = values;
    let path = '';
    let sum = 0;
    for (const value of values) {
      path += `M${this.#at(value)} 24V${AXIS}`;
      sum += value;
    }
    this.#ticks.setAttribute('d', path);
    const x = this.#at(sum / values.length);
    this.#mean.setAttribute('d', values.length > 0 ? `M${x} ${AXIS + 1}l-5 8h10z` : '');
    this.select(this.#selected);
  }

  select(index: number): void {
    this.#selected = index;
    const value = this.#values[index];
    this.#current.setAttribute('d', value === undefined ? '' : `M${this.#at(value)} 18V${AXIS}`);
  }

  #label(text: string, x: number, y: number, anchor: string): void {
    const label = document.createElementNS(SVG, 'text');
    label.textContent = text;
    label.setAttribute('x', String(x));
    label.setAttribute('y', String(y));
    label.setAttribute('text-anchor', anchor);
    this.#axis.append(label);
  }

  /** Half pixels keep thin lines sharp. */
  #at(value: number): number {
    const share = (Math.min(HIGHEST, Math.max(LOWEST, value)) - LOWEST) / (HIGHEST - LOWEST);
    return Math.round((Number.isNaN(share) ? 0 : share) * (this.#width - 1)) + 0.5;
  }
}
