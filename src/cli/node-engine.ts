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

const LOOK = 'const { create } = await import(process.argv[1]); process.exit((await create([]).requestAdapter()) ? 0 : 3);';

/**
 * Whether there is an adapter, asked in a process of its own: without a driver Dawn writes to the terminal, and a bad driver ends the process.
 */
async function hasAdapter(address: string): Promise<boolean> {
  try {
    await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', LOOK, address], { timeout: 60_000 });
    return true;
  } catch {
    return false;
  }
}

export async function openNode(): Promise<Engine | Missing> {
  const address = findPeer('webgpu');
  if (address === null) return { missing: 'the package webgpu is not installed' };
  if (!(await hasAdapter(address)))
    return { missing: 'the package webgpu finds no adapter, which takes a driver of Vulkan, Metal or Direct3D 12' };
  try {
    const { create } = await importPeer<Dawn>(address);
    const adapter = await create([]).requestAdapter();
    if (!adapter) return { missing: 'the package webgpu finds no adapter' };
    const { info } = adapter;
    const gpu = Gpu.from(await adapter.requestDevice({ label: 'pushforward' }));
    return {
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
