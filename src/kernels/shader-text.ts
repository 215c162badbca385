// What generated modules of some shaders are written with: text that repeats itself, and features that a device may lack.

import type { KernelSource } from '../runtime/kernel.js';

/** A text for each number from `from` up to `to`, joined: `#repeat` in a shader (scripts/repeat.mjs). */
export const times = (from: number, to: number, text: (index: number) => string): string =>
  Array.from({ length: to - from }, (_, i) => text(from + i)).join('');

/** An entry point that only a device with `feature` compiles: `enable` in a shader. */
export const enabling = <const S extends KernelSource>(feature: GPUFeatureName, source: S): S => ({
  ...source,
  feature,
  wgsl: `enable ${feature};${source.wgsl}`,
});
