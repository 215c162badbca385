// The progress of training on a terminal: a bar where there is one, lines now and then where it is a file.

import { Presets, SingleBar } from 'cli-progress';
import type { Progress } from './jobs.js';

export interface Bar {
  update(progress: Progress): void;
  stop(): void;
}

const SECONDS_BETWEEN_LINES = 10;

/** 3 s, 4 min 10 s, 2 h 5 min. */
export function duration(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return '…';
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

const nats = (value: number | null | undefined): string => (typeof value === 'number' ? value.toFixed(4) : '…');
const rate = (value: number): string => (value < 10 ? value.toPrecision(2) : value.toFixed(0));

/** What a person wants to know of training as it goes. */
export function describe({ step, steps, loss, validationLoss, stepsPerSecond, secondsLeft }: Progress): string {
  const held = validationLoss === undefined ? '' : `, validation ${nats(validationLoss)}`;
  return `${step}/${steps} steps, loss ${nats(loss)}${held}, ${rate(stepsPerSecond)} steps/s, ${duration(secondsLeft)} left`;
}

export function startBar(steps: number, stream: NodeJS.WriteStream): Bar {
  if (!stream.isTTY) {
    let told = performance.now();
    return {
      update(progress) {
        if (progress.step < progress.steps && performance.now() - told < 1000 * SECONDS_BETWEEN_LINES) return;
        told = performance.now();
        stream.write(`${describe(progress)}\n`);
      },
      stop: () => undefined,
    };
  }
  const bar = new SingleBar(
    { format: '{bar} {words}', stream, barsize: 24, hideCursor: true, gracefulExit: false },
    Presets.shades_classic,
  );
  bar.start(steps, 0, { words: 'compiling' });
  return {
    update: (progress) => bar.update(progress.step, { words: describe(progress) }),
    stop: () => bar.stop(),
  };
}
