// jax-js: loss, gradients and update traced into one jitted function. Arguments are consumed, so what is used again is referenced.

import * as jax from '@jax-js/jax';
import { defaultDevice, init, jit, numpy as np, tree, valueAndGrad } from '@jax-js/jax';
import type { Contestant } from './contestant.js';
import type { Problem } from './problems.js';

type Weights = { weight: np.Array; bias: np.Array }[][];
type Masks = np.Array[][];

const array = (data: Float32Array, shape: number[]): np.Array => np.array(data.slice() as Float32Array<ArrayBuffer>, { shape });

export async function jaxJs({ kind, dim, batch, learningRate, data, networks }: Problem): Promise<Contestant> {
  const devices = await init('webgpu');
  if (!devices.includes('webgpu')) throw new Error('jax-js has no WebGPU here');
  defaultDevice('webgpu');

  let weights: Weights = networks.map((network) =>
    network.map(({ inputs, outputs, weight, bias }) => ({ weight: array(weight, [inputs, outputs]), bias: array(bias, [outputs]) })),
  );
  const masks: Masks = networks.map((network) =>
    network.flatMap(({ inputs, outputs, mask }) => (mask ? [array(mask, [inputs, outputs])] : [])),
  );
  const x = array(data, [batch, dim]);

  const net = (h: np.Array, network: Weights[number], masked: np.Array[]): np.Array => {
    for (const [index, { weight, bias }] of network.entries()) {
      if (index > 0) h = jax.nn.relu(h);
      h = np.matmul(h, masked.length > 0 ? weight.mul(masked[index]!) : weight).add(bias);
    }
    return h;
  };
  /** Half the squares of z less the log-determinant, a row. */
  const coupling = (nets: Weights, rows: np.Array): np.Array => {
    let passes = rows.ref.slice([], [0, 1]);
    let moves = rows.slice([], [1, 2]);
    let logDet: np.Array | null = null;
    for (const network of nets) {
      const out = net(passes.ref, network, []);
      const shift = out.ref.slice([], [0, 1]);
      const logScale = np.tanh(out.slice([], [1, 2])).mul(2);
      const moved = moves.mul(np.exp(logScale.ref)).add(shift);
      logDet = logDet ? logDet.add(logScale) : logScale;
      [passes, moves] = [moved, passes];
    }
    return np.square(passes).add(np.square(moves)).mul(0.5).sub(logDet!).sum(1);
  };
  const autoregressive = (nets: Weights, fixed: Masks, rows: np.Array): np.Array => {
    let z = rows;
    let logDet: np.Array | null = null;
    for (const [layer, network] of nets.entries()) {
      if (layer > 0) z = np.flip(z, 1);
      const out = net(z.ref, network, fixed[layer]!);
      const mu = out.ref.slice([], [0, dim]);
      const s = out.slice([], [dim, 2 * dim]);
      z = z.sub(mu).mul(np.exp(s.ref.neg()));
      const sum = s.sum(1);
      logDet = logDet ? logDet.sub(sum) : sum.neg();
    }
    return np.square(z).sum(1).mul(0.5).sub(logDet!);
  };
  const constant = (dim / 2) * Math.log(2 * Math.PI);
  const loss = (nets: Weights, fixed: Masks, rows: np.Array): np.Array =>
    (kind === 'coupling' ? coupling(nets, rows) : autoregressive(nets, fixed, rows)).mean().add(constant);

  const step = jit((nets: Weights, fixed: Masks, rows: np.Array): [np.Array, Weights] => {
    const [value, gradients] = valueAndGrad(loss)(tree.ref(nets), fixed, rows);
    const updated = tree.map((p: np.Array, g: np.Array) => p.sub(g.mul(learningRate)), nets, gradients as Weights);
    return [value, updated as Weights];
  });
  const once = (): np.Array => {
    const [value, updated] = step(weights, tree.ref(masks), x.ref);
    weights = updated as Weights;
    return value as np.Array;
  };
  return {
    losses: async (steps) => {
      const values: number[] = [];
      for (let i = 0; i < steps; i++) values.push((await once().data())[0]! as number);
      return values;
    },
    advance: async (steps) => {
      for (let i = 1; i < steps; i++) once().dispose();
      await once().data();
      await jax.blockUntilReady(weights);
    },
    dispose: () => {
      tree.dispose([weights, masks, x] as unknown as np.Array[]);
      step.dispose();
    },
  };
}
