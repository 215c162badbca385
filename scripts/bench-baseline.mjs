// Baselines: a folder with one run of the benchmark for each class of adapters.
import { existsSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

const schema = JSON.parse(readFileSync(new URL('../bench/schema.json', import.meta.url), 'utf8')).properties.schema.const;

/** @param {string} folder @param {string} adapter its class. */
export const baselineFile = (folder, adapter) => join(resolve(folder), `${adapter}.json`);

/**
 * The baseline that a run of this size may be compared with.
 * @param {string} folder @param {string} adapter its class. @param {string} size of the run.
 * @throws Error where there is none, or one of another size or form.
 */
export function readBaseline(folder, adapter, size) {
  const file = baselineFile(folder, adapter);
  const name = relative(process.cwd(), file);
  if (!existsSync(file)) throw new Error(`there is no baseline ${name}; --save-baseline on a quiet machine makes one`);
  const baseline = JSON.parse(readFileSync(file, 'utf8'));
  if (baseline.schema !== schema)
    throw new Error(`${name} has the form ${baseline.schema}, this is ${schema}; --save-baseline makes another`);
  const own = baseline.settings.size;
  if (own !== size) throw new Error(`${name} is a run of size ${own}, this one is ${size}; compare like with like`);
  return baseline;
}
