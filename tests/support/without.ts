// Flows without a GPU, for what is computed from their parameters alone.

import { Gpu } from '../../src/index.js';

/** Takes the parameters of flows, and fails as soon as one has to run. */
export const without = (): Gpu => Gpu.from({ lost: new Promise(() => undefined) } as unknown as GPUDevice);
