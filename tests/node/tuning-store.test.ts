// Choices between variants as Node keeps them: a file under XDG_CACHE_HOME. That of a browser is in tests/runtime/tune.test.ts.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { platformStore } from '../../src/tuning/store.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pushforward-store-'));
  vi.stubEnv('XDG_CACHE_HOME', folder);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

test('what one store writes another reads, adapter by adapter', async () => {
  expect(await platformStore()!.read('a')).toEqual({});
  await platformStore()!.write('a', { 'many shape': 'masked-linear-quad' });
  await platformStore()!.write('b', { 'few shape': 'masked-linear-few' });
  expect(await platformStore()!.read('a')).toEqual({ 'many shape': 'masked-linear-quad' });
  expect(await platformStore()!.read('b')).toEqual({ 'few shape': 'masked-linear-few' });
});

test('a file that is not ours is written anew', async () => {
  await platformStore()!.write('a', { shape: 'x' });
  const file = join(folder, 'pushforward/variants.json');
  await writeFile(file, 'not JSON');
  expect(await platformStore()!.read('a')).toEqual({});
  await platformStore()!.write('b', { shape: 'y' });
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ b: { shape: 'y' } });
});
