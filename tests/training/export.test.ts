// A flow goes back to PyTorch under the names, shapes, types and order of the file that it came from, trained or not.

import { expect, test } from 'vitest';
import { readSafetensors } from '../../src/format/safetensors.js';
import { DisposedError, exportTorch, fit, importTorch, maf } from '../../src/index.js';
import { goldenNames, input, loadGolden } from '../support/golden.js';
import { useGpu } from '../support/gpu.js';

const held = useGpu();

test.each(goldenNames)('%s goes back as it came', async (name) => {
  const golden = await loadGolden(name);
  const flow = await importTorch(held.gpu, golden.description, golden.weights);
  const { tensors, metadata } = readSafetensors(await exportTorch(flow));
  flow.dispose();
  expect(metadata).toEqual({ format: 'pt' });
  expect([...tensors]).toEqual([...readSafetensors(golden.weights).tensors]);
});

test('a trained flow keeps names and buffers, has new parameters, and imports again to the same bits', async () => {
  const golden = await loadGolden('nflows-maf-d6');
  const x = input(golden.io, 'x')!;
  const flow = await importTorch(held.gpu, golden.description, golden.weights);
  await fit(flow, x, { steps: 3 });
  const bytes = await exportTorch(flow);
  const before = readSafetensors(golden.weights).tensors;
  const { tensors } = readSafetensors(bytes);
  expect([...tensors.keys()]).toEqual([...before.keys()]);
  const learned = new Set(Object.keys(await flow.parameters()));
  for (const [name, tensor] of tensors) {
    const old = before.get(name)!;
    expect([tensor.dtype, tensor.shape]).toEqual([old.dtype, old.shape]);
    // Running statistics of batch norm follow the data; other buffers stay.
    if (/running_/.test(name)) expect(tensor.data).not.toEqual(old.data);
    else if (!learned.has(name)) expect(tensor.data).toEqual(old.data);
  }
  expect([...learned].some((name) => tensors.get(name)!.data.some((value, i) => value !== before.get(name)!.data[i]))).toBe(true);
  const again = await importTorch(held.gpu, golden.description, bytes);
  expect(await again.logProb(x)).toEqual(await flow.logProb(x));
});

test('a disposed flow is an error', async () => {
  const flow = await maf(held.gpu, { dim: 2 });
  flow.dispose();
  await expect(exportTorch(flow)).rejects.toThrow(DisposedError);
});
