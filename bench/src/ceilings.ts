// What the adapter can do at best, by kernels that do nothing else. Measured before everything, and the multiply-adds again beside the
// cases: shared machines and laptops drift by a factor of two.

import { COPY_DST, COPY_SRC, STORAGE, UNIFORM } from '../../src/runtime/usage.js';
import { interleave, repetitions, type Spent, shared, wall } from './measure.js';
import { type ErrorFigure, gigabytes, perSecond, type Row, refused, row, within } from './results.js';
import type { Bench } from './run.js';
import type { Statistics } from './statistics.js';

const INVOCATIONS = 65536;
const UNROLLED = 4;
/** Chains of vec4, a multiply and an add each. */
const FLOPS_PER_ITERATION = INVOCATIONS * UNROLLED * 8 * 4 * 2;

const chains = Array.from({ length: 8 }, (_, i) => i);

// All 32 numbers of an invocation start apart: a compiler would compute equal ones once. The store is behind a condition that only the
// data decide, so the sum is needed and still almost nothing is written.
const multiplyAddCode = `
struct Params { iterations: u32, scale: f32, shift: f32, never: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> result: array<vec4<f32>>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let m = vec4<f32>(params.scale);
  let c = vec4<f32>(params.shift);
  let start = vec4<f32>(0.0, 0.25, 0.5, 0.75) + f32(id.x % 64u);
${chains.map((i) => `  var a${i} = start + ${i}.125;`).join('\n')}
  for (var i = 0u; i < params.iterations; i++) {
${Array.from({ length: UNROLLED }, () => `    ${chains.map((i) => `a${i} = fma(a${i}, m, c);`).join(' ')}`).join('\n')}
  }
  let sum = ((a0 + a1) + (a2 + a3)) + ((a4 + a5) + (a6 + a7));
  if (id.x < 64u || sum.x == params.never) { result[id.x % 64u] = sum; }
}`;

const copyCode = `
@group(0) @binding(0) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> result: array<vec4<f32>>;
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x < arrayLength(&source)) { result[id.x] = source[id.x]; }
}`;

const emptyCode = `
@compute @workgroup_size(1)
fn main() {}`;

interface Bound {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup | null;
}

async function bind(device: GPUDevice, label: string, code: string, buffers: readonly GPUBuffer[]): Promise<Bound> {
  const module = device.createShaderModule({ label, code });
  const pipeline = await device.createComputePipelineAsync({ label, layout: 'auto', compute: { module } });
  if (buffers.length === 0) return { pipeline, group: null };
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  return { pipeline, group: device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }) };
}

function dispatch(encoder: GPUCommandEncoder, { pipeline, group }: Bound, workgroups: number, times: number): void {
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  if (group) pass.setBindGroup(0, group);
  for (let i = 0; i < times; i++) pass.dispatchWorkgroups(workgroups);
  pass.end();
}

/** The multiply-add kernel: eight independent chains of vec4 in each invocation. */
export class MultiplyAdds {
  #iterations = 1;

  private constructor(
    readonly bench: Omit<Bench, 'fma'>,
    readonly bound: Bound,
    readonly params: GPUBuffer,
    readonly result: GPUBuffer,
  ) {}

  static async create(bench: Omit<Bench, 'fma'>): Promise<MultiplyAdds> {
    const { device } = bench.gpu;
    const params = device.createBuffer({ size: 16, usage: UNIFORM | COPY_DST });
    const result = device.createBuffer({ size: 64 * 16, usage: STORAGE | COPY_SRC });
    const made = new MultiplyAdds(bench, await bind(device, 'multiply-adds', multiplyAddCode, [params, result]), params, result);
    // Longer and longer, so that the first guess cannot hang a slow adapter.
    const target = 3 * bench.settings.target; // it stands beside cases of seconds
    for (let spent = 0; spent < target && made.#iterations < 2 ** 28; ) {
      made.#iterations = Math.min(2 ** 28, Math.ceil(made.#iterations * Math.min(8, (1.2 * target) / Math.max(spent, 0.1))));
      spent = (await made.run()).gpu * made.#gigaflops;
    }
    return made;
  }

