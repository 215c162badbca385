// Values given at encode time (rows, seed) must travel in the command stream: `queue.writeBuffer` lands before the whole submission,
// so two calls in one encoder would read the same seed. A mapped staging buffer would do, but it is a new one for each encode, since
// nobody tells us when the caller submits. Copying 16-bit halves out of a constant table allocates nothing: the value is in the
// offset of the copy. Ten copies of 4 bytes an encode.

import type { Memory } from './memory.js';
import { COPY_DST, COPY_SRC, UNIFORM } from './usage.js';

/** Fields of `Call` in shaders/lib/call.wgsl, in order; each is two halves. */
export interface CallValues {
  readonly rows: number;
  readonly firstRow: number;
  readonly seedLow: number;
  readonly seedHigh: number;
  readonly contextStride: 0 | 1;
}

export const CALL_BYTES = 48; // 5 × vec2<u32>, rounded up to 16

export class CallTable {
  readonly #memory: Memory;
  readonly #device: GPUDevice;
  #table: GPUBuffer | null = null;

  constructor(device: GPUDevice, memory: Memory) {
    this.#device = device;
    this.#memory = memory;
  }

  /** The uniform that one executable's commands read; the table is made with the first, so that no encode has to. */
  createUniform(label: string): GPUBuffer {
    this.#ensureTable();
    return this.#memory.create({ label: `${label} call`, size: CALL_BYTES, usage: UNIFORM | COPY_DST });
  }

  encode(encoder: GPUCommandEncoder, uniform: GPUBuffer, values: CallValues): void {
    const table = this.#ensureTable();
    const words = [values.rows, values.firstRow, values.seedLow, values.seedHigh, values.contextStride];
    for (const [index, word] of words.entries()) {
      encoder.copyBufferToBuffer(table, (word & 0xffff) * 4, uniform, index * 8, 4);
      encoder.copyBufferToBuffer(table, (word >>> 16) * 4, uniform, index * 8 + 4, 4);
    }
  }

  #ensureTable(): GPUBuffer {
    if (this.#table === null) {
      this.#table = this.#memory.create({ label: 'numbers 0..65535', size: 65536 * 4, usage: COPY_SRC | COPY_DST });
      this.#device.queue.writeBuffer(
        this.#table,
        0,
        Uint32Array.from({ length: 65536 }, (_, i) => i),
      );
    }
    return this.#table;
  }
}
