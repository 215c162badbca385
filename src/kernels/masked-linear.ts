import { defineRule } from '../runtime/derivative.js';
import { ceilDiv } from '../runtime/kernel.js';
import { NONE } from '../runtime/tensor.js';
import { accumulate } from './accumulate.js';
import * as source from './generated/masked-linear.js';
import { tileKernel } from './geometry.js';
import { permute } from './permute.js';

/** Outputs that one invocation computes; weights are packed in strips of as many. */
export const STRIP = 8;

interface Packed {
  readonly weight: Float32Array<ArrayBuffer>;
  readonly bias: Float32Array<ArrayBuffer>;
  readonly ranges: Uint32Array<ArrayBuffer>;
}

const transposes = new WeakMap<Float32Array | Uint32Array, Packed>();

/** The transposed layer without bias, packed; a strip's run of inputs ends at its outermost non-zeros. */
function transposed(weight: Float32Array | Uint32Array, inputs: number, outputs: number): Packed {
  const known = transposes.get(weight);
  if (known) return known;
  const strips = ceilDiv(inputs, STRIP);
  const packed = {
    weight: new Float32Array(strips * outputs * STRIP),
    bias: new Float32Array(3 * strips * STRIP),
    ranges: new Uint32Array(2 * strips),
  };
  for (let k = 0; k < inputs; k++) {
    const strip = Math.floor(k / STRIP);
    for (let o = 0; o < outputs; o++) {
      const value = weight[(Math.floor(o / STRIP) * inputs + k) * STRIP + (o % STRIP)]!;
      if (value === 0) continue;
      packed.weight[(strip * outputs + o) * STRIP + (k % STRIP)] = value;
      const empty = packed.ranges[2 * strip + 1] === 0;
      packed.ranges[2 * strip] = empty ? o : Math.min(packed.ranges[2 * strip]!, o);
      packed.ranges[2 * strip + 1] = Math.max(packed.ranges[2 * strip + 1]!, o + 1);
    }
  }
  transposes.set(weight, packed);
  return packed;
}

export const maskedLinear = /*#__PURE__*/ tileKernel(
  source.maskedLinear,
  ({ buffers: { ranges }, params: { inputs, outputs, blocks } }) => {
    if (ranges.kind !== 'constant') return inputs * outputs * blocks;
    let taken = 0;
    for (let at = 0; at < ranges.data.length; at += 2) taken += ranges.data[at + 1]! - ranges.data[at]!;
    return taken * STRIP * blocks;
  },
  ({ outputs, blocks }) => [ceilDiv(outputs, STRIP), blocks],
);

export const maskedLinearRule = /*#__PURE__*/ defineRule(maskedLinear, (r, { buffers: { x, weight }, params, constants }, gradients) => {
  const dY = gradients.of('y');
  if (!dY) return;
  if (constants.ACTIVATION || constants.GATE || constants.RAW || constants.SCALE || weight.kind !== 'constant')
    throw new TypeError(`${r.place}: a linear layer with more than a bias and an addend is fused; it has no derivative rule`);
  const { inputs, outputs, blocks, x_at, x_features, y_at, y_features } = params;
  const dAddend = constants.ADDEND ? gradients.into('addend') : null;
  if (dAddend) {
    const index = r.constant(
      Uint32Array.from({ length: outputs }, (_, f) => y_at + f),
      'slice',
    );
    accumulate(r, dAddend, (into) =>
      r.run(permute, { buffers: { x: dY, index, y: into }, params: { features: outputs, source_features: y_features } }),
    );
  }
  const dX = gradients.into('x', inputs * blocks !== x_features);
  if (!dX || x.kind !== 'tiled') return;
  const packed = transposed(weight.data, inputs, outputs);
  // The product overwrites its slice, so a target that holds something takes it from a tensor of its own.
  accumulate(r, dX, (y) =>
    r.run(maskedLinear, {
      buffers: {
        x: dY,
        weight: r.constant(packed.weight, `transposed ${weight.label}`),
        bias: r.constant(packed.bias, 'no bias'),
        ranges: r.constant(packed.ranges, 'ranges'),
        addend: NONE,
        gate: NONE,
        y,
        raw: r.tiled(1, 'unused'),
      },
      params: {
        inputs: outputs,
        outputs: inputs,
        x_features: y_features,
        x_at: y_at,
        addend_features: 1,
        addend_at: 0,
        gate_features: 1,
        gate_at: 0,
        y_features: x_features,
        y_at: x_at,
        raw_features: 1,
        blocks,
      },
    }),
  );
});
