// WebGPU in this process: Dawn, through the package `webgpu`.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Gpu, isSoftwareAdapter } from 'pushforward';
import type { Engine, Missing } from './engine.js';
import { runJob } from './jobs.js';
import { findPeer, importPeer } from './peers.js';
import { sentence } from './usage.js';

interface Dawn {
  create(flags: string[]): GPU;
}

/** Adds up on the adapter, since a driver may fail no earlier than in its first work. Ends with 3 where there is none, 4 where the sum is wrong. */
const LOOK = `
const { create } = await import(process.argv[1]);
globalThis.dawn = create([]);
const adapter = await dawn.requestAdapter();
if (!adapter) process.exit(3);
const device = await adapter.requestDevice();
const [sum, copy] = [0x84, 0x9].map((usage) => device.createBuffer({ size: 4, usage }));
const code = '@group(0) @binding(0) var<storage, read_write> sum: u32; @compute @workgroup_size(1) fn add() { for (var i = 0u; i < 100u; i++) { sum += i; } }';
const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module: device.createShaderModule({ code }) } });
const encoder = device.createCommandEncoder();
const pass = encoder.beginComputePass();
pass.setPipeline(pipeline);
pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: [{ binding: 0, resource: { buffer: sum } }] }));
pass.dispatchWorkgroups(1);
pass.end();
encoder.copyBufferToBuffer(sum, 0, copy, 0, 4);
device.queue.submit([encoder.finish()]);
await copy.mapAsync(1);
process.exit(new Uint32Array(copy.getMappedRange())[0] === 4950 ? 0 : 4);
`;

/**
 * What keeps the package from computing here, or null. Asked in a process of its own: without a driver Dawn writes to the terminal, and a bad
 * driver ends the process, which nothing in it can prevent.
 */
async function obstacle(address: string): Promise<string | null> {
  try {
    await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', LOOK, address], { timeout: 60_000 });
    return null;
  } catch (error) {
    const { code, signal, killed } = error as { code?: number; signal?: string; killed?: boolean };
    if (code === 3) return 'finds no adapter, which takes a driver of Vulkan, Metal or Direct3D 12';
    if (code === 4) return 'finds an adapter whose sums are wrong';
    if (killed) return 'gives no answer within a minute';
    return signal || (code ?? 0) > 128 ? `aborts in its first work (${signal ?? `exit status ${code}`})` : 'does not start';
  }
}

export async function openNode(): Promise<(Engine & { readonly dawn: GPU }) | Missing> {
  const address = findPeer('webgpu');
  if (address === null) return { missing: 'the package webgpu is not installed' };
  const found = await obstacle(address);
  if (found !== null) return { missing: `the package webgpu ${found}` };
  try {
    const { create } = await importPeer<Dawn>(address);
    // Held by the engine: promises of a device whose GPU was collected never settle.
    const dawn = create([]);
    const adapter = await dawn.requestAdapter();
    if (!adapter) return { missing: 'the package webgpu finds no adapter' };
    const { info } = adapter;
    const requiredFeatures = (['subgroups'] as const).filter((feature) => adapter.features.has(feature));
    const gpu = Gpu.from(await adapter.requestDevice({ label: 'pushforward', requiredFeatures }));
    return {
      dawn,
      name: `${info.description || info.device || info.vendor} through Dawn`,
      software: isSoftwareAdapter(info),
      run: (job, report) => runJob(gpu, job, report),
      close: async () => {
        gpu.dispose();
        gpu.device.destroy();
      },
    };
  } catch (error) {
    return { missing: `the package webgpu does not start, ${sentence(error)}` };
  }
}
