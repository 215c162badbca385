// jax-js: a pass traced into one jitted function. Arguments are consumed, so what is used again is referenced.

import * as jax from '@jax-js/jax';
import { defaultDevice, init, jit, numpy as np } from '@jax-js/jax';
import type { Contestant, Data, Ops, Task } from './ops.js';

type Tensor = np.Array;

const ops: Ops<Tensor> = {
  shapeOf: ({ shape }) => shape,
  number: (value) => np.array(value),
  matmul: (a, b) => np.matmul(a.ref, b.ref),
  add: (a, b) => a.ref.add(b.ref),
  sub: (a, b) => a.ref.sub(b.ref),
  mul: (a, b) => a.ref.mul(b.ref),
  div: (a, b) => a.ref.div(b.ref),
  less: (a, b) => np.where(a.ref.less(b.ref), 1, 0),
  relu: (x) => jax.nn.relu(x.ref),
  tanh: (x) => np.tanh(x.ref),
  exp: (x) => np.exp(x.ref),
  sqrt: (x) => np.sqrt(x.ref),
  softplus: (x) => jax.nn.softplus(x.ref),
  softmax: (x) => jax.nn.softmax(x.ref, -1),
  sum: (x) => np.sum(x.ref, -1, { keepdims: true }),
  slice: (x, from, to) => x.ref.slice(...x.shape.slice(1).map(() => [] as []), [from, to]),
  concat: (parts) =>
    np.concatenate(
      parts.map((part) => part.ref),
      -1,
    ),
  reshape: (x, shape) => x.ref.reshape([...shape]),
};

export async function jaxJs({ weights, state, noise, graph }: Task): Promise<Contestant> {
  const devices = await init('webgpu');
  if (!devices.includes('webgpu')) throw new Error('jax-js has no WebGPU here');
  defaultDevice('webgpu');
  const tensor = ({ data, shape }: Data): Tensor => np.array(data.slice(), { shape: [...shape] });
  const names = Object.keys(weights);
  const held = names.map((name) => tensor(weights[name]!));
  const [first, z] = [tensor(state), tensor(noise)];
  const pass = jit(
    (x: Tensor, noises: Tensor, all: Tensor[]): Tensor =>
      graph(ops, x, noises, Object.fromEntries(all.map((weight, index) => [names[index]!, weight]))),
  );
  const refs = () => held.map((weight) => weight.ref);
  return {
    run: async (passes) => {
      let x = first.ref;
      for (let count = 0; count < passes; count++) x = pass(x, z.ref, refs()) as Tensor;
      return (await x.data()) as Float32Array;
    },
    dispose: () => {
      for (const array of [first, z, ...held]) array.dispose();
      pass.dispose();
    },
  };
}
