// Every buffer the library makes goes through here, so that what it holds is known, and so that a leak is a number in a test.

import { LimitError } from './errors.js';
import { memo } from './memo.js';
import { COPY_DST, COPY_SRC, STORAGE } from './usage.js';

export class Memory {
  readonly #device: GPUDevice;
  readonly #sizes = new Map<GPUBuffer, number>();
  readonly #free = new Map<string, GPUBuffer[]>();
  #bytes = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** Buffers that the library holds, and their bytes. Buffers handed to the caller are not counted: the caller owns them. */
  get usage(): { readonly buffers: number; readonly bytes: number } {
    return { buffers: this.#sizes.size, bytes: this.#bytes };
  }

  create(descriptor: GPUBufferDescriptor): GPUBuffer {
    const limit = this.#device.limits.maxBufferSize;
    if (descriptor.size > limit)
      throw new LimitError(descriptor.label ?? 'buffer', `at most ${limit} bytes (maxBufferSize)`, `${descriptor.size}`);
    const buffer = this.#device.createBuffer(descriptor);
    this.#sizes.set(buffer, descriptor.size);
    this.#bytes += descriptor.size;
    return buffer;
  }

  destroy(buffer: GPUBuffer): void {
    const size = this.#sizes.get(buffer);
    if (size === undefined) return;
    this.#sizes.delete(buffer);
    this.#bytes -= size;
    buffer.destroy();
  }

  /**
   * A buffer of at least `bytes`, from the pool of that name where one is free. Sizes are powers of two, so that a pool stays small.
   *
   * @param usage the same for all of a pool.
   */
  acquire(bytes: number, label = 'pooled', usage = STORAGE | COPY_SRC | COPY_DST): GPUBuffer {
    const size = Math.min(2 ** Math.ceil(Math.log2(Math.max(bytes, 256))), this.#device.limits.maxBufferSize);
    const list = this.#free.get(`${label} ${size}`) ?? [];
    while (list.length > 0) {
      const buffer = list.pop()!;
      if (this.#sizes.has(buffer)) return buffer; // else it was destroyed while it lay in the pool
    }
    return this.create({ label, size: Math.max(size, bytes), usage });
  }

  /** Gives a pooled buffer back. Later submissions may use it at once: the queue keeps their order. */
  release(buffer: GPUBuffer): void {
    if (!this.#sizes.has(buffer)) return;
    memo(this.#free, `${buffer.label} ${buffer.size}`, () => []).push(buffer);
  }

  dispose(): void {
    for (const buffer of [...this.#sizes.keys()]) this.destroy(buffer);
    this.#free.clear();
  }
}
