// This library: the run behind `fit`, without its loop, so that a block of steps can be timed.

import { ownFlow } from '../../src/flows/flow.js';
import { type Flow, Gpu } from '../../src/index.js';
import { planFit } from '../../src/training/fit-options.js';
import { modelOf } from '../../src/training/model.js';
import { Trainer } from '../../src/training/trainer.js';
import { adapterRequest } from '../src/settings.js';
import type { Contestant } from './contestant.js';
import type { Problem } from './problems.js';

/** Steps whose losses the run has room for. */
const MOST = 100_000;

export async function pushforward(build: (gpu: Gpu) => Promise<Flow>, { data, batch, learningRate }: Problem): Promise<Contestant> {
  const gpu = await Gpu.request(adapterRequest);
  const own = ownFlow('bench', await build(gpu));
  const { step, objective } = planFit(own, data, {
    steps: MOST,
    batch,
    learningRate,
    optimiser: 'sgd',
    schedule: 'constant',
    clipNorm: Number.POSITIVE_INFINITY,
  });
  // Without momentum: the same kernel, its first moment is the gradient.
  const trainer = new Trainer(modelOf(own), { ...step, beta1: 0 }, objective);
  await trainer.compile();
  let taken = 0;
  const advance = async (steps: number) => {
    trainer.take(steps);
    taken += steps;
    const { failed } = await trainer.standing();
    if (failed !== null) throw new Error(`pushforward: the loss of step ${failed} is not finite`);
  };
  return {
    advance,
    losses: async (steps) => {
      await advance(steps);
      return [...(await trainer.losses(taken - steps, taken))];
    },
    dispose: () => {
      trainer.dispose();
      gpu.dispose();
    },
  };
}
