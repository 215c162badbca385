// What an op builder is: from one entry of a description's `structure` to a bijector. Each file of this folder registers builders; a
// recipe imports the ones it needs and no other, so that a bundler drops the rest.

import type { OpDescription } from '../../format/description.js';
import type { Bijector } from '../bijector.js';
import type { NetInput } from './nets.js';
import type { StateReader } from './state.js';

export interface BuildContext extends NetInput {
  readonly state: StateReader;
  /** Place in the description, for errors. */
  readonly place: string;
  /** Builds the ops that follow this one, on `features` features, and takes them out of the chain that this op stands in. */
  readonly rest: (features: number) => Bijector;
}

export type OpName = OpDescription['op'];
export type OpOf<N extends OpName> = Extract<OpDescription, { op: N }>;
export type OpBuilder<N extends OpName> = (op: OpOf<N>, context: BuildContext) => Bijector;
export type OpBuilders = { readonly [N in OpName]?: OpBuilder<N> };
