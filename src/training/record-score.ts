// The program of a flow's score.

import type { GpuFlow } from '../flows/flow.js';
import { recordOutput } from '../flows/task.js';
import type { Program } from '../runtime/program.js';
import { Recorder } from '../runtime/recorder.js';
import { recordGradients } from './differentiate.js';
import { unfused } from './unfuse.js';

/** The program of log p(x) and d log p(x) / dx. @throws UnsupportedError for a kernel without a derivative rule. */
export function recordScore(flow: GpuFlow): Program {
  const density = new Recorder('flow', { differentiable: true });
  const { x, logProb } = flow.recordLogProb(density);
  const r = new Recorder('flow');
  const commands = unfused(density.commands);
  r.adopt(commands);
  for (const command of commands) r.replay(command);
  const [score] = recordGradients(r, logProb, 1, [x]);
  recordOutput(r, 'logProb', logProb);
  recordOutput(r, 'score', score!);
  return r.finish();
}
