// Where a flow leaves the range in which its float32 arithmetic means something: log-dets too large for a density, scales at their bound.

import { type ContextOption, type Flow, GpuFlow } from '../flows/flow.js';
import { recordOutput } from '../flows/task.js';
import { affine, SCALE_NUMBER } from '../kernels/affine.js';
import type { Command } from '../runtime/program.js';
import { Recorder } from '../runtime/recorder.js';
import type { TiledTensor } from '../runtime/tensor.js';

/** A log-det beyond this makes a density of more than e^100 times its neighbour's: almost always a degenerate fit. */
const LARGE_LOG_DET = 100;
/** A scale within this fraction of its bound: its gradient is nearly gone. */
const NEAR = 0.01;

/** Interval of log a that a scale kind can reach, or null where it is unbounded, or where the map is interpolated: its factor is not a. Formulas: shaders/lib/affine.wgsl. */
function logScaleBounds(constants: Command['constants']): readonly [low: number, high: number] | null {
  const [eps, low, high] = [Number(constants.EPS), Number(constants.LOW), Number(constants.HIGH)];
  if (Number(constants.MIX ?? 1) < 1) return null;
  switch (constants.SCALE) {
    case SCALE_NUMBER.softclip:
    case SCALE_NUMBER.tanh:
      return [-high, high];
    case SCALE_NUMBER.clamp:
      return [low, high];
    case SCALE_NUMBER.sigmoid:
      return [Math.log(eps), Math.log1p(eps)];
    case SCALE_NUMBER.softplus:
      return [Math.log(eps), Number.POSITIVE_INFINITY];
    case SCALE_NUMBER['softplus-clamped']:
      return [Math.log(eps), Math.log(high)];
    default:
      return null;
  }
}

interface Tap {
  readonly place: string;
  readonly name: string;
  readonly width: number;
  readonly bounds: readonly [low: number, high: number];
  /** The kernel wrote −log a. */
  readonly undone: boolean;
}

/** Re-records the density direction with the log-scales of every affine map copied out. */
function tapped(flow: GpuFlow): { recorder: Recorder; taps: Tap[] } {
  const recorder = new Recorder('flow');
  const taps: Tap[] = [];
  const { commands } = flow.record('forward');
  recorder.adopt(commands);
  for (const command of commands) {
    recorder.replay(command);
    if (command.kernel.source !== affine.source || command.constants.HAS_LOG_DET !== true) continue;
    const bounds = logScaleBounds(command.constants);
    if (bounds === null) continue;
    const tensor = command.tensors.log_terms as TiledTensor;
    const tap = {
      place: command.label.slice(0, command.label.lastIndexOf('/')),
      name: `log scale ${taps.length}`,
      width: tensor.features,
      bounds,
      undone: command.constants.UNDO === true,
    };
    taps.push(tap);
    recordOutput(recorder, tap.name, tensor);
  }
  return { recorder, taps };
}

/**
 * Sentences about rows whose log-det passes ±100 and about layers whose scales lie within 1 % of their bound, on x [n, D]; none where
 * all is well. Scales are seen where a layer computes them for all features at once, which an IAF's density direction does not, and where
 * the density is a recorded program, which adaptive steps are not.
 *
 * @param logDet of forward at x, [n].
 */
export async function findSaturation(flow: Flow, x: Float32Array, logDet: Float32Array, options: ContextOption): Promise<string[]> {
  const recorded = flow instanceof GpuFlow && flow.parts.bijector.hosted === undefined && logDet.length > 0;
  return [...largeLogDets(logDet), ...(recorded ? await saturatedScales(flow, x, options) : [])];
}

async function saturatedScales(flow: GpuFlow, x: Float32Array, options: ContextOption): Promise<string[]> {
  const { recorder, taps } = tapped(flow);
  if (taps.length === 0) return [];
  const widths = { z: flow.dim, logDet: 1, ...Object.fromEntries(taps.map(({ name, width }) => [name, width])) };
  const rows = x.length / flow.dim;
  const read = Object.fromEntries(Object.entries(widths).map(([name, width]) => [name, new Float32Array(rows * width)]));
  await flow.runOnce('findSaturation', recorder.finish(), { x, ...options }, read);
  return taps.flatMap((tap) => saturated(tap, read[tap.name]!));
}

function largeLogDets(logDet: Float32Array): string[] {
  let count = 0;
  let worst = 0;
  for (const value of logDet) {
    if (Math.abs(value) <= LARGE_LOG_DET) continue; // and NaN passes on: it is counted
    count++;
    if (!(Math.abs(value) <= Math.abs(worst))) worst = value;
  }
  if (count === 0) return [];
  return [`the log-det is beyond ±${LARGE_LOG_DET} nats on ${count} of ${logDet.length} rows (${worst.toPrecision(4)} at most)`];
}

function saturated({ place, width, bounds, undone }: Tap, terms: Float32Array): string[] {
  const [low, high] = bounds;
  const counts = [0, 0];
  for (const term of terms) {
    const scale = Math.exp(undone ? -term : term);
    if (scale <= Math.exp(low) * (1 + NEAR)) counts[0]!++;
    if (scale >= Math.exp(high) * (1 - NEAR)) counts[1]!++;
  }
  return (['lower', 'upper'] as const).flatMap((side, i) =>
    counts[i] === 0
      ? []
      : [
          `${place}: ${counts[i]} of ${terms.length} scales (${terms.length / width} rows, ${width} features) are within ${100 * NEAR} % of their ${side} bound e^${bounds[i]!.toPrecision(3)}`,
        ],
  );
}
