// From a library's class name and constructor arguments to the neutral description. What the library draws at random (permutations,
// orders, coupling masks) is read from the tensors.

import type { FlowDescription } from '../format/description.js';
import { isObject, type StoredTensor } from '../format/safetensors.js';
import { FormatError, UnsupportedError } from '../runtime/errors.js';
import { deriveMademog, deriveNflows } from './derive-nflows.js';
import type { Derivation } from './derive-options.js';
import { deriveZuko, deriveZukoContinuous } from './derive-zuko.js';

type Derive = (derivation: Derivation) => Omit<FlowDescription, 'version'>;

const classes: Record<string, Derive> = {
  'nflows.flows.MaskedAutoregressiveFlow': (d) => deriveNflows(d, 'autoregressive'),
  'nflows.flows.SimpleRealNVP': (d) => deriveNflows(d, 'coupling'),
  'nflows.distributions.MADEMoG': deriveMademog,
  'zuko.flows.MAF': (d) => deriveZuko(d, 'MAF'),
  'zuko.flows.NICE': (d) => deriveZuko(d, 'NICE'),
  'zuko.flows.RealNVP': (d) => deriveZuko(d, 'NICE'),
  'zuko.flows.NSF': (d) => deriveZuko(d, 'NSF'),
  'zuko.flows.CNF': deriveZukoContinuous,
  'zuko.flows.NCSF': (d) => deriveZuko(d, 'NCSF'),
};

/**
 * The neutral description of a whole-flow class, for parseDescription to check. `description.class` is the full path ('zuko.flows.MAF') or the short name with
 * `library`; `library` is the name or { name, version } (the version matters for zuko's slope; without it the newest is assumed).
 * `tensors` are those of the state_dict.
 * @throws UnsupportedError for a class or option that is not known here.
 * @throws ValueError for a constructor argument that is unknown, missing or of the wrong type.
 * @throws FormatError when the tensors are not those of the constructor's flow.
 */
export function deriveDescription(description: object, tensors: ReadonlyMap<string, StoredTensor>): Omit<FlowDescription, 'version'> {
  const given = description as Record<string, unknown>;
  const name = given.class;
  if (typeof name !== 'string') throw new FormatError('description.class', `needs a string; got ${JSON.stringify(name)}`);
  const options = Object.hasOwn(given, 'constructor') ? given.constructor : undefined;
  if (!isObject(options)) throw new FormatError('description.constructor', 'needs an object of constructor arguments');
  const library = isObject(given.library) ? given.library : { name: given.library, version: undefined };
  const parts = name.split('.');
  const root = parts.length > 1 ? parts[0] : library.name;
  // Libraries export a class from several modules, so the path between matters little.
  const known = Object.keys(classes).find((path) => path.startsWith(`${root}.`) && path.endsWith(`.${parts[parts.length - 1]}`));
  if (known === undefined) {
    throw new UnsupportedError(
      'description.class',
      `${JSON.stringify(name)} of library ${JSON.stringify(library.name)}`,
      Object.keys(classes),
    );
  }
  if (typeof library.name === 'string' && library.name !== root) {
    throw new FormatError('description.class', `${JSON.stringify(name)} is not a class of library ${JSON.stringify(library.name)}`);
  }
  const version = typeof library.version === 'string' ? library.version : undefined;
  return classes[known]!({ options, tensors, version });
}
