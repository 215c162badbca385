// The growth chart: both axes logarithmic, so that a cost of D passes would be a steeper line.

import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { short } from './report.js';
import type { Growth } from './results.js';

export function growthChart(target: HTMLElement, { points }: Growth): void {
  const series = (label: string, stroke: string, dash: number[] = []): uPlot.Series => ({
    label,
    stroke,
    dash,
    width: 2,
    points: { show: true, size: 7 },
    value: (_, value) => (value === null ? '' : `${short(value)} ms`),
  });
  const options: uPlot.Options = {
    width: Math.min(900, target.clientWidth || 900),
    height: 360,
    title: 'One layer: milliseconds against features',
    scales: { x: { time: false, distr: 3, log: 2 }, y: { distr: 3, log: 10 } },
    axes: [{ label: 'features D' }, { label: 'ms', size: 70 }],
    series: [
      { label: 'D' },
      series('sample', '#0b62a4'),
      series('logProb', '#2e8b57'),
      series('D × logProb: one pass a feature', '#b0413e', [6, 4]),
    ],
  };
  const column = (key: 'dim' | 'sample' | 'logProb' | 'passes') => points.map((point) => point[key]);
  new uPlot(options, [column('dim'), column('sample'), column('logProb'), column('passes')], target);
}
