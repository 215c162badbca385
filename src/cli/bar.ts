// The progress of training: a bar that is drawn over itself on a terminal, lines now and then where it is a file.

import type { Progress } from './jobs.js';

export interface Bar {
  update(progress: Progress): void;
  stop(): void;
}

const SECONDS_BETWEEN_LINES = 10;
const WIDTH = 24;
const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const REST_OF_LINE = '\u001b[K';

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

/** One line of at most so many characters: a longer one would wrap, and could not be drawn over. */
export function line(done: number, words: string, columns: number): string {
  const full = Math.floor(WIDTH * Math.min(1, Math.max(0, done)));
  return `${'█'.repeat(full)}${'░'.repeat(WIDTH - full)} ${words}`.slice(0, Math.max(0, columns - 1));
}

export function startBar(stream: NodeJS.WriteStream): Bar {
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
  const draw = (done: number, words: string) => stream.write(`\r${line(done, words, stream.columns || 80)}${REST_OF_LINE}`);
  // A process that ends otherwise leaves the terminal as it was, too.
  const show = () => stream.write(SHOW_CURSOR);
  process.once('exit', show);
  stream.write(HIDE_CURSOR);
  draw(0, 'compiling');
  return {
    update: (progress) => draw(progress.step / progress.steps, describe(progress)),
    stop() {
      process.removeListener('exit', show);
      stream.write(`\n${SHOW_CURSOR}`);
    },
  };
}
