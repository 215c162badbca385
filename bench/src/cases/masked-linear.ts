// The layer that everything else is made of, through the library's own packing, by each variant of the kernel.

import { identityOrder, packLinear } from '../../../src/flows/conditioner/packing.js';
import { uniformGenerator } from '../../../src/flows/recipes/initial.js';
import { ACTIVATION_NUMBER } from '../../../src/kernels/activation.js';
import { maskedLinear } from '../../../src/kernels/masked-linear.js';
import { pack } from '../../../src/kernels/pack.js';
import { shapeOf } from '../../../src/runtime/choices.js';
import type { Executable } from '../../../src/runtime/executable.js';
import type { Kernel } from '../../../src/runtime/kernel.js';
import type { Program } from '../../../src/runtime/program.js';
import { Recorder } from '../../../src/runtime/recorder.js';
import { NONE, TILE } from '../../../src/runtime/tensor.js';
import { fuse } from '../../../src/tuning/fusion.js';
import { quadLayersIn, quadLinearKernel } from '../../../src/tuning/quad-layers.js';
import { families } from '../../../src/tuning/variants.js';
import { total } from '../compile.js';
import { interleave, repetitions, shared, type Variant } from '../measure.js';
import { type ErrorFigure, gigabytes, perSecond, type Row, refused, row, within } from '../results.js';
import type { Bench } from '../run.js';
import { bytesOf } from '../traffic.js';
import { runProgram, spread, worse } from '../verify.js';

interface Layer {
  readonly rows: number;
  readonly width: number;
  readonly x: Float32Array;
  readonly weight: Float32Array;
  readonly mask: Uint8Array | null;
  readonly bias: Float32Array;
}

/** The masked layer is MADE's with one hidden unit a degree: output o reads inputs 0 … o. */
function makeLayer(rows: number, width: number, masked: boolean): Layer {
  const uniform = uniformGenerator(masked ? 2 : 1);
  const draw = (length: number, scale: number) => Float32Array.from({ length }, () => (2 * uniform() - 1) * scale);
  const mask = masked ? Uint8Array.from({ length: width * width }, (_, at) => (Math.floor(at / width) >= at % width ? 1 : 0)) : null;
  return { rows, width, x: draw(rows * width, 1), weight: draw(width * width, 1 / Math.sqrt(width)), mask, bias: draw(width, 1) };
}

const nonZeros = ({ width, mask }: Layer): number => (mask === null ? width ** 2 : mask.reduce((sum, open) => sum + open, 0));

/** x in tiles of 64 rows (src/runtime/tensor.ts), so that the program begins with the layer itself. */
function tiled({ rows, width, x }: Layer): Float32Array<ArrayBuffer> {
  const tiles = Math.ceil(rows / TILE);
  const data = new Float32Array(tiles * width * TILE);
  for (let at = 0; at < x.length; at++) {
    const [r, f] = [Math.floor(at / width), at % width];
    data[(Math.floor(r / TILE) * width + f) * TILE + (r % TILE)] = x[at]!;
  }
  return data;
}

/** The layer `times` times; `read` brings the last result out. */
function program(layer: Layer, times: number, read: boolean): Program {
  const { width } = layer;
  const order = identityOrder(width);
  const packed = packLinear({ ...layer, inputs: width }, order, order);
  const r = new Recorder('bench');
  const x = r.constant(tiled(layer), 'x');
  const weight = r.constant(packed.weight, 'weight');
  const bias = r.constant(packed.bias, 'bias');
  const ranges = r.constant(packed.ranges, 'ranges');
  for (let i = 0; i < times; i++) {
    const y = r.tiled(width, 'y');
    r.run(maskedLinear, {
      buffers: { x, weight, bias, ranges, addend: NONE, gate: NONE, y, raw: r.tiled(1, 'unused') },
      params: {
        inputs: width,
        outputs: width,
        x_features: width,
        x_at: 0,
        addend_features: 1,
        addend_at: 0,
        gate_features: 1,
        gate_at: 0,
        y_features: width,
        y_at: 0,
        raw_features: 1,
        blocks: 1,
      },
      constants: { ACTIVATION: ACTIVATION_NUMBER.relu },
    });
    if (read && i === times - 1)
      r.run(pack.unpack, { buffers: { tensor: y, result: r.external('y', width) }, params: { features: width, is_context: 0 } });
  }
  return r.finish();
}

