// Values given at encode time (rows, seed) must travel in the command stream: `queue.writeBuffer` lands before the whole submission,
// so two calls in one encoder would read the same seed. A mapped staging buffer would do, but it is a new one for each encode, since
// nobody tells us when the caller submits. Copying 16-bit halves out of a constant table allocates nothing: the value is in the
// offset of the copy. Ten copies of 4 bytes an encode.

import type { Memory } from './memory.js';
import { COPY_DST, COPY_SRC, UNIFORM } from './usage.js';

/** Place of a call in a sequence. A program that reads these is given them in every call; for others nothing of them is copied. */
export interface SequenceValues {
  /** From 0. */
  readonly step: number;
  /** Length of the sequences in row-major buffers [rows, steps, features]. */
  readonly steps: number;
  /** Distinct rows, where a batch repeats them: row r is row r mod period. */
  readonly period: number;
}

/** Fields of `Call` in shaders/lib/call.wgsl, in order, those of the sequence last; each is two halves. */
export type CallWords = readonly number[];

const CALL_BYTES = 64; // 8 × vec2<u32>

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
    if (this.#table === null) {
      this.#table = this.#memory.create({ label: 'numbers 0..65535', size: 65536 * 4, usage: COPY_SRC | COPY_DST });
      const numbers = Uint32Array.from({ length: 65536 }, (_, i) => i);
      this.#device.queue.writeBuffer(this.#table, 0, numbers);
    }
    return this.#memory.create({ label: `${label} call`, size: CALL_BYTES, usage: UNIFORM | COPY_DST });
  }

  /** @param before what the uniform holds at this point of the same encoder: then only what differs is copied. */
  encode(encoder: GPUCommandEncoder, uniform: GPUBuffer, words: CallWords, before: CallWords | null = null): void {
    for (const [index, word] of words.entries()) {
      const old = before?.[index];
      for (const shift of [0, 16]) {
        const half = (word >>> shift) & 0xffff;
        if (old !== undefined && ((old >>> shift) & 0xffff) === half) continue;
        encoder.copyBufferToBuffer(this.#table!, half * 4, uniform, index * 8 + shift / 4, 4);
      }
    }
  }
}
