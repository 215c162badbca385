// What a device is asked to make. For tests and for the benchmark, which has no vitest.

const CREATORS = [
  'createBuffer',
  'createTexture',
  'createSampler',
  'createQuerySet',
  'createShaderModule',
  'createBindGroupLayout',
  'createPipelineLayout',
  'createComputePipeline',
  'createComputePipelineAsync',
  'createRenderPipeline',
  'createRenderPipelineAsync',
  'createBindGroup',
] as const;
export type Creator = (typeof CREATORS)[number];

/** What `body` makes on the device, by method; methods that it does not call are left out. */
export async function creations(device: GPUDevice, body: () => unknown): Promise<Partial<Record<Creator, number>>> {
  const made: Partial<Record<Creator, number>> = {};
  const methods = device as unknown as Record<string, (...args: unknown[]) => unknown>;
  for (const name of CREATORS) {
    const original = methods[name]!.bind(device);
    methods[name] = (...args) => {
      made[name] = (made[name] ?? 0) + 1;
      return original(...args);
    };
  }
  try {
    await body();
  } finally {
    for (const name of CREATORS) delete methods[name];
  }
  return made;
}
