// Fresh autoregressive flows with batch norms inside their nets, which no recipe makes: nflows' nets, over the tensors of a recipe's.

import type { GpuFlow } from '../../src/flows/flow.js';
import type { NetDescription, OpDescription } from '../../src/format/description.js';
import { readSafetensors, type StoredTensor, writeSafetensors } from '../../src/format/safetensors.js';
import { type Flow, importTorch } from '../../src/index.js';
import type { Gpu } from '../../src/runtime/gpu.js';
import { Random } from './random.js';

/**
 * The flow with a norm in front of every activation of a residual net, or of every layer between hidden ones of another; the given one is
 * disposed.
 *
 * @param seed of gains, of either sign, and of the rest; null for norms that are as PyTorch makes them.
 */
export async function withNormsInside(gpu: Gpu, flow: Promise<Flow>, seed: number | null = 7): Promise<GpuFlow> {
  const given = await flow;
  const random = new Random(seed ?? 0);
  const { tensors: stored, metadata } = readSafetensors(await given.save());
  const { description } = (given as GpuFlow).parts.state;
  given.dispose();
  const tensors = new Map(stored);
  const addNorm = (at: string, width: number) => {
    const add = (name: string, values: Float32Array<ArrayBuffer>, fresh: number) =>
      tensors.set(`${at}.${name}`, { dtype: 'F32', shape: [width], data: seed === null ? values.fill(fresh) : values });
    add('weight', random.normals(width), 1);
    add('bias', random.normals(width, 0.3), 0);
    add('running_mean', random.normals(width, 0.3), 0);
    add(
      'running_var',
      random.normals(width, 0.3).map((value) => Math.exp(value)),
      1,
    );
  };
  const move = (from: string, to: string) => {
    for (const name of ['weight', 'bias', 'mask']) {
      const tensor = tensors.get(`${from}.${name}`) as StoredTensor;
      tensors.delete(`${from}.${name}`);
      tensors.set(`${to}.${name}`, tensor);
    }
  };
  const widthOf = (linear: string) => tensors.get(`${linear}.weight`)!.shape[1]!;
  const normed = (net: NetDescription): NetDescription => {
    if (net.type === 'nflows_made') {
      for (let block = 0; block < net.blocks; block++)
        for (const norm of [0, 1]) {
          const at = `${net.prefix}.blocks.${block}`;
          addNorm(`${at}.batch_norm_layers.${norm}`, widthOf(`${at}.linear_layers.0`));
        }
      return { ...net, batch_norm: true };
    }
    if (net.type !== 'masked_mlp') throw new Error(`no norms inside a net of type ${net.type}`);
    const { linears, activation } = net;
    const prefix = `normed.${linears[0]}`;
    const blocks = linears.length - 2;
    for (const [index, name] of linears.entries()) {
      if (index === 0) move(name, `${prefix}.initial_layer`);
      else if (index > blocks) move(name, `${prefix}.final_layer`);
      else {
        const at = `${prefix}.blocks.${index - 1}`;
        addNorm(`${at}.batch_norm`, widthOf(name));
        move(name, `${at}.linear`);
      }
    }
    return { type: 'nflows_made', prefix, blocks, residual: false, activation, batch_norm: true, context: false };
  };
  const structure = description.structure.map(
    (op) => ('net' in op ? { ...op, net: normed(op.net as NetDescription) } : op) as OpDescription,
  );
  return (await importTorch(gpu, { ...description, structure }, writeSafetensors(tensors, metadata))) as GpuFlow;
}
