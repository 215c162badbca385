// A compiled program: encodes into any command encoder, as often as wanted, with no allocation once `reserve` has seen the row count.

import type { CallWords, SequenceValues } from './call-values.js';
import { FEW_ROWS, type RowsClass } from './choices.js';
import { DisposedError, LimitError, StateError } from './errors.js';
import type { Gpu } from './gpu.js';
import { memo } from './memo.js';
import type { Pipeline, Pipelines } from './pipelines.js';
import type { Command, Program } from './program.js';
import type { Residents } from './residents.js';
import { chunksOf, type Rows } from './run-arrays.js';
import { nameOf, paddedRows, type Tensor, TILE, type TiledTensor } from './tensor.js';
import { COPY_DST, STORAGE, UNIFORM } from './usage.js';

export interface EncodeCall {
  readonly rows: number;
  /** Row of the whole batch at which this call starts: the counter of the random numbers. 0 unless the caller splits a batch. */
  readonly firstRow?: number;
  /** Integer in [0, 2^53). */
  readonly seed?: number;
  /** 0: one context row for all rows; 1 (default): a row each. */
  readonly contextStride?: 0 | 1;
  /** Place in a sequence, for a program that reads it. Such a call is one chunk, unless `rowsAtOnce` is given. */
  readonly sequence?: SequenceValues;
  /** Rows of a chunk at most, a multiple of 64: what the call takes of memory. Default, and no more than, `rowsPerChunk`. */
  readonly rowsAtOnce?: number;
  /** The caller's buffers by name. Never kept beyond a weak cache of bind groups, never destroyed. */
  readonly externals: Readonly<Record<string, GPUBuffer>>;
}

/** Scratch of one chunk is kept under this, whatever the device allows: more rows than that gain nothing (docs/architecture.md). */
const SCRATCH_BUDGET = 256 * 2 ** 20;

/** Rows of a workgroup at least, in a batch of many: half a tile, of a quad. */
const LEAST = TILE / 2;

interface BoundCommand {
  readonly command: Command;
  pipelines: Readonly<Record<RowsClass, Pipeline>>;
  readonly paramsOffset: number;
  /** Names of externals this command binds, in binding order. */
  readonly externals: readonly string[];
  /** Bind group of a command without externals; rebuilt when scratch grows. */
  group: GPUBindGroup | null;
  /** By external buffer, then by row offset. Weak: a caller's buffer is not kept alive by us. */
  cache: WeakMap<GPUBuffer, Map<string, GPUBindGroup>>;
}

export class Executable {
  /** As it was recorded, or as the rule for the adapter arranged that. */
  readonly recorded: Program;
  readonly #gpu: Gpu;
  readonly #residents: Residents;
  #program!: Program;
  #rowsPerChunk!: number;
  #bound!: BoundCommand[];
  #paramsBuffer: GPUBuffer | null = null;
  readonly #callBuffer: GPUBuffer;
  readonly #tables = new Map<number, GPUBuffer>();
  #scratch: GPUBuffer[] = [];
  /** Outgrown scratch: an encoder that the caller has not submitted yet may still name it. */
  #retired: GPUBuffer[] = [];
  #capacity = 0;
  #disposed = false;
  #bufferIds = new WeakMap<GPUBuffer, number>();
  #nextBufferId = 0;

  constructor(gpu: Gpu, recorded: Program, pipelines: Pipelines, residents: Residents) {
    this.recorded = recorded;
    this.#gpu = gpu;
    this.#residents = residents;
    this.#take(pipelines);
    const { commands, tables } = pipelines.program;
    for (const [id, length] of tables)
      this.#tables.set(id, gpu.memory.create({ label: `table ${id}`, size: Math.ceil(length / 4) * 16, usage: STORAGE }));
    this.#callBuffer = gpu.callTable.createUniform(commands[0]?.label ?? 'empty');
    residents.executables.add(this);
  }

  /** What runs: as it was recorded, with those runs of commands fused that were chosen to be. */
  get program(): Program {
    return this.#program;
  }

  /** Rows of one chunk at most: binding, dispatch and memory limits, whichever is least. A multiple of 64. */
  get rowsPerChunk(): number {
    return this.#rowsPerChunk;
  }

