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
  readonly sequence?: SequenceValues | undefined;
}

/** Place of a call in a sequence. A program that reads these is given them in every call; for others nothing of them is copied. */
export interface SequenceValues {
  /** From 0. */
  readonly step: number;
  /** Length of the sequences in row-major buffers [rows, steps, features]. */
  readonly steps: number;
  /** Distinct rows, where a batch repeats them: row r is row r mod period. */
  readonly period: number;
}

export const CALL_BYTES = 64; // 8 × vec2<u32>

const wordsOf = ({ rows, firstRow, seedLow, seedHigh, contextStride, sequence }: CallValues): readonly number[] =>
  sequence
    ? [rows, firstRow, seedLow, seedHigh, contextStride, sequence.step, sequence.steps, sequence.period]
    : [rows, firstRow, seedLow, seedHigh, contextStride];

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

  /** @param before what the uniform holds at this point of the same encoder: then only what differs is copied. */
  encode(encoder: GPUCommandEncoder, uniform: GPUBuffer, values: CallValues, before: CallValues | null = null): void {
    const table = this.#ensureTable();
    const known = before && wordsOf(before);
    for (const [index, word] of wordsOf(values).entries()) {
      const old = known?.[index];
      for (const shift of [0, 16]) {
        const half = (word >>> shift) & 0xffff;
        if (old !== undefined && ((old >>> shift) & 0xffff) === half) continue;
        encoder.copyBufferToBuffer(table, half * 4, uniform, index * 8 + shift / 4, 4);
      }
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
