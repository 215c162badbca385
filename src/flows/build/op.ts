// What an op builder is: from one entry of a description's `structure` to a bijector. Each file of this folder registers builders; a
// recipe imports the ones it needs and no other, so that a bundler drops the rest.

import type { BaseDescription, OpDescription } from '../../format/description.js';
import type { Base } from '../bases/base.js';
import type { Bijector } from '../bijector.js';
import type { NetInput } from './nets.js';
import type { StateReader } from './state.js';

export interface BuildContext extends NetInput {
  readonly state: StateReader;
  /** Place in the description, for errors. */
  readonly place: string;
  /** Shape of what enters the op; its product is `inputs`. Images are [channels, height, width]. */
  readonly shape: readonly number[];
  /**
   * Says what leaves the op, where that is not what entered. Features beyond the new shape are latents from there on; in z they stand where
   * they are, or `first`: before all that is not such a latent.
   */
  readonly reshape: (shape: readonly number[], latents?: 'first') => void;
}

export type OpName = OpDescription['op'];
export type OpOf<N extends OpName> = Extract<OpDescription, { op: N }>;
export type OpBuilder<N extends OpName> = (op: OpOf<N>, context: BuildContext) => Bijector;
export type BaseContext = Pick<BuildContext, 'contextDim' | 'state'> & { readonly dim: number };
type BaseOf<T extends BaseDescription['type']> = Extract<BaseDescription, { type: T }>;
/** Builders of bases by type. */
export type BaseBuilders = { readonly [T in BaseDescription['type']]?: (base: BaseOf<T>, context: BaseContext) => Base };
export type OpBuilders = { readonly [N in OpName]?: OpBuilder<N> };