  /**
   * Runs other variants from the next encode on. Bind groups stay, since variants have one layout, unless other commands are fused: then the next
   * encode makes scratch anew, and what encoders recorded before may name lives on.
   */
  adopt(pipelines: Pipelines): void {
    const { commands } = pipelines.program;
    if (commands.length === this.#bound.length && commands.every((command, index) => command === this.#bound[index]!.command)) {
      for (const [index, bound] of this.#bound.entries()) bound.pipelines = pipelinesAt(pipelines, index);
      return;
    }
    const before = this.#paramsBuffer;
    this.#take(pipelines);
    this.#retired.push(...this.#scratch, ...(before ? [before] : []));
    this.#scratch = [];
    this.#capacity = 0;
  }

  /** Makes scratch for `rows` rows (of one chunk at most). Encoding more rows than reserved reserves them itself. */
  reserve(rows: number): void {
    this.#assertAlive();
    const needed = paddedRows(Math.min(Math.max(rows, 1), this.rowsPerChunk));
    if (needed <= this.#capacity) return;
    const capacity = Math.min(paddedRows(2 ** Math.ceil(Math.log2(needed))), this.rowsPerChunk);
    const scratch = this.program.slots.map((features, slot) =>
      this.#gpu.memory.create({ label: `scratch ${slot}`, size: features * 4 * capacity, usage: STORAGE }),
    );
    this.#retired.push(...this.#scratch);
    this.#scratch = scratch;
    this.#capacity = capacity;
    for (const bound of this.#bound) {
      bound.cache = new WeakMap();
      bound.group = bound.externals.length === 0 ? this.#createGroup(bound, {}, 0) : null;
    }
  }

  /** After a failure for want of memory: some scratch may be invalid for good, so the next `reserve` asks anew, perhaps for less. */
  dropScratch(): void {
    for (const buffer of this.#scratch) this.#gpu.memory.destroy(buffer);
    this.#scratch = [];
    this.#capacity = 0;
  }

  /** Records only: no submit, no await. The caller keeps its buffers and submits the encoder. */
  encode(encoder: GPUCommandEncoder, call: EncodeCall): void {
    this.encodeAll(encoder, [call]);
  }

  /** Several calls one after another, as `encode` does each; between them only those values travel that change: a step, a seed. */
  encodeAll(encoder: GPUCommandEncoder, calls: Iterable<EncodeCall>): void {
    this.#assertAlive();
    let before: CallWords | null = null;
    for (const call of calls) {
      if (call.rows === 0) continue;
      const most = Math.min(call.rowsAtOnce ?? this.rowsPerChunk, this.rowsPerChunk);
      if (call.sequence && call.rowsAtOnce === undefined && call.rows > most)
        throw new StateError(`${this.program.commands[0]?.label}: a step of a sequence takes ${most} rows at most; got ${call.rows}`);
      this.reserve(Math.min(call.rows, most));
      for (const chunk of chunksOf(call.rows, most)) {
        before = this.#encodeCall(encoder, call, chunk, before);
        const [isFirst, isLast] = [chunk.start === 0, chunk.start + chunk.rows === call.rows];
        const pass = encoder.beginComputePass();
        for (const bound of this.#bound) {
          const { stage } = bound.command;
          if ((stage === 'before' && !isFirst) || (stage === 'after' && !isLast)) continue;
          this.#dispatch(pass, bound, call, chunk);
        }
        pass.end();
      }
    }
  }

  /** One pass for each command of the first chunk, so that each can carry timestamps or be submitted alone; see profiler.ts. */
  encodeCommand(encoder: GPUCommandEncoder, index: number, call: EncodeCall, timestampWrites?: GPUComputePassTimestampWrites): void {
    this.#assertAlive();
    this.reserve(call.rows);
    const [first] = chunksOf(call.rows, this.rowsPerChunk);
    if (index === 0) this.#encodeCall(encoder, call, first!, null);
    const pass = encoder.beginComputePass(timestampWrites ? { timestampWrites } : {});
    this.#dispatch(pass, this.#bound[index]!, call, first!);
    pass.end();
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#residents.executables.delete(this);
    for (const buffer of [...this.#scratch, ...this.#retired, ...this.#tables.values(), this.#callBuffer]) this.#gpu.memory.destroy(buffer);
    if (this.#paramsBuffer) this.#gpu.memory.destroy(this.#paramsBuffer);
    this.#scratch = [];
    this.#retired = [];
  }

  #assertAlive(): void {
    if (this.#disposed) throw new DisposedError('this program was disposed; nothing can be encoded with it');
  }

  #encodeCall(encoder: GPUCommandEncoder, call: EncodeCall, { start, rows }: Rows, before: CallWords | null): CallWords {
    const { firstRow = 0, seed = 0, contextStride = 1, sequence } = call;
    const place = sequence ? [sequence.step, sequence.steps, sequence.period] : [];
    const words = [rows, firstRow + start, seed % 2 ** 32, Math.floor(seed / 2 ** 32), contextStride, ...place];
    this.#gpu.callTable.encode(encoder, this.#callBuffer, words, before);
    return words;
  }

  #dispatch(pass: GPUComputePassEncoder, bound: BoundCommand, call: EncodeCall, { start, rows }: Rows): void {
    // By the whole batch, so that a row's bits do not depend on how it is split.
    const { kernel, pipeline } = bound.pipelines[call.rows <= FEW_ROWS && !call.firstRow ? 'few' : 'many'];
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bound.group ?? this.#externalGroup(bound, call, start));
    pass.dispatchWorkgroups(...kernel.grid(rows, bound.command.params));
  }

  #externalGroup(bound: BoundCommand, { externals, contextStride = 1 }: EncodeCall, start: number): GPUBindGroup {
    const [first, ...others] = bound.externals.map((name) => externals[name]!);
    const groups = memo(bound.cache, first!, () => new Map<string, GPUBindGroup>());
    const ids = others.map((buffer) => memo(this.#bufferIds, buffer, () => this.#nextBufferId++));
    return memo(groups, [start, contextStride, ...ids].join(), () => this.#createGroup(bound, externals, start, contextStride));
  }

  #createGroup(
    { command, pipelines, paramsOffset }: BoundCommand,
    externals: EncodeCall['externals'],
    start: number,
    contextStride: 0 | 1 = 1,
  ): GPUBindGroup {
    const { buffers, params, usesCall } = command.kernel.source;
    const entries: GPUBindGroupEntry[] = Object.entries(buffers).map(([name, { binding }]) => ({
      binding,
      resource: this.#bindingOf(command.tensors[name]!, externals, start, contextStride),
    }));
    if (usesCall) entries.push({ binding: 0, resource: { buffer: this.#callBuffer } });
    if (params.byteSize > 0)
      entries.push({ binding: params.binding, resource: { buffer: this.#paramsBuffer!, offset: paramsOffset, size: params.byteSize } });
    return this.#gpu.device.createBindGroup({ label: command.label, layout: pipelines.many.layout, entries });
  }

  #bindingOf(tensor: Tensor, externals: EncodeCall['externals'], start: number, contextStride: 0 | 1): GPUBufferBinding {
    if (tensor.kind === 'constant') return { buffer: this.#residents.buffer(tensor.data, tensor.label), offset: 4 * (tensor.from ?? 0) };
    if (tensor.kind === 'table')
      return {
        buffer: tensor.state === undefined ? this.#tables.get(tensor.id)! : externals[tensor.state]!,
        offset: 4 * tensor.from,
        size: 16 * Math.ceil(tensor.length / 4),
      };
    const name = nameOf(tensor);
    if (name === undefined) return { buffer: this.#scratch[this.program.slotOf.get((tensor as TiledTensor).id)!]! };
    const buffer = externals[name]!;
    const from = tensor.kind === 'external' ? (tensor.from ?? 0) : 0;
    // Chunks start at multiples of 64 rows, so the offset is a multiple of 256 bytes whatever the width.
    const offset = name === 'context' && contextStride === 0 ? 0 : (start * tensor.features + from) * 4;
    // A caller's buffer may have any size; a binding is whole words, and no larger than the device allows.
    const limit = this.#gpu.device.limits.maxStorageBufferBindingSize;
    return { buffer, offset, size: Math.floor(Math.min(buffer.size - offset, limit) / 4) * 4 };
  }

  /** Makes ready what these pipelines run; all that was stays where this throws. */
  #take(pipelines: Pipelines): void {
    const { program } = pipelines;
    const most = rowsPerChunk(this.#gpu, program);
    // First, since it may throw: what it has made by then belongs to the residents' owner.
    for (const { tensors } of program.commands)
      for (const tensor of Object.values(tensors)) if (tensor.kind === 'constant') this.#residents.buffer(tensor.data, tensor.label);
    const alignment = this.#gpu.device.limits.minUniformBufferOffsetAlignment;
    let offset = 0;
    this.#bound = program.commands.map((command, index) => {
      const paramsOffset = offset;
      offset += Math.ceil(command.kernel.source.params.byteSize / alignment) * alignment;
      const externals = Object.values(command.tensors).flatMap((tensor) => nameOf(tensor) ?? []);
      return { command, pipelines: pipelinesAt(pipelines, index), paramsOffset, externals, group: null, cache: new WeakMap() };
    });
    this.#program = program;
    this.#rowsPerChunk = most;
    this.#paramsBuffer = offset > 0 ? this.#uploadParams(offset) : null;
  }

  #uploadParams(byteSize: number): GPUBuffer {
    const data = new DataView(new ArrayBuffer(byteSize));
    for (const { command, paramsOffset } of this.#bound) {
      for (const [name, { type, offset }] of Object.entries(command.kernel.source.params.fields)) {
        const value = command.params[name]!;
        if (type === 'f32') data.setFloat32(paramsOffset + offset, value, true);
        else if (type === 'i32') data.setInt32(paramsOffset + offset, value, true);
        else data.setUint32(paramsOffset + offset, value, true);
      }
    }
    const buffer = this.#gpu.memory.create({ label: 'params', size: byteSize, usage: UNIFORM | COPY_DST });
    this.#gpu.device.queue.writeBuffer(buffer, 0, data.buffer);
    return buffer;
  }
}

const pipelinesAt = ({ many, few }: Pipelines, index: number): BoundCommand['pipelines'] => ({ many: many[index]!, few: few[index]! });

/** Rows that fit every limit at once, in whole tiles. Throws LimitError where not even one tile does. */
function rowsPerChunk(gpu: Gpu, program: Program): number {
  const { maxStorageBufferBindingSize, maxBufferSize, maxComputeWorkgroupsPerDimension } = gpu.device.limits;
  const widestScratch = Math.max(1, ...program.slots);
  const widestExternal = Math.max(1, ...Object.values(program.externals).map(({ features }) => features));
  let rows = Math.min(
    Math.floor(Math.min(maxStorageBufferBindingSize, maxBufferSize) / (4 * widestScratch)),
    Math.floor(maxStorageBufferBindingSize / (4 * widestExternal)),
    Math.floor(SCRATCH_BUDGET / Math.max(4, program.scratchBytesPerRow)),
    maxComputeWorkgroupsPerDimension * LEAST,
    gpu.maxRowsPerChunk,
  );
  rows = Math.max(Math.floor(rows / TILE) * TILE, Math.min(TILE, Math.floor(maxStorageBufferBindingSize / (4 * widestScratch))));
  if (rows < TILE)
    throw new LimitError(
      program.commands[0]?.label ?? 'program',
      `${4 * widestScratch * TILE} bytes in one binding for ${TILE} rows of its widest layer (${widestScratch} features)`,
      `a device with maxStorageBufferBindingSize ${maxStorageBufferBindingSize}; request one with a larger limit`,
    );
  for (const command of program.commands) {
    for (const [axis, groups] of command.kernel.grid(rows, command.params).entries()) {
      if (groups > maxComputeWorkgroupsPerDimension)
        throw new LimitError(
          command.label,
          `${groups} workgroups along axis ${axis}`,
          `a device that allows ${maxComputeWorkgroupsPerDimension}`,
        );
    }
  }
  return rows;
}
