// Staging ring for reading results. Any number of reads may be in flight: each owns a staging buffer until its data is out.

import { StateError } from './errors.js';
import type { Gpu } from './gpu.js';
import { COPY_DST, MAP_MODE_READ, MAP_READ } from './usage.js';

/** Made when the copy is recorded; `read` after the encoder was submitted. */
export interface ReadTicket {
  read(): Promise<Float32Array<ArrayBuffer>>;
}

export class Readback {
  readonly #gpu: Gpu;

  constructor(gpu: Gpu) {
    this.#gpu = gpu;
  }

  /** Records a copy of `count` floats of `source`, from element `from` on. Records only: the caller submits, then reads. */
  copy(encoder: GPUCommandEncoder, source: GPUBuffer, count: number, from = 0): ReadTicket {
    const bytes = count * 4;
    const { memory } = this.#gpu;
    const staging = memory.acquire(bytes, 'readback', MAP_READ | COPY_DST);
    encoder.copyBufferToBuffer(source, from * 4, staging, 0, bytes);
    return {
      read: async () => {
        let result: Float32Array<ArrayBuffer>;
        try {
          await staging.mapAsync(MAP_MODE_READ, 0, bytes);
          result = new Float32Array(staging.getMappedRange(0, bytes).slice(0));
        } catch (cause) {
          memory.destroy(staging);
          throw await this.#gpu.explain(new StateError(`readback of ${bytes} bytes failed`, { cause }));
        }
        staging.unmap();
        memory.release(staging);
        return result;
      },
    };
  }
}
