import { Gpu, isSoftwareAdapter } from '../../src/index.js';
import { adapterRequest } from './settings.js';

declare global {
  interface Window {
    describeAdapter: () => Promise<{ adapter: string; software: boolean }>;
  }
}

/** The adapter that the page gets, in words. */
export async function describeAdapter(): Promise<{ adapter: string; software: boolean }> {
  const gpu = await Gpu.request(adapterRequest);
  const info = gpu.device.adapterInfo;
  gpu.dispose();
  const adapter = [info.vendor, info.architecture, info.device, info.description].filter(Boolean).join(', ');
  return { adapter, software: isSoftwareAdapter(info) };
}
