// Curves of growth on logarithmic axes, so that a cost of D passes is a steeper line, and bars of the libraries side by side.

import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { short } from './report.js';
import type { Growth, Row } from './results.js';

const WIDTH = 560;
const HEIGHT = 320;
const OURS = '#0b62a4';
const OTHERS = '#8a8f98';

const milliseconds = (value: number | null): string => (value === null ? '' : `${short(value)} ms`);

/** Numbers at the powers of ten; where there are two of them or fewer, at twice and five times those too. */
const tens: uPlot.Axis.Filter = (_, splits) => {
  const digit = (value: number) => Math.round(value / 10 ** Math.floor(Math.log10(value) + 1e-6));
  const digits = splits.filter((value) => digit(value) === 1).length > 2 ? [1] : [1, 2, 5];
  return splits.map((value) => (digits.includes(digit(value)) ? value : null));
};

const yAxis: uPlot.Axis = {
  label: 'ms',
  size: 64,
  filter: tens,
  values: (_, splits) => splits.map((value) => (value === null ? '' : `${+value.toPrecision(3)}`)),
};

export function growthChart(target: HTMLElement, { axis, about, points }: Growth): void {
  const series = (label: string, stroke: string, dash: number[] = []): uPlot.Series => ({
    label,
    stroke,
    dash,
    width: 2,
    points: { show: true, size: 7 },
    value: (_, value) => milliseconds(value),
  });
  const at = points.map((point) => point.at);
  const options: uPlot.Options = {
    width: WIDTH,
    height: HEIGHT,
    title: `${axis} (${about})`,
    scales: { x: { time: false, distr: 3, log: 2 }, y: { distr: 3, log: 10 } },
    axes: [{ label: axis, splits: () => at, filter: (_, splits) => splits, values: (_, splits) => splits.map(String) }, yAxis],
    series: [
      { label: axis },
      series('sample', OURS),
      series('logProb', '#2e8b57'),
      series('D × logProb: one pass a feature', '#b0413e', [6, 4]),
    ],
  };
  const column = (key: 'sample' | 'logProb' | 'passes') => points.map((point) => point[key]);
  new uPlot(options, [at, column('sample'), column('logProb'), column('passes')], target);
}

/** One chart a task, a bar a library, the height the logarithm of its time. */
export function besideCharts(target: HTMLElement, rows: readonly Row[]): void {
  const tasks = new Map<string, { library: string; time: number | null }[]>();
  for (const { section, name, time } of rows) {
    if (section !== 'beside') continue;
    const [task, library] = name.split(': ') as [string, string];
    tasks.set(task, [...(tasks.get(task) ?? []), { library, time: time?.median ?? null }]);
  }
  for (const [task, bars] of tasks) {
    const lowest = 10 ** Math.floor(Math.log10(Math.min(...bars.flatMap(({ time }) => time ?? []))) - 0.3);
    const series = (label: string, fill: string): uPlot.Series => ({
      label,
      fill,
      width: 0,
      paths: uPlot.paths.bars!({ size: [0.6, 80] }),
      fillTo: lowest,
      points: { show: false },
      value: (_, value) => milliseconds(value),
    });
    const options: uPlot.Options = {
      width: WIDTH,
      height: HEIGHT,
      title: `${task}: milliseconds`,
      legend: { show: false },
      scales: {
        x: { time: false, range: [-0.6, bars.length - 0.4] },
        y: { distr: 3, log: 10, range: (_, __, most) => [lowest, 10 ** Math.ceil(Math.log10(most ?? 1))] },
      },
      axes: [
        {
          splits: () => [...bars.keys()],
          values: () =>
            bars.map(
              ({ library, time }) =>
                `${library.replace(', ', '\n').replace('ONNX Runtime Web', 'ORT Web')}\n${milliseconds(time) || 'wrong'}`,
            ),
          grid: { show: false },
          size: 64,
        },
        yAxis,
      ],
      series: [
        { label: 'library', value: (_, index) => bars[index]?.library ?? '' },
        series('this library', OURS),
        series('others', OTHERS),
      ],
    };
    const times = (ours: boolean) => bars.map(({ time }, index) => ((index === 0) === ours ? time : null));
    new uPlot(options, [[...bars.keys()], times(true), times(false)], target);
  }
}