  /** Milliseconds of 10⁹ floating-point operations, so that the figure does not depend on how many were run. */
  run = async (): Promise<Spent> => {
    this.#setIterations(this.#iterations);
    const spent = await this.bench.watch.gpu((encoder) => dispatch(encoder, this.bound, INVOCATIONS / 64, 1));
    return shared(spent, this.#gigaflops);
  };

  rate(time: Statistics) {
    return perSecond(1e9, time, 'GFLOP/s');
  }

  get #gigaflops(): number {
    return (FLOPS_PER_ITERATION * this.#iterations) / 1e9;
  }

  async check(): Promise<ErrorFigure> {
    const iterations = 3;
    this.#setIterations(iterations);
    const { device, readback } = this.bench.gpu;
    const encoder = device.createCommandEncoder();
    dispatch(encoder, this.bound, INVOCATIONS / 64, 1);
    const ticket = readback.copy(encoder, this.result, 256);
    device.queue.submit([encoder.finish()]);
    let worst = 0;
    for (const [at, got] of (await ticket.read()).entries()) {
      let expected = 0;
      for (const chain of chains) {
        let value = (at % 4) / 4 + Math.floor(at / 4) + chain + 0.125;
        for (let i = 0; i < iterations * UNROLLED; i++) value = value * SCALE + SHIFT;
        expected += value;
      }
      worst = Math.max(worst, Math.abs(got - expected) / Math.max(1, Math.abs(expected)));
    }
    return { of: 'sums', value: worst, limit: 1e-5 };
  }

  #setIterations(iterations: number): void {
    const data = new DataView(new ArrayBuffer(16));
    data.setUint32(0, iterations, true);
    for (const [index, value] of [SCALE, SHIFT, -1].entries()) data.setFloat32(4 + 4 * index, value, true);
    this.bench.gpu.device.queue.writeBuffer(this.params, 0, data.buffer);
  }
}

// The fixed point is 8: the chains neither overflow nor fall into denormal numbers, however long they run.
const SCALE = 0.875;
const SHIFT = 1;

export async function measureCeilings(bench: Bench): Promise<Row[]> {
  const { gpu, settings, watch, fma } = bench;
  const { device } = gpu;
  const bytes = settings.copyMebibytes[bench.software ? 'software' : 'hardware'] * 2 ** 20;
  const source = device.createBuffer({ size: bytes, usage: STORAGE | COPY_DST | COPY_SRC });
  const result = device.createBuffer({ size: bytes, usage: STORAGE | COPY_SRC });
  const pattern = Float32Array.from({ length: bytes / 4 }, (_, i) => i % 8191);
  device.queue.writeBuffer(source, 0, pattern);
  const copy = await bind(device, 'copy', copyCode, [source, result]);
  const empty = await bind(device, 'empty', emptyCode, []);
  const copyOnce = (encoder: GPUCommandEncoder, times: number) => dispatch(encoder, copy, bytes / 16 / 256, times);

  const read = async (size: number): Promise<Float32Array> => {
    const encoder = device.createCommandEncoder();
    const ticket = gpu.readback.copy(encoder, result, size / 4);
    device.queue.submit([encoder.finish()]);
    return ticket.read();
  };
  const copies = repetitions((await watch.gpu((encoder) => copyOnce(encoder, 1))).gpu, settings.target);
  const copied = await read(bytes);
  const copyError = { of: 'copied numbers that differ', value: copied.filter((value, i) => value !== pattern[i]).length, limit: 0 };
  const fmaError = await fma.check();

  const empties = 512;
  const times = await interleave(
    {
      fma: fma.run,
      copy: async () => shared(await watch.gpu((encoder) => copyOnce(encoder, copies)), copies),
      empty: async () => shared(await watch.gpu((encoder) => dispatch(encoder, empty, 1, empties)), empties),
      submit: async () => {
        await watch.drain();
        return wall(() => {
          device.queue.submit([device.createCommandEncoder().finish()]);
          return watch.drain();
        });
      },
      small: async () => {
        await watch.drain();
        return wall(() => read(4));
      },
      large: async () => {
        await watch.drain();
        return wall(() => read(Math.min(2 ** 20, bytes)));
      },
    },
    settings,
  );
  source.destroy();
  result.destroy();
  const names = { fma: 'multiply-adds, 1 GFLOP', copy: `copy, ${bytes / 2 ** 20} MiB read and written` };
  return [
    within(fmaError)
      ? row('ceilings', { name: names.fma, ...times.fma, rate: fma.rate(times.fma.time), errors: [fmaError] })
      : refused('ceilings', names.fma, [fmaError]),
    within(copyError)
      ? row('ceilings', { name: names.copy, ...times.copy, traffic: gigabytes(2 * bytes, times.copy.time), errors: [copyError] })
      : refused('ceilings', names.copy, [copyError]),
    row('ceilings', { name: 'empty dispatch inside a pass', ...times.empty, note: `mean of ${empties} in one pass` }),
    row('ceilings', { name: 'empty submission, to done', ...times.submit, note: 'by the wall' }),
    row('ceilings', { name: 'readback of 4 B', ...times.small, note: 'by the wall' }),
    row('ceilings', { name: 'readback of 1 MiB', ...times.large, note: 'by the wall' }),
  ];
}
