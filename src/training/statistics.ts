// Batch norm in training: its statistics are those of the rows at hand, and the running ones lie on the device beside the parameters.

import type { StoredTensor } from '../format/safetensors.js';
import { batchNorm } from '../kernels/batch-norm-backward.js';
import { identityOrder } from '../kernels/linear-strips.js';
import type { Recorder } from '../runtime/recorder.js';
import { type ExternalTensor, type Origin, type RunningStatistics, sliced, type TableTensor, type Tensor } from '../runtime/tensor.js';
import type { Model } from './model.js';

/** How fast running statistics follow, as in torch.nn.BatchNorm1d. */
const MOMENTUM = 0.1;

/** One batch norm: the names of its tensors, the array of its means, and where its means and then its variances lie. */
interface Norm {
  readonly names: readonly [mean: string, variance: string];
  readonly mean: StoredTensor['data'];
  readonly from: number;
  readonly varianceAt: number;
  readonly features: number;
}

/** The running statistics of a model's batch norms. */
export interface StatisticsLayout {
  readonly length: number;
  readonly norms: readonly Norm[];
}

export function statisticsOf({ norms: names, tensors }: Model): StatisticsLayout {
  let length = 0;
  const norms = names.map((pair): Norm => {
    const { data: mean } = tensors.get(pair[0])!;
    const features = mean.length;
    const varianceAt = sliced(features);
    const from = length;
    length += 2 * varianceAt;
    return { names: pair, mean, from, varianceAt, features };
  });
  return { length, norms };
}

/** The model's running statistics, laid out. */
export function flatStatistics({ tensors }: Model, { length, norms }: StatisticsLayout): Float32Array {
  const flat = new Float32Array(length);
  for (const { names, from, varianceAt } of norms)
    for (const [k, name] of names.entries()) flat.set(tensors.get(name)!.data as Float32Array, from + k * varianceAt);
  return flat;
}

/** The model's tensors out of a laid out array, by name. */
export const namedStatistics = (flat: Float32Array, { norms }: StatisticsLayout): [string, Float32Array][] =>
  norms.flatMap(({ names, from, varianceAt, features }) =>
    names.map((name, k): [string, Float32Array] => [name, flat.slice(from + k * varianceAt, from + k * varianceAt + features)]),
  );

/** Where a program takes the statistics of batch norms from: the rows, moving the running ones, or the running ones. */
export interface StatisticsSource {
  readonly layout: StatisticsLayout;
  readonly from: 'rows' | 'running';
}

/** Records center and offset of a batch norm, which normalises `x`. Reads and moves the external `statistics`. */
export function recordStatistics(
  r: Recorder,
  { layout, from }: StatisticsSource,
  { kind, running }: Origin & { readonly running: RunningStatistics },
  x: Tensor,
): { center: TableTensor; offset: TableTensor } {
  const { features, varianceAt, from: at } = layout.norms.find(({ mean }) => mean === running.mean)!;
  const made = { center: r.table(features, 'mean'), offset: r.table(features, 'deviation') };
  const lying: ExternalTensor = r.slice(r.external('statistics', 0), at);
  const order = r.constant(running.order ?? identityOrder(features), 'order');
  const params = { features, variance_at: varianceAt, eps: running.eps, momentum: MOMENTUM };
  const constants = { FACTOR: kind === 'product' };
  if (from === 'rows') r.run(batchNorm.moments, { buffers: { source: x, running: lying, order, ...made }, params, constants });
  else r.once('before', () => r.run(batchNorm.running, { buffers: { settled: lying, order, ...made }, params, constants }));
  return made;
}
