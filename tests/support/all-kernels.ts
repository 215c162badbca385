// Every kernel's cases, for the tests and for scripts/kernels-elsewhere.mjs.

import { kernelKey } from '../../src/runtime/kernel.js';
import type { KernelCases } from '../cases/case.js';

export { Gpu } from '../../src/runtime/gpu.js';
export { freshSeed } from './random.js';
export { compareWithTwin } from './run-kernel.js';

const isTable = (value: unknown): value is KernelCases =>
  typeof value === 'object' && value !== null && 'kernel' in value && 'cases' in value;

/** Every table that a file of tests/cases exports, alone or in a list. */
export const tables = Object.values(import.meta.glob<Record<string, unknown>>('../cases/*.ts', { eager: true }))
  .flatMap((module) => Object.values(module).flat())
  .filter(isTable);

export const nameOf = ({ kernel }: KernelCases): string => kernelKey(kernel.source);
