// Dispatches one generated kernel with nothing of src/runtime between: a test of a shader must not depend on the recorder.

import type { KernelSource, Scalar } from '../../src/runtime/kernel.js';
import type { CallInput } from '../reference/twin.js';

export type Array32 = Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;

export interface RawCall {
  /** By the shader's names: contents, or a length in 32-bit elements for a buffer that starts as zeros. */
  readonly buffers: Readonly<Record<string, Array32 | number>>;
  readonly params?: Readonly<Record<string, number>>;
  readonly constants?: Readonly<Record<string, number | boolean>>;
  /** Values of the call uniform, for a shader that reads it. */
  readonly call?: CallInput;
  readonly workgroups: readonly [x: number, y?: number, z?: number];
}

const typed = { f32: Float32Array, u32: Uint32Array, i32: Int32Array } as const;

function uniformBytes(source: KernelSource, params: Readonly<Record<string, number>>): ArrayBuffer {
  const bytes = new ArrayBuffer(source.params.byteSize);
  const view = new DataView(bytes);
  for (const [name, { type, offset }] of Object.entries(source.params.fields)) {
    const value = params[name];
    if (value === undefined) throw new Error(`${source.name}.${source.entryPoint}: no value for the parameter ${name}`);
    if (type === 'f32') view.setFloat32(offset, value, true);
    else if (type === 'i32') view.setInt32(offset, value, true);
    else view.setUint32(offset, value, true);
  }
  return bytes;
}

/** `Call` of shaders/lib/call.wgsl: eight words as 16-bit halves. */
function callWords({ rows, firstRow, seed, contextStride, step = 0, steps = 0, period = 0 }: CallInput): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(16);
  for (const [i, word] of [rows, firstRow, seed % 2 ** 32, Math.floor(seed / 2 ** 32), contextStride, step, steps, period].entries()) {
    words[2 * i] = word & 0xffff;
    words[2 * i + 1] = word >>> 16;
  }
  return words;
}

/** The contents of every read_write buffer after the dispatch, typed as the shader declares them. */
export async function runRaw(device: GPUDevice, source: KernelSource, call: RawCall): Promise<Record<string, Array32>> {
  if (source.usesCall && !call.call) throw new Error(`${source.name}.${source.entryPoint} reads the call uniform, and no call is given`);
  device.pushErrorScope('validation');
  const owned: GPUBuffer[] = [];
  const create = (size: number, usage: GPUBufferUsageFlags): GPUBuffer => {
    const buffer = device.createBuffer({ size, usage });
    owned.push(buffer);
    return buffer;
  };
  const layoutEntries: GPUBindGroupLayoutEntry[] = [];
  const entries: GPUBindGroupEntry[] = [];
  const outputs: { name: string; element: Scalar; buffer: GPUBuffer; staging: GPUBuffer }[] = [];
  const encoder = device.createCommandEncoder();

  for (const [name, { binding, access, element }] of Object.entries(source.buffers)) {
    const given = call.buffers[name];
    if (given === undefined) throw new Error(`${source.name}.${source.entryPoint}: no buffer ${name}`);
    const size = 4 * (typeof given === 'number' ? given : given.length);
    const buffer = create(size, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC);
    if (typeof given !== 'number') device.queue.writeBuffer(buffer, 0, given);
    const type = access === 'read' ? 'read-only-storage' : 'storage';
    layoutEntries.push({ binding, visibility: GPUShaderStage.COMPUTE, buffer: { type } });
    entries.push({ binding, resource: { buffer } });
    if (access === 'read_write') {
      outputs.push({ name, element, buffer, staging: create(size, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST) });
    }
  }
  if (source.usesCall && call.call) {
    const words = callWords(call.call);
    const buffer = create(words.byteLength, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST);
    device.queue.writeBuffer(buffer, 0, words);
    layoutEntries.push({ binding: 0, visibility: GPUShaderStage.COMPUTE, buffer: { type: 'uniform' } });
    entries.push({ binding: 0, resource: { buffer } });
  }
  if (source.params.byteSize > 0) {
    const buffer = create(source.params.byteSize, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST);
    device.queue.writeBuffer(buffer, 0, uniformBytes(source, call.params ?? {}));
    layoutEntries.push({ binding: source.params.binding, visibility: GPUShaderStage.COMPUTE, buffer: { type: 'uniform' } });
    entries.push({ binding: source.params.binding, resource: { buffer } });
  }

  const constants = Object.fromEntries(Object.entries(call.constants ?? {}).map(([name, value]) => [name, Number(value)]));
  const layout = device.createBindGroupLayout({ entries: layoutEntries });
  const pipeline = await device.createComputePipelineAsync({
    layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
    compute: { module: device.createShaderModule({ code: source.wgsl }), entryPoint: source.entryPoint, constants },
  });
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ layout, entries }));
  pass.dispatchWorkgroups(...call.workgroups);
  pass.end();
  for (const { buffer, staging } of outputs) encoder.copyBufferToBuffer(buffer, 0, staging, 0, staging.size);
  device.queue.submit([encoder.finish()]);
  const error = await device.popErrorScope();
  if (error) throw new Error(`${source.name}.${source.entryPoint}: ${error.message}`);

  const results: Record<string, Array32> = {};
  for (const { name, element, staging } of outputs) {
    await staging.mapAsync(GPUMapMode.READ);
    results[name] = new typed[element](staging.getMappedRange().slice(0));
  }
  for (const buffer of owned) buffer.destroy();
  return results;
}
