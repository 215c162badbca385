import type { NetDescription, OpDescription } from '../../format/description.js';
import type { Gpu } from '../../runtime/gpu.js';
import { elementwiseOps } from '../build/elementwise.js';
import { planarOps } from '../build/planar.js';
import { check, checkInteger, checkOneOf } from '../checks.js';
import type { Flow } from '../flow.js';
import { buildFresh, type RecipeOptions, resolveOptions, TensorWriter } from './initial.js';
import { writeLinear } from './linear.js';

export interface PlanarOptions extends RecipeOptions {
  /** h. Default 'tanh'. */
  readonly activation?: 'tanh' | 'leaky_relu';
  /** Slope of the leaky ReLU below 0, in [0, 1]. Default 0.2. */
  readonly negativeSlope?: number;
}

export interface SylvesterOptions extends RecipeOptions {
  /** M, hidden units of a layer, at most D. Default the smaller of D and 16. */
  readonly units?: number;
  /** Q: a product of Householder reflections, or the identity with the order of the features reversed in every other layer. */
  readonly basis?: 'householder' | 'triangular';
  /** Reflections of a Householder layer. Default the smaller of D and 4. */
  readonly reflections?: number;
}

/** The one tensor, or the part of a network's last bias, that a parameter starts from. */
interface Parameter {
  readonly key: string;
  readonly shape: number[];
  readonly data: Float32Array;
}

const DEFAULT_LAYERS = 16;

/**
 * Writes a layer's parameters, as tensors or, with a context, as a network whose last bias holds them, in this order.
 *
 * @returns the keys of the op that name them.
 */
function writeParameters(
  writer: TensorWriter,
  prefix: string,
  parameters: readonly Parameter[],
  { contextDim, hidden }: Pick<Required<RecipeOptions>, 'contextDim' | 'hidden'>,
): { net: NetDescription } | Record<string, string> {
  if (contextDim === 0) {
    for (const { key, shape, data } of parameters) writer.float(`${prefix}.${key}`, shape, data);
    return Object.fromEntries(parameters.map(({ key }) => [key, `${prefix}.${key}`]));
  }
  const start = parameters.flatMap(({ data }) => Array.from(data));
  const linears = writer.linears(`${prefix}.net`, [contextDim, ...hidden, start.length]);
  writer.float(`${linears.at(-1)}.bias`, [start.length], Float32Array.from(start));
  return { net: { type: 'zuko_mlp', linears, activation: 'relu', context_concat: false } };
}

/**
 * A fresh planar flow: each layer bends space along one direction. Sampling is a formula, density solves one scalar equation a row and
 * layer. With a context, a network gives the parameters of every row. Rezende and Mohamed 2015, arXiv:1505.05770.
 *
 * ```ts
 * const flow = await planar(gpu, { dim: 2, layers: 16, seed: 1 });
 * const { x, logProb } = await flow.sampleWithLogProb(1000, { seed: 7 }); // [1000, 2], nats
 * ```
 *
 * @param options `layers` is 16 by default; `hidden` is used with `contextDim` > 0 alone.
 * @throws ValueError for an option out of range.
 */
export async function planar(gpu: Gpu, options: PlanarOptions): Promise<Flow> {
  const resolved = resolveOptions('planar', { layers: DEFAULT_LAYERS, ...options });
  const { dim, layers, seed } = resolved;
  const { activation = 'tanh', negativeSlope = 0.2 } = options;
  checkOneOf('planar: activation', activation, ['tanh', 'leaky_relu']);
  check(negativeSlope >= 0 && negativeSlope <= 1, 'planar: negativeSlope', 'a number in [0, 1]', negativeSlope);
  const writer = new TensorWriter(seed);
  const structure = Array.from({ length: layers }, (_, layer): OpDescription => {
    const w = writer.draws(dim, Math.sqrt(2 / dim));
    const size = Math.hypot(...w);
    if (size < 0.5)
      w.forEach((value, f) => {
        w[f] = size === 0 ? 0.5 : (value * 0.5) / size;
      }); // û grows as 1 / |w|
    const parameters = [
      { key: 'b', shape: [1], data: writer.draws(1, 1) },
      { key: 'u', shape: [dim], data: writer.draws(dim, Math.sqrt(2 / dim)) },
      { key: 'w', shape: [dim], data: w },
    ];
    const source = writeParameters(writer, `layers.${layer}`, parameters, resolved);
    return { op: 'planar', ...source, activation, ...(activation === 'leaky_relu' && { negative_slope: negativeSlope }) };
  });
  return buildFresh(gpu, options, structure, writer, planarOps);
}