/** Against float64 in the sum of absolute terms, times float32's unit: the bound that the kernel states is 24 + inputs / 24. */
function check(layer: Layer, y: Float32Array, rows: readonly number[]): ErrorFigure {
  const { width } = layer;
  let worst = 0;
  for (const r of rows) {
    for (let o = 0; o < width; o++) {
      let sum = layer.bias[o]!;
      let size = Math.abs(sum);
      for (let i = 0; i < width; i++) {
        if (layer.mask !== null && layer.mask[o * width + i] === 0) continue;
        const term = layer.weight[o * width + i]! * layer.x[r * width + i]!;
        sum += term;
        size += Math.abs(term);
      }
      worst = worse(worst, Math.abs(y[r * width + o]! - Math.max(0, sum)) / size / 2 ** -24);
    }
  }
  return { of: 'units of sum |weight x|', value: worst, limit: 24 + width / 24 };
}

interface Measured {
  readonly name: string;
  readonly layer: Layer;
  readonly kernel: Kernel;
  readonly error: ErrorFigure;
  readonly compile: number;
  readonly variant: Variant | null;
}

export async function measureMaskedLinear(bench: Bench): Promise<Row[]> {
  const { gpu, settings, watch, fma } = bench;
  const { rows, width } = settings.linear;
  const residents = gpu.residents();
  const executables: Executable[] = [];
  const layers = { dense: makeLayer(rows, width, false), masked: makeLayer(rows, width, true) };
  await gpu.choices.ready();
  const chosen = gpu.choices.of(gpu.choices.fuse(program(layers.dense, 1, false)).commands[0]!, 'many').source.name;
  const kernels = [maskedLinear as unknown as Kernel, ...families['masked-linear']!.many, quadLinearKernel].filter(gpu.choices.compiles);
  const fuseByRule = gpu.choices.fuse;
  const measured: Measured[] = [];
  for (const [name, layer] of Object.entries(layers)) {
    const [command] = program(layer, 1, false).commands;
    const choice = `many ${shapeOf(command!)}`;
    for (const kernel of kernels) {
      bench.progress(`masked-linear: ${name}, ${kernel.source.name}`);
      gpu.choices.measured.set(choice, kernel);
      gpu.choices.fuse = (recorded) => fuse(recorded, quadLayersIn(recorded), () => kernel === quadLinearKernel);
      try {
        const compile = total((await bench.compileTimes.of(program(layer, 1, false))).compiled);
        const error = check(layer, await runProgram(gpu, program(layer, 1, true), 'y', rows), spread(rows, settings.checkedRows));
        const measure = async (times: number) => {
          const executable = await gpu.compile(program(layer, times, false), residents);
          executables.push(executable);
          executable.reserve(rows);
          return async () => shared(await watch.gpu((encoder) => executable.encode(encoder, { rows, externals: {} })), times);
        };
        const variant = within(error) ? await measure(repetitions((await (await measure(1))()).gpu, settings.target)) : null;
        measured.push({ name, layer, kernel, error, compile, variant });
      } finally {
        gpu.choices.measured.delete(choice);
        gpu.choices.fuse = fuseByRule;
      }
    }
  }
  const keyOf = ({ name, kernel }: Pick<Measured, 'name' | 'kernel'>) => `${name} ${kernel.source.name}`;
  const variants: Record<string, Variant> = { fma: fma.run };
  for (const one of measured) if (one.variant) variants[keyOf(one)] = one.variant;
  const times = await interleave(variants, settings);
  for (const executable of executables) executable.dispose();
  residents.dispose();

  const ceiling = fma.rate(times.fma!.time);
  const found = measured.map((one): Row => {
    const { name, layer, kernel, error, compile } = one;
    const title = `${name} ${width} → ${width}, ${rows} rows, ${kernel.source.name}`;
    const timed = times[keyOf(one)];
    if (!timed) return refused('masked-linear', title, [error]);
    const { time } = timed;
    const [command] = program(layer, 1, false).commands;
    const rate = perSecond(2 * nonZeros(layer) * rows, time, 'GFLOP/s');
    const dense = times[keyOf({ name: 'dense', kernel })];
    const open = `${((100 * nonZeros(layer)) / width ** 2).toFixed(1)} % of the weights open`;
    return row('masked-linear', {
      name: title,
      ...timed,
      rate,
      traffic: gigabytes(bytesOf(command!, rows), time),
      compile,
      ofCeiling: rate.value / ceiling.value,
      ratio: name === 'dense' || !dense ? null : { value: time.median / dense.time.median, to: 'dense' },
      errors: [error],
      note: kernel.source.name === chosen ? `${open}; what flows run here` : open,
    });
  });
  return [row('masked-linear', { name: 'multiply-adds, 1 GFLOP, same rounds', ...times.fma!, rate: ceiling }), ...found];
}
