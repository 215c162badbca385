// Weights of a linear layer as masked-linear.wgsl and its variants read them: strips of 8 outputs, with the run of inputs that masks let through.

import { ceilDiv, defineKernel, type Kernel, type KernelSource } from '../runtime/kernel.js';
import { type ConstantTensor, type Origin, type Tensor, TILE } from '../runtime/tensor.js';
import { tileKernel } from './geometry.js';

/** Outputs that one invocation computes; weights are packed in strips of as many. */
export const STRIP = 8;

export interface PackedLinear {
  readonly inputs: number;
  readonly outputs: number;
  /** [ceil(outputs / 8), inputs, 8]. */
  readonly weight: Float32Array<ArrayBuffer>;
  /** [3, 8 ceil(outputs / 8)]: bias, norm scale, norm shift; zeros without a norm, when nobody reads them. */
  readonly bias: Float32Array<ArrayBuffer>;
  /** [ceil(outputs / 8), 2]: first input, and one past the last, that a strip's masks let through. */
  readonly ranges: Uint32Array<ArrayBuffer>;
  /** Of weights that are computed. */
  readonly origin?: ConstantTensor['origin'];
  /** Of weights that are fused. */
  readonly parts?: ConstantTensor['parts'];
}

export interface LinearSource {
  /** [outputs, inputs], row-major. */
  readonly weight: Float32Array;
  readonly mask?: Uint8Array | null;
  readonly bias?: Float32Array | null;
  readonly inputs: number;
  readonly norm?: { readonly scale: Float64Array; readonly shift: Float64Array } | null;
  /** What weights that are computed come from; `place` of a packed one is 1 + its index here, 0 for padding. */
  readonly originOf?: ((place: Float32Array<ArrayBuffer>) => Origin) | undefined;
}

/**
 * Packs rows `outputOrder` of a linear layer, reading its inputs in the order `inputOrder`. Both default to the order that they have.
 *
 * @param outputOrder source row of each packed output; −1 for a padding row of zeros.
 * @param inputOrder source column of each packed input.
 */
export function packLinear(
  source: LinearSource,
  outputOrder: ArrayLike<number> = identityOrder(source.weight.length / source.inputs),
  inputOrder: ArrayLike<number> = identityOrder(source.inputs),
): PackedLinear {
  const outputs = outputOrder.length;
  const inputs = inputOrder.length;
  const strips = Math.ceil(outputs / STRIP);
  const weight = new Float32Array(strips * inputs * STRIP);
  const bias = new Float32Array(3 * strips * STRIP);
  const ranges = new Uint32Array(strips * 2);
  const place = new Float32Array(source.originOf ? weight.length : 0);
  for (let strip = 0; strip < strips; strip++) {
    let begin = inputs;
    let end = 0;
    for (let lane = 0; lane < STRIP; lane++) {
      const packed = strip * STRIP + lane;
      const row = packed < outputs ? outputOrder[packed]! : -1;
      if (row < 0) continue;
      bias[packed] = source.bias?.[row] ?? 0;
      bias[strips * STRIP + packed] = source.norm?.scale[row] ?? 0;
      bias[2 * strips * STRIP + packed] = source.norm?.shift[row] ?? 0;
      for (let k = 0; k < inputs; k++) {
        const at = row * source.inputs + inputOrder[k]!;
        if (source.mask?.[at] === 0) continue;
        weight[(strip * inputs + k) * STRIP + lane] = source.weight[at]!;
        place[(strip * inputs + k) * STRIP + lane] = 1 + at;
        if (k < begin) begin = k;
        if (k + 1 > end) end = k + 1;
      }
    }
    ranges[strip * 2] = Math.min(begin, end);
    ranges[strip * 2 + 1] = end;
  }
  return { inputs, outputs, weight, bias, ranges, ...(source.originOf && { origin: { of: source.originOf(place), table: 'weight' } }) };
}

export const identityOrder = (count: number): Uint32Array<ArrayBuffer> => Uint32Array.from({ length: count }, (_, i) => i);

