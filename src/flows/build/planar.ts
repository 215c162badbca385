// Planar, radial and Sylvester ops: parameters as tensors, or a net of the context.

import type { NetDescription } from '../../format/description.js';
import { needs } from '../../format/needs.js';
import { FormatError } from '../../runtime/errors.js';
import { type PlanarActivation, packPlanar, planarLayer } from '../bijectors/planar.js';
import { packRadial, radialLayer } from '../bijectors/radial.js';
import { listSylvester, packSylvester, sylvesterLayer } from '../bijectors/sylvester.js';
import type { Conditioner } from '../conditioner/conditioner.js';
import { softplus } from '../scalar.js';
import { contextConditioner } from './conditioner.js';
import type { BuildContext, OpBuilders, OpOf } from './op.js';
import type { StateReader } from './state.js';

/** [1], or a scalar. */
const scalarOf = (state: StateReader, name: string): number => state.parameter(name, state.shapeOf(name).length === 0 ? [] : [1])[0]!;

/** A net of the context, with all its outputs as one head. */
const contextNet = (net: NetDescription, outputs: number, context: BuildContext): Conditioner =>
  contextConditioner(net, outputs, { view: 'by slot', places: [0] }, context);

function activationOf(op: OpOf<'planar'>, place: string): PlanarActivation {
  if (op.activation === 'tanh') return { kind: 'tanh' };
  const slope = op.negative_slope ?? Number.NaN;
  // Beyond 1 the bound on w·u no longer keeps 1 + w·u h' positive.
  needs(slope >= 0 && slope <= 1, `${place}.negative_slope`, 'a number in [0, 1]', op.negative_slope);
  return { kind: 'leaky_relu', slope };
}

/** Vectors of the reflections that give Q of a Sylvester layer, or null for the identity. */
function basisOf(op: OpOf<'sylvester'>, { state, inputs: dim, place }: BuildContext): Float32Array | null {
  if (!op.householder) return op.units === dim ? null : new Float32Array();
  const vectors = state.parameter(op.householder, [null, dim]);
  for (let at = 0; at < vectors.length; at += dim)
    if (vectors.subarray(at, at + dim).every((value) => value === 0))
      throw new FormatError(`${place}: ${op.householder}`, `needs vectors other than 0; row ${at / dim} is 0`);
  return vectors;
}

export const planarOps = {
  planar(op, context) {
    const { state, inputs: dim, place } = context;
    const activation = activationOf(op, place);
    if (op.net) return planarLayer(dim, { conditioner: contextNet(op.net, 2 * dim + 1, context) }, activation);
    const [u, w] = [state.row(op.u!, [dim]), state.row(op.w!, [dim])];
    const b = scalarOf(state, op.b!);
    return planarLayer(dim, { table: packPlanar(u, w, b), raw: Float32Array.of(b, ...u, ...w) }, activation);
  },

  radial(op, context) {
    const { state, inputs: dim, place } = context;
    const softplusAlpha = op.alpha_map === 'softplus';
    if (op.net) return radialLayer(dim, { conditioner: contextNet(op.net, dim + 2, context) }, softplusAlpha);
    const size = op.z0!.replace(/[^.]*$/, 'd'); // normflows stores the number of features beside
    if (state.has(size)) state.checkIndices(size, [dim]);
    const [center, stored] = [state.row(op.z0!, [dim]), scalarOf(state, op.alpha!)];
    const alpha = softplusAlpha ? softplus(stored) : Math.abs(stored);
    needs(Math.fround(alpha) > 0, `${place}: ${op.alpha}`, 'an alpha other than 0, at which the map leaves out a ball', stored);
    const beta = scalarOf(state, op.beta!);
    return radialLayer(dim, { table: packRadial(center, alpha, beta), raw: Float32Array.of(...center, stored, beta) }, softplusAlpha);
  },

  sylvester(op, context) {
    const { state, inputs: dim, place } = context;
    const { units } = op;
    needs(units <= dim, `${place}.units`, `at most ${dim}, the number of features`, units);
    const basis = basisOf(op, context);
    if (op.net) return sylvesterLayer(dim, units, { conditioner: contextNet(op.net, units * (units + 2), context) }, basis);
    const [r, rTilde] = [op.r!, op.r_tilde!].map((name) => state.parameter(name, [units, units]));
    const raw = listSylvester(r!, rTilde!, state.parameter(op.b!, [units]));
    return sylvesterLayer(dim, units, { table: packSylvester(raw, units), raw }, basis);
  },
} satisfies OpBuilders;
