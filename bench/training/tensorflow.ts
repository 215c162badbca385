// TensorFlow.js: eager operations on its WebGPU backend, and its own optimiser.

import '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import type { Contestant } from './contestant.js';
import type { Problem } from './problems.js';

interface Linear {
  readonly weight: tf.Variable<tf.Rank.R2>;
  readonly bias: tf.Variable<tf.Rank.R1>;
  readonly mask: tf.Tensor2D | null;
}

export async function tensorFlow({ kind, dim, batch, learningRate, data, networks }: Problem): Promise<Contestant> {
  await tf.setBackend('webgpu');
  await tf.ready();
  if (tf.getBackend() !== 'webgpu') throw new Error('TensorFlow.js has no WebGPU here');

  const nets: Linear[][] = networks.map((network) =>
    network.map(({ inputs, outputs, weight, bias, mask }) => ({
      weight: tf.variable(tf.tensor2d(weight, [inputs, outputs])),
      bias: tf.variable(tf.tensor1d(bias)),
      mask: mask && tf.tensor2d(mask, [inputs, outputs]),
    })),
  );
  const variables = nets.flat().flatMap(({ weight, bias }) => [weight, bias] as tf.Variable[]);
  const x = tf.tensor2d(data, [batch, dim]);
  const optimiser = tf.train.sgd(learningRate);

  const net = (input: tf.Tensor2D, network: Linear[]): tf.Tensor2D =>
    network.reduce<tf.Tensor2D>((h, { weight, bias, mask }, index) => {
      const read = index > 0 ? tf.relu(h) : h;
      return tf.add(tf.matMul(read, mask ? tf.mul(weight, mask) : weight), bias);
    }, input);
  /** Half the squares of z less the log-determinant, a row. */
  const coupling = (): tf.Tensor => {
    let [passes, moves] = tf.split(x, 2, 1) as [tf.Tensor2D, tf.Tensor2D];
    let logDet: tf.Tensor | null = null;
    for (const network of nets) {
      const [shift, u] = tf.split(net(passes, network), 2, 1) as [tf.Tensor2D, tf.Tensor2D];
      const logScale = tf.mul(tf.tanh(u), 2);
      const moved: tf.Tensor2D = tf.add(tf.mul(moves, tf.exp(logScale)), shift);
      logDet = logDet ? tf.add(logDet, logScale) : logScale;
      [passes, moves] = [moved, passes];
    }
    return tf.sum(tf.sub(tf.mul(tf.add(tf.square(passes), tf.square(moves)), 0.5), logDet!), 1);
  };
  const autoregressive = (): tf.Tensor => {
    let z = x;
    let logDet: tf.Tensor | null = null;
    for (const [layer, network] of nets.entries()) {
      if (layer > 0) z = tf.reverse(z, 1);
      const [mu, s] = tf.split(net(z, network), 2, 1) as [tf.Tensor2D, tf.Tensor2D];
      z = tf.mul(tf.sub(z, mu), tf.exp(tf.neg(s)));
      const sum = tf.sum(s, 1);
      logDet = logDet ? tf.sub(logDet, sum) : tf.neg(sum);
    }
    return tf.sub(tf.mul(tf.sum(tf.square(z), 1), 0.5), logDet!);
  };
  const constant = (dim / 2) * Math.log(2 * Math.PI);
  const loss = (): tf.Scalar => tf.add(tf.mean(kind === 'coupling' ? coupling() : autoregressive()), constant);
  const once = (): tf.Scalar => optimiser.minimize(loss, true, variables)!;
  const read = async (value: tf.Scalar): Promise<number> => {
    const [number] = await value.data();
    value.dispose();
    return number!;
  };
  return {
    losses: async (steps) => {
      const values: number[] = [];
      for (let i = 0; i < steps; i++) values.push(await read(once()));
      return values;
    },
    advance: async (steps) => {
      for (let i = 1; i < steps; i++) once().dispose();
      const last = once();
      // Reading the loss alone would leave the last update in the queue.
      await Promise.all([read(last), variables.at(-1)!.data()]);
    },
    dispose: () => {
      for (const tensor of [x, ...variables, ...nets.flat().flatMap(({ mask }) => (mask ? [mask] : []))]) tensor.dispose();
      optimiser.dispose();
    },
  };
}
