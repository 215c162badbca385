// Calls that must not compile. `npm run types` checks the file; nothing runs it.

import { type Flow, Gpu, importTorch, maf, realNVP } from '../../src/index.js';
import { affine } from '../../src/kernels/affine.js';
import { fill } from '../../src/kernels/fill.js';
import { maskedLinear } from '../../src/kernels/masked-linear.js';
import type { Recorder } from '../../src/runtime/recorder.js';
import type { TiledTensor } from '../../src/runtime/tensor.js';

export function kernels(r: Recorder, tensor: TiledTensor): void {
  const buffers = { x: tensor, parameters: tensor, slot: tensor, y: tensor, log_terms: tensor };
  const params = { features: 2, slots: 2, parameter_features: 4 };
  const constants = { SCALE: 1, EPS: 0.5, UNDO: true, HAS_LOG_DET: false };
  r.run(affine, { buffers, params, constants });
  r.run(affine, { buffers, params });
  r.run(fill, { buffers: { destination: tensor }, params: { features: 1, value: 0 } });

  // @ts-expect-error a buffer is missing
  r.run(affine, { buffers: { x: tensor, parameters: tensor, slot: tensor, y: tensor }, params });
  // @ts-expect-error a buffer that the shader does not have
  r.run(affine, { buffers: { ...buffers, logTerms: tensor }, params });
  // @ts-expect-error a number where a tensor belongs
  r.run(affine, { buffers: { ...buffers, x: 3 }, params });
  // @ts-expect-error a parameter is missing
  r.run(affine, { buffers, params: { features: 2, slots: 2 } });
  // @ts-expect-error a misspelt parameter
  r.run(affine, { buffers, params: { features: 2, slots: 2, parameterFeatures: 4 } });
  // @ts-expect-error a surplus parameter
  r.run(affine, { buffers, params: { ...params, rows: 3 } });
  // @ts-expect-error a parameter of the wrong type
  r.run(affine, { buffers, params: { ...params, slots: '2' } });
  // @ts-expect-error a number where the override is a bool
  r.run(affine, { buffers, params, constants: { HAS_LOG_DET: 1 } });
  // @ts-expect-error a bool where the override is a number
  r.run(affine, { buffers, params, constants: { SCALE: true } });
  // @ts-expect-error an unknown constant
  r.run(affine, { buffers, params, constants: { SCALES: 1 } });
  // @ts-expect-error a constant that another kernel has
  r.run(maskedLinear, { buffers: maskedBuffers(tensor), params: maskedParams, constants: { HAS_LOG_DET: true } });
  // @ts-expect-error no parameters at all
  r.run(maskedLinear, { buffers: maskedBuffers(tensor) });
  // @ts-expect-error the buffers of another kernel
  r.run(maskedLinear, { buffers, params: maskedParams });
  r.run(maskedLinear, { buffers: maskedBuffers(tensor), params: maskedParams, constants: { ACTIVATION: 1, GATE: false } });
}

const maskedBuffers = (tensor: TiledTensor) => ({
  x: tensor,
  weight: tensor,
  bias: tensor,
  ranges: tensor,
  addend: tensor,
  gate: tensor,
  y: tensor,
  raw: tensor,
});

const maskedParams = {
  inputs: 1,
  outputs: 1,
  x_features: 1,
  x_at: 0,
  addend_features: 1,
  addend_at: 0,
  gate_features: 1,
  gate_at: 0,
  y_features: 1,
  y_at: 0,
  raw_features: 1,
  blocks: 1,
};

export async function surface(gpu: Gpu, flow: Flow, encoder: GPUCommandEncoder, buffer: GPUBuffer): Promise<void> {
  await maf(gpu, { dim: 2, layers: 3, hidden: [8], contextDim: 1, seed: 1, order: 'random', batchNorm: true });
  await realNVP(gpu, { dim: 2, scale: { form: 'clamp', low: -5, high: 3 } });
  const { x, logDet }: { x: Float32Array; logDet: Float32Array } = await flow.inverse(new Float32Array(2));
  flow.encodeLogProb(encoder, buffer, { count: x.length + logDet.length, into: buffer, context: buffer });

  // @ts-expect-error dim is missing
  await maf(gpu, { layers: 3 });
  // @ts-expect-error an unknown option
  await maf(gpu, { dim: 2, layer: 3 });
  // @ts-expect-error an order that does not exist
  await maf(gpu, { dim: 2, order: 'forward' });
  // @ts-expect-error an option of another recipe
  await realNVP(gpu, { dim: 2, batchNorm: true });
  // @ts-expect-error a bound without its numbers
  await realNVP(gpu, { dim: 2, scale: { form: 'clamp', low: -5 } });
  // @ts-expect-error a device is not a Gpu
  await maf(gpu.device, { dim: 2 });
  // @ts-expect-error a request for something else
  await Gpu.request({ powerPreference: 'low' });
  // @ts-expect-error an unknown key of a request
  await Gpu.request({ hardware: true });
  // @ts-expect-error the constructor is private: request or from
  new Gpu(gpu.device);
  // @ts-expect-error plain arrays are not read
  await flow.logProb([1, 2]);
  // @ts-expect-error nor doubles
  await flow.forward(new Float64Array(2));
  // @ts-expect-error a misspelt option
  await flow.sample(3, { sed: 1 });
  await flow.logProb(new Float32Array(2), { seed: 1 });
  // @ts-expect-error a misspelt option of a density
  await flow.logProb(new Float32Array(2), { sed: 1 });
  // @ts-expect-error encodeSample needs a seed
  flow.encodeSample(encoder, { count: 1 });
  // @ts-expect-error encodeSample takes buffers for its context
  flow.encodeSample(encoder, { count: 1, seed: 1, context: new Float32Array(2) });
  // @ts-expect-error prepare takes an object
  await flow.prepare(100);
  // @ts-expect-error a task that has no profile
  await flow.profile('forward', { count: 1 });
  // @ts-expect-error dim cannot be changed
  flow.dim = 3;
  // @ts-expect-error weights are bytes
  await importTorch(gpu, {}, 'weights.safetensors');
}
