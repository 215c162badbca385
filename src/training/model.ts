// What is trained: named numbers, and layers made of them. A flow is one; several flows that train together are one.

import type { Base } from '../flows/bases/base.js';
import type { Bijector } from '../flows/bijector.js';
import type { GpuFlow } from '../flows/flow.js';
import type { StoredTensor } from '../format/safetensors.js';
import type { Gpu } from '../runtime/gpu.js';

/** What a flow is made of, without its device. */
export interface FlowLayers {
  readonly bijector: Bijector;
  readonly base: Base;
  readonly contextDim: number;
}

export interface Model<L = unknown> {
  readonly gpu: Gpu;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Names of the learned tensors. */
  readonly parameterNames: readonly string[];
  readonly layers: L;
  /** The layers again over other tensors; see FlowState. */
  readonly assemble: (tensors: ReadonlyMap<string, StoredTensor>, places?: boolean) => L;
  /** Means and variances of the batch norms, between layers and inside networks. */
  readonly norms: readonly (readonly [mean: string, variance: string])[];
  /** Throws where the layers were disposed or the device is lost. */
  readonly assertAlive: () => void;
  /** Takes other numbers for some tensors; see GpuFlow.replaceParameters. */
  readonly replace: (values: ReadonlyMap<string, Float32Array>) => Promise<void>;
}

export function modelOf(flow: GpuFlow): Model<FlowLayers> {
  const { contextDim } = flow;
  return {
    get gpu() {
      return flow.parts.gpu;
    },
    get tensors() {
      return flow.parts.state.tensors;
    },
    get parameterNames() {
      return flow.parts.state.parameterNames;
    },
    get layers() {
      const { bijector, base } = flow.parts;
      return { bijector, base, contextDim };
    },
    assemble: (tensors, places) => ({ ...flow.parts.state.assemble(tensors, places), contextDim }),
    get norms() {
      return flow.parts.state.norms;
    },
    assertAlive: () => flow.assertAlive(),
    replace: (values) => flow.replaceParameters(values),
  };
}

/** Flows that train together, their tensors under `<name>.`. */
export function modelOfAll<N extends string>(flows: Readonly<Record<N, GpuFlow>>): Model<Readonly<Record<N, FlowLayers>>> {
  const models = Object.entries<GpuFlow>(flows).map(([name, flow]) => [name, modelOf(flow)] as const);
  const own = <V>(map: ReadonlyMap<string, V>, name: string) =>
    new Map([...map].flatMap(([key, value]) => (key.startsWith(`${name}.`) ? [[key.slice(name.length + 1), value] as const] : [])));
  const each = <V>(make: (model: Model<FlowLayers>, name: string) => V) =>
    Object.fromEntries(models.map(([name, model]) => [name, make(model, name)])) as Record<N, V>;
  return {
    gpu: models[0]![1].gpu,
    get tensors() {
      return new Map(models.flatMap(([name, { tensors }]) => [...tensors].map(([key, tensor]) => [`${name}.${key}`, tensor] as const)));
    },
    get parameterNames() {
      return models.flatMap(([name, { parameterNames }]) => parameterNames.map((key) => `${name}.${key}`));
    },
    get layers() {
      return each(({ layers }) => layers);
    },
    assemble: (tensors, places) => each(({ assemble }, name) => assemble(own(tensors, name), places)),
    get norms() {
      return models.flatMap(([name, { norms }]) => norms.map(([mean, variance]) => [`${name}.${mean}`, `${name}.${variance}`] as const));
    },
    assertAlive() {
      for (const [, model] of models) model.assertAlive();
    },
    async replace(values) {
      await Promise.all(models.map(([name, model]) => model.replace(own(values, name))));
    },
  };
}
