// Pipelines by entry point and constants, compiled asynchronously and once. Layouts are explicit, so that bind groups made for one
// variant of a kernel serve another (`layout: 'auto'` forbids that).

import type { RowsClass } from './choices.js';
import { watched } from './error-scope.js';
import { CompileError } from './errors.js';
import { type Kernel, kernelKey } from './kernel.js';
import { memo, memoAsync } from './memo.js';
import type { Command, Program } from './program.js';

export interface Pipeline {
  readonly kernel: Kernel;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** Of a program's commands, for batches of many rows and of few (choices.ts): mostly the same. */
export interface Pipelines extends Readonly<Record<RowsClass, readonly Pipeline[]>> {
  /** What runs: the recorded one, or some of its commands fused. */
  readonly program: Program;
}

interface Module {
  readonly number: number;
  readonly module: GPUShaderModule;
  /** What the compiler complained about; asked for once, since Chrome 147 may never answer a second getCompilationInfo. */
  complaints: Promise<readonly string[]> | null;
}

/** Errors with the text around them: a shipped shader is a single line, which has no line number worth printing. */
async function complaintsAbout(module: GPUShaderModule, code: string): Promise<readonly string[]> {
  try {
    const { messages } = await module.getCompilationInfo();
    return messages
      .filter(({ type }) => type === 'error')
      .map(({ offset, message }) => `${message} at ${JSON.stringify(code.slice(Math.max(0, offset - 20), offset + 40))}`);
  } catch {
    return []; // the device was lost; Gpu.explain says so
  }
}

export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #pipelines = new Map<string, Promise<Pipeline>>();
  readonly #modules = new Map<string, Module>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** Pipelines compiled or compiling. */
  get size(): number {
    return this.#pipelines.size;
  }

  /** @param kernel the command's own, or a variant of it. */
  get(command: Command, kernel = command.kernel): Promise<Pipeline> {
    const { source } = kernel;
    // WebKit rejects constants that the shader never reads, so only reflected ones pass; bools travel as 0 and 1.
    const constants: Record<string, number> = {};
    const given: Command['constants'] = { ...command.constants, ...kernel.settings?.(command.params) };
    for (const [name, { default: fallback }] of Object.entries(source.constants)) constants[name] = Number(given[name] ?? fallback);
    const shader = memo(this.#modules, source.wgsl, () => {
      const number = this.#modules.size;
      let module!: GPUShaderModule;
      // A text that does not compile is told by its pipeline, and by nobody else.
      void watched(this.#device, () => {
        module = this.#device.createShaderModule({ label: source.name, code: source.wgsl });
      });
      return { number, module, complaints: null };
    });
    const label = `${kernelKey(source)}${JSON.stringify(constants)}`;
    return memoAsync(this.#pipelines, `${shader.number} ${label}`, () => this.#compile(label, kernel, constants, shader));
  }

  async #compile(label: string, kernel: Kernel, constants: Record<string, number>, shader: Module): Promise<Pipeline> {
    const { source } = kernel;
    const layout = this.#layout(source);
    try {
      const pipeline = await this.#device.createComputePipelineAsync({
        label,
        layout: this.#device.createPipelineLayout({ label, bindGroupLayouts: [layout] }),
        compute: { module: shader.module, entryPoint: source.entryPoint, constants },
      });
      return { kernel, pipeline, layout };
    } catch (cause) {
      shader.complaints ??= complaintsAbout(shader.module, source.wgsl);
      throw new CompileError(`${label}: ${[...(await shader.complaints), String(cause)].join('; ')}`, { cause });
    }
  }

  #layout(source: Kernel['source']): GPUBindGroupLayout {
    const visibility = 4; // GPUShaderStage.COMPUTE; the constant is absent in some workers and in Node
    const entries: GPUBindGroupLayoutEntry[] = [];
    if (source.usesCall) entries.push({ binding: 0, visibility, buffer: { type: 'uniform' } });
    if (source.params.byteSize > 0) entries.push({ binding: source.params.binding, visibility, buffer: { type: 'uniform' } });
    for (const { binding, access } of Object.values(source.buffers))
      entries.push({ binding, visibility, buffer: { type: access === 'read' ? 'read-only-storage' : 'storage' } });
    return memo(this.#layouts, JSON.stringify(entries), () => this.#device.createBindGroupLayout({ label: source.name, entries }));
  }
}