/** Every variant's: multiply-adds of a row. */
export const linearMultiplyAdds = ({ buffers: { ranges }, params: { inputs, outputs, blocks = 1 } }: LinearCost): number => {
  if (ranges.kind !== 'constant') return inputs * outputs * blocks;
  let taken = 0;
  for (let strip = 0; strip < ceilDiv(outputs, STRIP); strip++) taken += ranges.data[2 * strip + 1]! - ranges.data[2 * strip]!;
  return taken * STRIP * blocks;
};

/** The same of a gradient by weights, over rows and pixels. */
export const weightMultiplyAdds = ({
  params: { inputs, outputs, kernel, height, width },
}: {
  readonly params: Readonly<Record<'inputs' | 'outputs' | 'kernel' | 'height' | 'width', number>>;
}): number => inputs * outputs * kernel * kernel * height * width;

type QuadSource = KernelSource & {
  readonly buffers: { readonly ranges: unknown };
  readonly params: { readonly fields: Readonly<Record<'inputs' | 'outputs', unknown>> };
};

type StripSource = QuadSource & { readonly params: { readonly fields: { readonly blocks: unknown } } };

/** A kernel of which one invocation computes `strips` strips. */
export const stripKernel = <const S extends StripSource>(source: S, strips = 1): Kernel<S> =>
  tileKernel<StripSource>(source, linearMultiplyAdds, ({ outputs, blocks }) => [
    ceilDiv(outputs, strips * STRIP),
    blocks,
  ]) as unknown as Kernel<S>;

/** Inputs of a chunk in shaders/lib/linear-quad.wgsl and linear-broadcast.wgsl. */
const CHUNK = 64;
/** Outputs of an invocation of these. */
export const OUTPUTS = 128;

/** Whether there are more inputs than a chunk has, and the eights of them that are held. */
const chunks = (inputs: number) => {
  const MORE = inputs > CHUNK;
  return { MORE, EIGHTS: MORE ? CHUNK / STRIP : ceilDiv(inputs, STRIP) };
};

/**
 * A kernel of which a workgroup computes 128 outputs of a tile of rows.
 *
 * @param short runs of 8 inputs, not 24.
 */
export const broadcastKernel = <const S extends StripSource>(source: S, short = false): Kernel<S> => ({
  ...stripKernel(source, OUTPUTS / STRIP),
  settings: ({ inputs }) => ({ ...chunks(inputs!), SHORT: short }),
});

/** Outputs of which one invocation of a quad loads one each. */
const THIN_OUTPUTS = 4;

/**
 * A kernel of which a workgroup, a quad, computes 128 outputs of half a tile of rows, and goes on where there are more inputs than a chunk has.
 *
 * @param short runs of 8 inputs, not 24.
 */
export const quadKernel = <const S extends QuadSource>(source: S, short = false): Kernel<S> => ({
  ...(defineKernel<QuadSource>(
    source,
    (rows, { outputs, blocks = 1 }: LinearCost['params']) => [ceilDiv(rows, TILE / 2), ceilDiv(outputs, OUTPUTS), blocks],
    linearMultiplyAdds,
  ) as unknown as Kernel<S>),
  settings: (params) => {
    const { inputs, outputs } = params as LinearCost['params'];
    const THIN = outputs <= THIN_OUTPUTS;
    const held = chunks(THIN ? CHUNK : inputs); // a thin layer holds nothing
    return { THIN, ...held, SHORT: short, RAGGED: THIN || inputs % (held.EIGHTS * STRIP) !== 0 };
  },
});

/** A kernel with a workgroup for each strip and 8 rows. */
export const fewRowsKernel = <const S extends StripSource>(source: S): Kernel<S> =>
  defineKernel<StripSource>(
    source,
    (rows, { outputs, blocks }) => [ceilDiv(rows, 8), ceilDiv(outputs, STRIP), blocks],
    linearMultiplyAdds,
  ) as unknown as Kernel<S>;

interface LinearCost {
  readonly buffers: { readonly ranges: Tensor };
  readonly params: { readonly inputs: number; readonly outputs: number; readonly blocks?: number };
}
