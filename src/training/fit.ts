// Maximum likelihood on the GPU.

import { type Flow, ownFlow } from '../flows/flow.js';
import type { FitOptions } from './fit-options.js';
import type { FitResult } from './run-fit.js';

export type { FitOptions } from './fit-options.js';
export type { FitResult } from './run-fit.js';
export type { FitProgress, TrainingOptions } from './training-options.js';

/**
 * Trains a flow by maximum likelihood: the mean of −log p(x) over minibatches of `data` [n, D] row-major, and of p(x | context) where the
 * flow is conditional. The data lie on the GPU once; minibatches are gathered there in an order that meets every row once an epoch;
 * gradients, clipping and the optimiser run there too. The flow has the trained parameters when the promise resolves: those with the best
 * loss on the held-out rows, where there are some, else the last. While it runs, the flow itself stays as it was, unless `onProgress` asks
 * for an `update`.
 *
 * ```ts
 * const { loss, history } = await fit(flow, data, { steps: 2000, batch: 512, validation: 0.1, onProgress: ({ step, loss }) => show(step, loss) });
 * ```
 *
 * Kingma & Ba 2015, arXiv:1412.6980 (Adam).
 *
 * @throws ShapeError, ValueError for data or options that do not fit; UnsupportedError where a layer has no derivative rule; StateError
 *   where the loss or its gradient turns infinite or NaN, naming the step: the flow then has the last good parameters. An abort rejects
 *   with the signal's reason, and the flow has the best parameters so far.
 */
export async function fit(flow: Flow, data: Float32Array, options: FitOptions = {}): Promise<FitResult> {
  const own = ownFlow('fit: flow', flow);
  const { runFit } = await import('./reverse.js');
  return runFit(own, data, options);
}
