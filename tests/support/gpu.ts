// One device for a test file, and a count of validation errors: any of them fails the file.

import { afterAll, beforeAll, expect } from 'vitest';
import { Gpu } from '../../src/runtime/gpu.js';

export function useGpu(): { readonly gpu: Gpu } {
  const held: { gpu?: Gpu } = {};
  const errors: string[] = [];
  beforeAll(async () => {
    held.gpu = await Gpu.request();
    held.gpu.device.addEventListener('uncapturederror', (event) => errors.push((event as GPUUncapturedErrorEvent).error.message));
  });
  afterAll(() => {
    held.gpu?.dispose();
    expect(errors).toEqual([]);
  });
  return {
    get gpu() {
      return held.gpu!;
    },
  };
}
