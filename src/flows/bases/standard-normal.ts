import { standardNormal } from '../../kernels/standard-normal.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import type { Base } from './base.js';

/** N(0, I). */
export class StandardNormal implements Base {
  readonly contextDim = 0;

  constructor(readonly dim: number) {}

  sample(r: Recorder): TiledTensor {
    const z = r.tiled(this.dim, 'noise');
    r.run(standardNormal.sample, { buffers: { z }, params: { dim: this.dim, sign: 1 } });
    return z;
  }

  logDensity(r: Recorder, z: TiledTensor, logDet: TiledTensor, sign: 1 | -1): TiledTensor {
    const logProb = r.tiled(1, 'log-density');
    r.run(standardNormal.logDensity, { buffers: { source: z, log_det: logDet, log_prob: logProb }, params: { dim: this.dim, sign } });
    return logProb;
  }
}
