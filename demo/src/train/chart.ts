// The loss curve, with the entropy as its floor.

import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { integer } from '../text.js';
import type { Curve } from './curve.js';

const HEIGHT = 240;
/** Share of the training points, the highest ones, that may lie above the chart: the first steps start far up. */
const ABOVE = 0.04;
/** How much higher the others may make it, as a share of its height; a validation loss that explodes would flatten all else. */
const HIGHER = 0.6;

/** Steps between two ticks: whole ones. */
const WHOLE = [1, 10, 100, 1000, 1e4, 1e5, 1e6].flatMap((ten) => [ten, 2 * ten, 5 * ten]);

const css = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const known = (values: ArrayLike<unknown>): number[] =>
  (Array.from(values) as (number | null)[])
    .filter((value): value is number => value !== null && Number.isFinite(value))
    .sort((a, b) => a - b);

function rangeOf([, training, validation, floor]: uPlot.AlignedData): [number, number] {
  const [losses, others] = [known(training!), known([...Array.from(validation!), ...Array.from(floor!)])];
  if (losses.length === 0) return others.length === 0 ? [0, 4] : [others[0]! - 0.2, others[0]! + 2];
  const low = Math.min(losses[0]!, ...others.slice(0, 1));
  const high = Math.max(losses[Math.ceil((1 - ABOVE) * (losses.length - 1))]!, low + 0.05);
  const margin = 0.08 * (high - low);
  return [low - margin, Math.min(Math.max(high, ...others.slice(-1)), high + HIGHER * (high - low)) + margin];
}

export class Chart {
  readonly #target: HTMLElement;
  readonly #curve: Curve;
  #floor: number | null = null;
  #plot: uPlot | null = null;
  readonly #observer = new ResizeObserver(() => this.#plot?.setSize({ width: this.#target.clientWidth, height: HEIGHT }));

  constructor(target: HTMLElement, curve: Curve) {
    this.#target = target;
    this.#curve = curve;
    this.#observer.observe(target);
  }

  destroy(): void {
    this.#observer.disconnect();
    this.#plot?.destroy();
  }

  set floor(nats: number | null) {
    this.#floor = nats;
    this.show();
  }

  show(): void {
    const columns = this.#curve.columns(this.#floor);
    if (this.#plot) this.#plot.setData(columns);
    else this.#plot = this.#create(columns);
  }

  /** Colours are the style sheet's, which has two sets. */
  restyle(): void {
    this.#plot?.destroy();
    this.#plot = null;
    this.show();
  }

  #create(columns: uPlot.AlignedData): uPlot {
    const font = `12px ${css('--sans')}`;
    const axis = (label: string): uPlot.Axis => ({
      label,
      labelFont: font,
      font,
      stroke: css('--quiet'),
      labelSize: 20,
      grid: { stroke: css('--line'), width: 1 },
      ticks: { stroke: css('--line'), width: 1, size: 5 },
    });
    return new uPlot(
      {
        width: this.#target.clientWidth || 300,
        height: HEIGHT,
        legend: { show: false },
        cursor: { show: false },
        padding: [10, 18, 0, 0],
        scales: {
          x: { time: false, range: (_, __, max) => [0, Math.max(max ?? 0, 1)] },
          y: { range: (plot) => rangeOf(plot.data) },
        },
        axes: [
          { ...axis('steps'), size: 34, incrs: WHOLE, values: (_, ticks) => ticks.map(integer) },
          { ...axis('nats'), size: 48 },
        ],
        series: [
          {},
          { stroke: `${css('--quiet')}99`, width: 1, points: { show: false }, spanGaps: true },
          { stroke: css('--ink'), width: 2.5, points: { show: true, size: 5, fill: css('--ink') }, spanGaps: true },
          { stroke: css('--mark'), width: 1.5, dash: [6, 5], points: { show: false } },
        ],
      },
      columns,
      this.#target,
    );
  }
}
