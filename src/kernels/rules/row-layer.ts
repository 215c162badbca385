// What the rules of planar, radial and Sylvester layers share: they write the gradients by the input and by a set of parameters a row.

import type { Gradients } from '../../runtime/derivative.js';
import type { Recorder } from '../../runtime/recorder.js';
import { NONE, type Tensor, type TiledTensor } from '../../runtime/tensor.js';
import { accumulateOrDrop } from './accumulate.js';

/**
 * @param dOutput gradient of the loss by the output; null where it does not depend on it.
 * @param input name of the buffer that holds the input.
 * @param record runs the kernel: what it reads, where it writes, and its constants.
 */
export function recordRowLayer(
  r: Recorder,
  gradients: Gradients,
  dOutput: TiledTensor | null,
  { input, features, parameters }: { readonly input: string; readonly features: number; readonly parameters: Tensor },
  record: (
    seeds: { readonly output: Tensor; readonly d_log_det: Tensor },
    dInput: TiledTensor,
    d_parameters: TiledTensor,
    constants: { readonly HAS_Y: boolean; readonly HAS_LOG_DET: boolean },
  ) => void,
): void {
  if (parameters.kind !== 'tiled')
    throw new TypeError(`${r.place}: parameters that all rows share were recorded for use, not for gradients`);
  const dLogDet = gradients.of('log_det');
  const [dInput, dParameters] = [gradients.into(input), gradients.into('parameters')];
  accumulateOrDrop(r, dInput, features, (into) =>
    accumulateOrDrop(r, dParameters, parameters.features, (intoParameters) =>
      record({ output: dOutput ?? NONE, d_log_det: dLogDet ?? NONE }, into, intoParameters, {
        HAS_Y: dOutput !== null,
        HAS_LOG_DET: dLogDet !== null,
      }),
    ),
  );
}
