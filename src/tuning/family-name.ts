import type { Kernel } from '../runtime/kernel.js';

/** By which variants are listed: the entry point, with hyphens. */
export const familyName = ({ source }: Pick<Kernel, 'source'>): string => source.entryPoint.replaceAll('_', '-');
