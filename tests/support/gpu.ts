// One device for all files that a page runs, one Gpu on it for each of them, and a count of validation errors: any of them fails the file.
//
// Most of what a test costs on a CPU is pipelines that compile. A browser knows the pipelines of a device by what they are made of, as long
// as somebody holds them; so they are held, and each is compiled once in a page, by whichever Gpu asks for it.

import { afterAll, beforeAll, expect } from 'vitest';
import { Gpu } from '../../src/runtime/gpu.js';

const pipelines: GPUComputePipeline[] = [];
let shared: GPUDevice | undefined;

async function sharedDevice(): Promise<GPUDevice> {
  if (shared) return shared;
  const { device } = await Gpu.request();
  device.lost.then(() => {
    shared = undefined;
  });
  shared = device;
  return device;
}

// Not on the device itself, where tests put methods of their own and take them away again.
const compile = GPUDevice.prototype.createComputePipelineAsync;
GPUDevice.prototype.createComputePipelineAsync = async function (descriptor) {
  const pipeline = await compile.call(this, descriptor);
  if (this === shared) pipelines.push(pipeline);
  return pipeline;
};

/**
 * A Gpu with memory, choices and owners of its own; the device under it is shared, and not for a test to destroy.
 *
 * @param options.ruled whether commands run as the rule for this adapter says. Without, they run as they are recorded, which is what an adapter without a rule
 *   does: on SwiftShader a rule chooses kernels that take a second and more to compile. Default true.
 */
export function useGpu({ ruled = true } = {}): { readonly gpu: Gpu } {
  const held: { gpu?: Gpu } = {};
  const errors: string[] = [];
  const listen = (event: Event) => errors.push((event as GPUUncapturedErrorEvent).error.message);
  beforeAll(async () => {
    const device = await sharedDevice();
    held.gpu = Gpu.from(device);
    if (!ruled) Object.assign(held.gpu.choices, { adapter: 'none' });
    device.addEventListener('uncapturederror', listen);
  });
  afterAll(async () => {
    const { gpu } = held;
    if (!gpu) return;
    // Flows that the file left: the device keeps its Gpus, and they their owners.
    for (const owner of [...gpu.owners]) owner.dispose();
    gpu.dispose();
    await gpu.device.queue.onSubmittedWorkDone(); // what is said late is still of this file
    gpu.device.removeEventListener('uncapturederror', listen);
    expect(errors).toEqual([]);
    expect(shared, 'the device that files share, unless it was lost').toBe(gpu.device);
  });
  return {
    get gpu() {
      return held.gpu!;
    },
  };
}
