// A flow whose nets hold batch norms between plain layers, which are folded into the layers behind them.

import type { GpuFlow } from '../../src/flows/flow.js';
import type { OpDescription } from '../../src/format/description.js';
import { readSafetensors, type StoredTensor, writeSafetensors } from '../../src/format/safetensors.js';
import { importTorch } from '../../src/index.js';
import type { Gpu } from '../../src/runtime/gpu.js';
import { loadGolden } from './golden.js';
import { Random } from './random.js';

/** nflows' MAF of 5 features with norms in front of every block; some gains are negative. */
export async function batchNormNets(gpu: Gpu): Promise<GpuFlow> {
  const { description, weights } = await loadGolden('nflows-maf-d5-random-masks');
  const random = new Random(7);
  const tensors = new Map(readSafetensors(weights).tensors);
  const structure = (description.structure as OpDescription[]).map((op) => {
    if (op.op !== 'ar_affine' || op.net.type !== 'nflows_made') return op;
    const { prefix, blocks } = op.net;
    for (let block = 0; block < blocks; block++) {
      const at = `${prefix}.blocks.${block}`;
      const width = tensors.get(`${at}.linear.weight`)!.shape[1]!;
      const add = (name: string, values: Float32Array<ArrayBuffer>) =>
        tensors.set(`${at}.batch_norm.${name}`, { dtype: 'F32', shape: [width], data: values } as StoredTensor);
      add('weight', random.normals(width));
      add('bias', random.normals(width, 0.3));
      add('running_mean', random.normals(width, 0.3));
      add(
        'running_var',
        random.normals(width, 0.3).map((value) => Math.exp(value)),
      );
    }
    return { ...op, net: { ...op.net, batch_norm: true } };
  });
  return (await importTorch(gpu, { ...description, structure }, writeSafetensors(tensors))) as GpuFlow;
}
