// TensorFlow.js: eager operations on its WebGPU backend.

import '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import type { Contestant, Data, Ops, Task } from './ops.js';

const ops: Ops<tf.Tensor> = {
  shapeOf: ({ shape }) => shape,
  number: (value) => tf.scalar(value),
  matmul: (a, b) => tf.matMul(a, b),
  add: (a, b) => tf.add(a, b),
  sub: (a, b) => tf.sub(a, b),
  mul: (a, b) => tf.mul(a, b),
  div: (a, b) => tf.div(a, b),
  less: (a, b) => tf.cast(tf.less(a, b), 'float32'),
  relu: (x) => tf.relu(x),
  tanh: (x) => tf.tanh(x),
  exp: (x) => tf.exp(x),
  sqrt: (x) => tf.sqrt(x),
  softplus: (x) => tf.softplus(x),
  softmax: (x) => tf.softmax(x),
  sum: (x) => tf.sum(x, -1, true),
  slice: (x, from, to) => tf.slice(x, [...x.shape.map(() => 0).slice(1), from], [...x.shape.slice(0, -1), to - from]),
  concat: (parts) => tf.concat([...parts], -1),
  reshape: (x, shape) => tf.reshape(x, [...shape]),
};

export async function tensorFlow({ weights, state, noise, graph }: Task): Promise<Contestant> {
  await tf.setBackend('webgpu');
  await tf.ready();
  if (tf.getBackend() !== 'webgpu') throw new Error('TensorFlow.js has no WebGPU here');
  const tensor = ({ data, shape }: Data): tf.Tensor => tf.tensor(data, [...shape]);
  const held = Object.fromEntries(Object.entries(weights).map(([name, data]) => [name, tensor(data)]));
  const [first, z] = [tensor(state), tensor(noise)];
  return {
    run: async (passes) => {
      let x = first;
      for (let pass = 0; pass < passes; pass++) {
        const next = tf.tidy(() => graph(ops, x, z, held));
        if (x !== first) x.dispose();
        x = next;
      }
      const result = (await x.data()) as Float32Array;
      x.dispose();
      return result;
    },
    dispose: () => tf.dispose([first, z, ...Object.values(held)]),
  };
}