/**
 * A fresh radial flow: each layer moves points away from a centre or towards it. Both directions are formulas. With a context, a network
 * gives the parameters of every row. Rezende and Mohamed 2015, arXiv:1505.05770.
 *
 * ```ts
 * const flow = await radial(gpu, { dim: 2, contextDim: 3, hidden: [32] });
 * const logProb = await flow.logProb(x, { context }); // x [n, 2], context [n, 3]
 * ```
 *
 * @param options `layers` is 16 by default; `hidden` is used with `contextDim` > 0 alone.
 * @throws ValueError for an option out of range.
 */
export async function radial(gpu: Gpu, options: RecipeOptions): Promise<Flow> {
  const resolved = resolveOptions('radial', { layers: DEFAULT_LAYERS, ...options });
  const { dim, layers, seed } = resolved;
  const writer = new TensorWriter(seed);
  const structure = Array.from({ length: layers }, (_, layer): OpDescription => {
    const parameters = [
      { key: 'z0', shape: [dim], data: writer.draws(dim, 1.5) },
      { key: 'alpha', shape: [1], data: writer.draws(1, 1) },
      { key: 'beta', shape: [1], data: writer.draws(1, 1) },
    ];
    return { op: 'radial', ...writeParameters(writer, `layers.${layer}`, parameters, resolved), alpha_map: 'softplus' };
  });
  return buildFresh(gpu, options, structure, writer, planarOps);
}

/**
 * A fresh Sylvester flow: planar layers with M hidden units. Sampling is a formula, density solves M scalar equations a row and layer.
 * With a context, a network gives both triangles and the biases of every row; Q stays the same for all. Van den Berg et al. 2018,
 * arXiv:1803.05649.
 *
 * ```ts
 * const flow = await sylvester(gpu, { dim: 8, layers: 4, units: 4, seed: 1 });
 * const { z, logDet } = await flow.forward(x); // x [n, 8]
 * ```
 *
 * @param options `layers` is 16 by default; `hidden` is used with `contextDim` > 0 alone.
 * @throws ValueError for an option out of range: more units than features, or a triangular basis with fewer.
 */
export async function sylvester(gpu: Gpu, options: SylvesterOptions): Promise<Flow> {
  const resolved = resolveOptions('sylvester', { layers: DEFAULT_LAYERS, ...options });
  const { dim, layers, contextDim, seed } = resolved;
  const { basis = 'householder' } = options;
  checkOneOf('sylvester: basis', basis, ['householder', 'triangular']);
  const householder = basis === 'householder';
  const { units = householder ? Math.min(dim, 16) : dim, reflections = Math.min(dim, 4) } = options;
  checkInteger('sylvester: units', units, 1, dim);
  check(householder || units === dim, 'sylvester: units', `${dim}, all features, for a triangular basis`, units);
  checkInteger('sylvester: reflections', reflections, 1);
  const writer = new TensorWriter(seed);
  const [reverse] = writeLinear(writer, 'reverse', dim, 'reverse') as [OpDescription];
  const structure = Array.from({ length: layers }, (_, layer): OpDescription[] => {
    const prefix = `layers.${layer}`;
    const bound = 1 / Math.sqrt(units);
    const [above, aboveTilde] = [writer.draws(units * units, bound), writer.draws(units * units, bound)];
    const triangle = (values: Float32Array) => values.map((value, at) => (at % units >= Math.floor(at / units) ? value : 0));
    const transposed = (i: number, j: number) => aboveTilde[j * units + i]!;
    const both = above.map((value, at) => {
      const [i, j] = [Math.floor(at / units), at % units];
      return j < i ? transposed(i, j) : value;
    });
    const b = { key: 'b', shape: [units], data: writer.draws(units, 1) };
    const diagonal = Float32Array.from({ length: units }, (_, i) => aboveTilde[i * units + i]!);
    const square = [units, units];
    // A network lists both triangles as one matrix; see shaders/sylvester.wgsl.
    const parameters =
      contextDim > 0
        ? [{ key: 'matrix', shape: square, data: both }, { key: 'diagonal', shape: [units], data: diagonal }, b]
        : [{ key: 'r', shape: square, data: triangle(above) }, { key: 'r_tilde', shape: square, data: triangle(aboveTilde) }, b];
    const source = writeParameters(writer, prefix, parameters, resolved);
    if (!householder) {
      const op: OpDescription = { op: 'sylvester', units, ...source };
      return layer % 2 === 0 ? [op] : [reverse, op, reverse];
    }
    writer.float(`${prefix}.householder`, [reflections, dim], writer.draws(reflections * dim, 1));
    return [{ op: 'sylvester', units, ...source, householder: `${prefix}.householder` }];
  });
  return buildFresh(gpu, options, structure.flat(), writer, { ...elementwiseOps, ...planarOps });
}
