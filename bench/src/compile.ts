// How long each pipeline takes to compile by itself, on the device that the cases share.

import type { Gpu } from '../../src/index.js';
import type { Pipeline } from '../../src/runtime/pipelines.js';
import type { Program } from '../../src/runtime/program.js';

export interface Compiled {
  readonly kernel: string;
  readonly milliseconds: number;
}

/** The last part of a label: `flow/made[0]/affine` is a dispatch of `affine`. */
export const kernelOf = (label: string): string => label.slice(label.lastIndexOf('/') + 1);

/** Takes the compiling of a Gpu over: one pipeline after another, so that each has a time of its own. */
export class CompileTimes {
  readonly #gpu: Gpu;
  readonly #found = new Map<Pipeline, Compiled>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(gpu: Gpu) {
    this.#gpu = gpu;
    const { pipelines } = gpu;
    const compile = pipelines.get.bind(pipelines);
    pipelines.get = (command, kernel) => {
      const timed = this.#last.then(async () => {
        const begin = performance.now();
        const pipeline = await compile(command, kernel);
        const milliseconds = performance.now() - begin;
        if (!this.#found.has(pipeline)) this.#found.set(pipeline, { kernel: kernelOf(command.label), milliseconds });
        return pipeline;
      });
      this.#last = timed.catch(() => {});
      return timed;
    };
  }

  /** What runs of a recorded program, and its pipelines, each once; those that no program before it had are compiled now. */
  async of(recorded: Program): Promise<{ readonly program: Program; readonly compiled: readonly Compiled[] }> {
    await this.#gpu.choices.ready();
    const { program, many } = await this.#gpu.pipelinesOf(this.#gpu.choices.arrange(recorded));
    return { program, compiled: [...new Set(many)].map((pipeline) => this.#found.get(pipeline)!) };
  }
}

export const total = (compiled: readonly Compiled[]): number => compiled.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
