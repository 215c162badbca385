// `pushforward summary`.

import { Gpu, loadFlow, summary } from 'pushforward';
import type { Typed } from './options.js';
import { contextNames, featureNames, readSaved } from './saved.js';
import { filesOf, flagOf } from './values.js';

export async function summaryCommand(typed: Typed): Promise<undefined> {
  const [path] = filesOf(typed, 'summary', ['the file of a flow']) as [string];
  const saved = await readSaved(path);
  // A summary is read off recorded programs, which no device compiles or runs.
  const gpu = Gpu.from({ lost: new Promise(() => undefined) } as unknown as GPUDevice);
  const flow = await loadFlow(gpu, saved.bytes);
  const { columns, contextColumns, levels } = saved.note;
  if (flagOf(typed, 'json')) {
    process.stdout.write(`${JSON.stringify({ ...saved.note, ...summary(flow) }, null, 2)}\n`);
    return;
  }
  const lines = [
    ...(columns ? [`columns: ${featureNames(saved).join(', ')}`] : []),
    ...(contextColumns ? [`context: ${contextNames(saved).join(', ')}`] : []),
    ...(levels ? [`integers from 0 to ${levels - 1}`] : []),
    String(summary(flow)),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
