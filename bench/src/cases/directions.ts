// The two directions of every kind of autoregressive layer, side by side: the sequential one should cost about one network pass, whatever
// the transformer and the net.

import { readSafetensors, writeSafetensors } from '../../../src/format/safetensors.js';
import { type Flow, type Gpu, iaf, loadFlow, mademog, maf, neuralSpline } from '../../../src/index.js';
import { interleave, type Variant } from '../measure.js';
import { type ErrorFigure, perSecond, type Row, refused, row, within } from '../results.js';
import type { Bench } from '../run.js';
import { worse } from '../verify.js';
import { costOf, type EncodeTimer, encodeTimer, type TaskCost } from './encode-timer.js';

interface Shape {
  readonly dim: number;
  readonly hidden: readonly number[];
  readonly seed: number;
}

/** A kind of layer, and which of its directions goes feature by feature. */
interface Kind {
  readonly name: string;
  readonly slow: 'sample' | 'logProb';
  /** Another kind is much like it. */
  readonly variant?: true;
  readonly make: (gpu: Gpu, shape: Shape) => Promise<Flow>;
}

/** A flow whose networks say `factor` times as much: components far apart, narrow and wide, as in a trained one, and more of Newton's steps. */
async function stretched(gpu: Gpu, flow: Flow, factor: number): Promise<Flow> {
  const { tensors, metadata } = readSafetensors(await flow.save());
  flow.dispose();
  const last = [...tensors.keys()].filter((name) => name.endsWith('.weight')).at(-1)!;
  const { data } = tensors.get(last)!;
  for (let i = 0; i < data.length; i++) (data as Float32Array)[i]! *= factor;
  return loadFlow(gpu, writeSafetensors(tensors, metadata));
}

const kinds: readonly Kind[] = [
  { name: 'affine', slow: 'sample', make: (gpu, shape) => maf(gpu, { ...shape, layers: 1 }) },
  { name: 'affine, IAF', slow: 'logProb', variant: true, make: (gpu, shape) => iaf(gpu, { ...shape, layers: 1 }) },
  {
    name: 'affine, interpolated',
    slow: 'sample',
    variant: true,
    make: (gpu, shape) => maf(gpu, { ...shape, layers: 1, interpolation: 0.5 }),
  },
  { name: 'affine, residual net', slow: 'sample', variant: true, make: (gpu, shape) => maf(gpu, { ...shape, layers: 1, residual: true }) },
  { name: 'mixture of 5', slow: 'sample', make: (gpu, shape) => mademog(gpu, { ...shape, components: 5 }) },
  {
    name: 'mixture of 5, far apart',
    slow: 'sample',
    variant: true,
    make: async (gpu, shape) => stretched(gpu, await mademog(gpu, { ...shape, components: 5 }), 20),
  },
  {
    name: 'mixture of 5, residual net',
    slow: 'sample',
    variant: true,
    make: (gpu, shape) => mademog(gpu, { ...shape, components: 5, residual: true }),
  },
  ...(['rational-quadratic', 'cubic'] as const).map(
    (kind): Kind => ({
      name: `${kind} spline of 8 bins`,
      slow: 'sample',
      ...(kind === 'cubic' && { variant: true }),
      make: (gpu, shape) => neuralSpline(gpu, { ...shape, layers: 1, type: 'autoregressive', kind, bins: 8 }),
    }),
  ),
];

/** There and back on `count` normals. */
async function roundTrip(flow: Flow, count: number): Promise<ErrorFigure> {
  const z = Float32Array.from({ length: count * flow.dim }, (_, i) => 2 * Math.sin(1 + i * i)); // any numbers of unit size
  const { x } = await flow.inverse(z);
  const back = (await flow.forward(x)).z;
  let value = 0;
  for (const [i, got] of back.entries()) value = worse(value, Math.abs(got - z[i]!) / Math.max(1, Math.abs(z[i]!)));
  return { of: 'round trip', value, limit: 1e-4 };
}

export async function measureDirections(bench: Bench): Promise<Row[]> {
  const { gpu, settings } = bench;
  const { batch, variants: all, ...shape } = settings.directions;
  const flows: { kind: Kind; flow: Flow; cost: Record<'sample' | 'logProb', TaskCost>; error: ErrorFigure; timer: EncodeTimer | null }[] =
    [];
  const variants: Record<string, Variant> = {};
  for (const kind of kinds.filter(({ variant }) => all || !variant)) {
    bench.progress(`directions: ${kind.name}`);
    const flow = await kind.make(gpu, { ...shape, seed: 1 });
    const cost = await costOf(bench, flow, batch);
    const error = await roundTrip(flow, Math.min(batch, 64));
    const timer = within(error) ? await encodeTimer(bench, flow, batch) : null;
    if (timer) for (const task of ['sample', 'logProb'] as const) variants[`${kind.name}: ${task}`] = timer[task];
    flows.push({ kind, flow, cost, error, timer });
  }
  bench.progress('directions: timing');
  const times = await interleave(variants, settings);
  return flows.flatMap(({ kind, flow, cost, error, timer }) => {
    timer?.dispose();
    flow.dispose();
    if (!timer) return [refused('directions', kind.name, [error])];
    const fast = kind.slow === 'sample' ? 'logProb' : 'sample';
    return ([fast, kind.slow] as const).map((task) => {
      const timed = times[`${kind.name}: ${task}`]!;
      const { time } = timed;
      const ratio = task === kind.slow ? { value: time.median / times[`${kind.name}: ${fast}`]!.time.median, to: fast } : null;
      return row('directions', {
        name: `${kind.name}: ${task}`,
        ...timed,
        rate: perSecond(batch, time, 'samples/s'),
        ...cost[task].figures(time),
        ratio,
        errors: [error],
        note: ratio ? 'feature by feature' : `D ${shape.dim}, hidden ${shape.hidden.join(' × ')}, ${batch} rows`,
      });
    });
  });
}
