// Reads the neutral description of a flow (docs/format.md): the schema first, then the rules that a schema cannot say.

import { FormatError } from '../runtime/errors.js';
import type { FlowDescription, NetDescription, OpDescription } from './description.js';
import { flowSchema } from './flow-schema.js';
import { metadataWith, readMetadata } from './metadata.js';
import { needs } from './needs.js';
import { validate } from './schema.js';
import { product } from './shape.js';

/** The key of a saved file's `__metadata__` that holds the description as a JSON string. */
const metadataKey = 'flow';

/** The JSON schema of the description, version 1: the one source of what is required. */
export const flowFormatSchema = /*#__PURE__*/ flowSchema();

/** Each of 0 … count - 1 exactly once. */
function checkIndices(indices: readonly number[], count: number, path: string): void {
  const once = new Set(indices).size === indices.length && indices.every((index) => index < count);
  needs(once && indices.length === count, path, `each of 0 to ${count - 1} once`, JSON.stringify(indices));
}

function checkLength(list: readonly number[], count: number, path: string): void {
  needs(list.length === count, path, `${count} entries, one a feature`, list.length);
}

/** Whether the net reads a context. */
const readsContext = (net: NetDescription): boolean =>
  ('context_proj' in net && typeof net.context_proj === 'string') ||
  ('context_concat' in net && net.context_concat === true) ||
  ('context' in net && net.context);

function checkContext(reads: boolean, contextFeatures: number, path: string): void {
  if (reads && contextFeatures === 0) throw new FormatError(path, 'reads a context; the description has context_features 0');
}

/** The tensors that the same parameters for all rows need; a `net` of the context gives one set a row instead. */
const ROW_PARAMETERS: Partial<Record<OpDescription['op'], readonly string[]>> = {
  planar: ['u', 'w', 'b'],
  radial: ['z0', 'alpha', 'beta'],
  sylvester: ['r', 'r_tilde', 'b'],
};

function checkRowParameters(op: OpDescription, contextFeatures: number, path: string): void {
  const keys = ROW_PARAMETERS[op.op];
  if (!keys) return;
  const given = keys.filter((key) => key in op);
  const net = 'net' in op && op.net !== undefined;
  const got = [...given, ...(net ? ['net'] : [])].join(', ') || 'none of them';
  needs(given.length === (net ? 0 : keys.length), path, `either net or all of ${keys.join(', ')}`, got);
  checkContext(net, contextFeatures, `${path}.net`);
}

function checkOp(op: OpDescription, features: number, contextFeatures: number, path: string): void {
  checkContext('net' in op && op.net !== undefined && readsContext(op.net), contextFeatures, `${path}.net`);
  checkRowParameters(op, contextFeatures, path);
  if ('order' in op && op.order) checkLength(op.order, features, `${path}.order`);
  if ('mask' in op) checkLength(op.mask, features, `${path}.mask`);
  if ('transform' in op) checkIndices([...op.identity, ...op.transform], features, `${path}.identity and transform together`);
  if (op.op === 'permute') checkIndices(op.perm, features, `${path}.perm`);
  if (op.op === 'batchnorm' && op.gamma && !op.gamma_map) {
    throw new FormatError(path, 'needs the key "gamma_map" to say how gamma becomes a scale');
  }
  if (op.op === 'zuko_elementwise') {
    const { net, phi } = op;
    needs((net === undefined) !== (phi === undefined), path, 'either net or phi', net === undefined ? 'neither' : 'both');
  }
  if (op.op === 'split') {
    const { latent } = op;
    const once = latent.every((feature, i) => feature < features && latent.indexOf(feature) === i);
    needs(
      once && latent.length < features,
      `${path}.latent`,
      `some of the features 0 to ${features - 1}, once each`,
      JSON.stringify(latent),
    );
  }
  checkContext(op.op === 'ptf_coupling' && op.context, contextFeatures, path);
}

/** A multi-scale flow's latents lie level 0 first, and the split that comes first sets the highest level aside. */
function checkLevels({ base, structure, features, context_features }: FlowDescription, place: string): void {
  const latents = structure.flatMap((op, index) => (op.op === 'split_off' || op.op === 'final_latent' ? [{ ...op, index }] : []));
  for (const [position, { level, index }] of latents.entries()) {
    const expected = latents.length - 1 - position;
    const at = `${place}.structure[${index}].level`;
    needs(level === expected, at, `${expected}: levels count down to 0, the final latent`, level);
  }
  if (base.type === 'class_cond_diag_normal' && (base.label ?? 0) >= context_features)
    throw new FormatError(
      `${place}.base`,
      `reads its class from context feature ${base.label ?? 0}; the description has context_features ${context_features}`,
    );
  if (!('levels' in base) || !base.levels) return;
  const total = base.levels.reduce((sum, { shape }) => sum + product(shape), 0);
  needs(total === features, `${place}.base.levels`, `shapes of ${features} features in all`, total);
  for (const { level, latent_shape, index } of latents) {
    const shape = base.levels[level]?.shape;
    const [expected, got] = [JSON.stringify(latent_shape), shape ? JSON.stringify(shape) : `${base.levels.length} levels`];
    needs(got === expected, `${place}.base.levels[${level}].shape`, `${expected}, as structure[${index}] says`, got);
  }
}

/**
 * Checks a neutral description and returns a copy of its known top-level keys, defaults filled in: context_features 0, event_shape
 * [features]. Keys inside ops that the format does not name (`note`, …) stay where they are. `place` names the object in errors.
 * @throws FormatError where something is missing, of the wrong type or inconsistent, e.g.
 *   `description.structure[3].net.blocks: needs an integer ≥ 0; got "two"`.
 * @throws UnsupportedError for an op, net, form, activation or version that the format does not know.
 */
export function parseDescription(value: unknown, place = 'description'): FlowDescription {
  validate(flowFormatSchema, value, place);
  const given = value as Omit<FlowDescription, 'context_features' | 'event_shape'> & Partial<FlowDescription>;
  const { features, base, structure, structure_direction } = given;
  const { context_features = 0, event_shape = [features] } = given;
  const sound = product(event_shape) === features;
  needs(sound, `${place}.event_shape`, `a product of ${features}, the number of features`, JSON.stringify(event_shape));
  if (base.type === 'diag_normal' && !base.levels && !(base.loc && base.log_scale)) {
    throw new FormatError(`${place}.base`, 'needs either levels or both loc and log_scale');
  }
  checkContext(base.type.startsWith('conditional'), context_features, `${place}.base`);
  // A multiscale flow sets features aside as it goes, so what an op sees is known only from there on.
  let current = features;
  for (const [index, op] of structure.entries()) {
    checkOp(op, current, context_features, `${place}.structure[${index}]`);
    if (op.op === 'split_off') current -= product(op.latent_shape);
    if (op.op === 'split') current -= op.latent.length;
  }
  const known = { version: 1 as const, features, context_features, event_shape, base, structure_direction, structure };
  checkLevels(known, place);
  return JSON.parse(JSON.stringify(known)) as FlowDescription;
}

/**
 * Reads the description out of a saved file's metadata.
 * @throws FormatError when the metadata has no description or it is not valid JSON; otherwise as parseDescription.
 */
export const descriptionFromMetadata = (metadata: Readonly<Record<string, string>>): FlowDescription =>
  parseDescription(readMetadata(metadata, metadataKey, "the flow's description; weights alone need importTorch"));

/** The metadata that a saved flow carries. */
export const metadataFor = (description: FlowDescription): Record<string, string> => metadataWith(metadataKey, description);
