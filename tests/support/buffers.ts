// Buffers and bits for tests that stand where a caller stands: they record into their own encoders and read their own buffers.

import { expect } from 'vitest';

const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = { STORAGE: 0x80, COPY_SRC: 0x04, COPY_DST: 0x08, MAP_READ: 0x01 };
export const CALLER_USAGE = STORAGE | COPY_SRC | COPY_DST;

export function upload(device: GPUDevice, data: Float32Array<ArrayBuffer>, usage = CALLER_USAGE): GPUBuffer {
  const buffer = device.createBuffer({ size: Math.max(4, data.byteLength), usage });
  device.queue.writeBuffer(buffer, 0, data);
  return buffer;
}

export const empty = (device: GPUDevice, bytes: number, usage = CALLER_USAGE): GPUBuffer => device.createBuffer({ size: bytes, usage });

export async function download(device: GPUDevice, buffer: GPUBuffer, count = buffer.size / 4): Promise<Float32Array<ArrayBuffer>> {
  const staging = device.createBuffer({ size: count * 4, usage: MAP_READ | COPY_DST });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, count * 4);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const data = new Float32Array(staging.getMappedRange().slice(0));
  staging.destroy();
  return data;
}

/** Records with a new encoder and submits. */
export function submitted<T>(device: GPUDevice, body: (encoder: GPUCommandEncoder) => T): T {
  const encoder = device.createCommandEncoder();
  const result = body(encoder);
  device.queue.submit([encoder.finish()]);
  return result;
}

/** Bit for bit, so that NaN equals itself and −0 differs from 0. */
export function expectSameBits(got: Float32Array, expected: Float32Array, what = 'bits'): void {
  expect(got.length, `length of ${what}`).toBe(expected.length);
  const a = new Uint32Array(got.buffer, got.byteOffset, got.length);
  const b = new Uint32Array(expected.buffer, expected.byteOffset, expected.length);
  const at = a.findIndex((value, i) => value !== b[i]);
  if (at >= 0) expect.fail(`${what} differ first at ${at} of ${got.length}: ${got[at]} instead of ${expected[at]}`);
}

/** Numbers that differ from entry to entry, the same on every machine. */
export const numbered = (count: number, scale = 1): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: count }, (_, i) => Math.fround(scale * Math.sin(1.7 * i + 0.3)));

/** The device with some limits made smaller, as far as code that asks it can tell; `seen` hears of every bind group. */
export function limited(
  device: GPUDevice,
  limits: Partial<Record<keyof GPUSupportedLimits, number>>,
  seen: (descriptor: GPUBindGroupDescriptor) => void = () => {},
): GPUDevice {
  const fakeLimits = new Proxy(device.limits, {
    get: (target, name) => limits[name as keyof GPUSupportedLimits] ?? Reflect.get(target, name, target),
  });
  return new Proxy(device, {
    get(target, name) {
      if (name === 'limits') return fakeLimits;
      if (name === 'createBindGroup')
        return (descriptor: GPUBindGroupDescriptor) => {
          seen(descriptor);
          return target.createBindGroup(descriptor);
        };
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
