import type { Recorder } from '../../runtime/recorder.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import type { Bijector, BijectorCall } from '../bijector.js';
import type { ElementwiseCall, Transformer } from '../transformers/transformer.js';

/** Records the network that gives a transformer's parameters; it reads nothing that the transformer moves. */
export type RecordParameters = (r: Recorder, value: TiledTensor, context: TiledTensor | null) => TiledTensor;

/** Features that a transformer moves by parameters known in both directions: one pass of the network either way. */
export class ConditionedMap implements Bijector {
  readonly #transformer: Transformer;
  readonly #slots: Pick<ElementwiseCall, 'slot' | 'slots'>;
  readonly #recordParameters: RecordParameters;

  constructor(
    readonly name: string,
    readonly dim: number,
    readonly contextDim: number,
    transformer: Transformer,
    slots: Pick<ElementwiseCall, 'slot' | 'slots'>,
    recordParameters: RecordParameters,
  ) {
    this.#transformer = transformer;
    this.#slots = slots;
    this.#recordParameters = recordParameters;
  }

  forward(r: Recorder, x: TiledTensor, call: BijectorCall): TiledTensor {
    return this.#record(r, x, call, true);
  }

  inverse(r: Recorder, z: TiledTensor, call: BijectorCall): TiledTensor {
    return this.#record(r, z, call, false);
  }

  #record(r: Recorder, value: TiledTensor, { logDet, context }: BijectorCall, forward: boolean): TiledTensor {
    const parameters = this.#recordParameters(r, value, context);
    return this.#transformer.record(r, value, { parameters, ...this.#slots, forward, logDet });
  }
}
