// Which variant of a kernel a command runs. Variants have the same bindings, parameters and constants, so that programs are recorded once and
// know nothing of them; they differ in how invocations share the work, and in the order of sums. Some runs of commands have one kernel that does all
// of them (src/tuning/fuse.ts).

import type { Kernel } from './kernel.js';
import { kernelKey } from './kernel.js';
import type { Command, Program } from './program.js';

/** A batch of so few rows may have a variant of its own. */
export const FEW_ROWS = 8;
export type RowsClass = 'few' | 'many';

/** What the time of a command depends on: the kernel, its constants and parameters, and how much of a masked matrix is open. */
export const shapeOf = ({ kernel, tensors, params, constants }: Command): string =>
  `${kernelKey(kernel.source)} ${JSON.stringify([params, constants, kernel.multiplyAdds?.({ buffers: tensors, params }) ?? null])}`;

/** The name by which rules know an adapter: its architecture, or where that is hidden the first word of its description. */
export const adapterName = ({ architecture, description }: Partial<GPUAdapterInfo> = {}): string =>
  (architecture || /\w*/.exec(description ?? '')![0]).toLowerCase();

/** The variant that a command should run; null for its own kernel. */
export type Rule = (command: Command) => Kernel | null;

export interface AdapterRules {
  readonly variant: Rule;
  /** Whether a run of commands should be fused to this one. */
  readonly fuses: (fused: Command) => boolean;
}

/** Adapters for which src/tuning/rules.ts has a rule. The others never load it. */
const ADAPTERS_WITH_RULES = ['swiftshader', 'software'];

export class Choices {
  readonly adapter: string;
  /** Whether the device compiles a kernel. */
  readonly compiles: (kernel: Kernel) => boolean;
  /** Measured choices, by class of rows and shape. */
  readonly measured = new Map<string, Kernel>();
  /** Shapes of runs of commands of which a measurement said whether to fuse them. */
  readonly fused = new Map<string, boolean>();
  /** A program as the rule for the adapter wants it, before anything else looks at it: itself without a rule. */
  arrange: (program: Program) => Program = (program) => program;
  /** The program that runs in a recorded one's place: itself, until a rule or a measurement chose to fuse some of its commands. */
  fuse: (recorded: Program) => Program = (recorded) => recorded;
  #rules: AdapterRules | undefined;

  constructor(device: GPUDevice) {
    this.adapter = adapterName(device.adapterInfo);
    this.compiles = ({ source: { feature } }) => !feature || device.features.has(feature);
  }

  /** Resolves once the rule for this adapter is there. */
  async ready(): Promise<void> {
    if (this.#rules || !ADAPTERS_WITH_RULES.includes(this.adapter)) return;
    const { rules, fuseFor, arranged } = await import('../tuning/rules.js');
    if (this.#rules) return;
    this.#rules = rules[this.adapter];
    this.arrange = arranged;
    this.fuse = fuseFor(this);
  }

  /** Whether a run of commands is fused to this one: as measured, else by the rule for this adapter. */
  fuses(fused: Command): boolean {
    return this.compiles(fused.kernel) && (this.fused.get(shapeOf(fused)) ?? this.#rules?.fuses(fused) ?? false);
  }

  /** The kernel that a command runs: as measured, else by the rule for this adapter, else its own. */
  of(command: Command, rows: RowsClass): Kernel {
    if (this.measured.size > 0) {
      const shape = shapeOf(command);
      const measured = this.measured.get(`${rows} ${shape}`) ?? this.measured.get(`many ${shape}`);
      if (measured) return measured;
    }
    const ruled = this.#rules?.variant(command);
    return ruled && this.compiles(ruled) ? ruled : command.kernel;
  }
}
