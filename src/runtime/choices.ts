// Which variant of a kernel a command runs. Variants have the same bindings, parameters and constants, so that programs are recorded once and
// know nothing of them; they differ in how invocations share the work, and in the order of sums.

import type { Kernel } from './kernel.js';
import { kernelKey } from './kernel.js';
import type { Command } from './program.js';

/** A batch of so few rows may have a variant of its own. */
export const FEW_ROWS = 8;
export type RowsClass = 'few' | 'many';

/** What the time of a command depends on: the kernel, its constants and parameters, and how much of a masked matrix is open. */
export const shapeOf = ({ kernel, tensors, params, constants }: Command): string =>
  `${kernelKey(kernel.source)} ${JSON.stringify([params, constants, kernel.multiplyAdds?.({ buffers: tensors, params }) ?? null])}`;

/** The name by which rules know an adapter: its architecture, or where that is hidden the first word of its description. */
export const adapterName = ({ architecture, description }: Partial<GPUAdapterInfo> = {}): string =>
  (architecture || /\w*/.exec(description ?? '')![0]).toLowerCase();

export class Choices {
  readonly adapter: string;
  /** Measured choices, by shape and class of rows. */
  readonly measured = new Map<string, Kernel>();

  constructor(device: GPUDevice) {
    this.adapter = adapterName(device.adapterInfo);
  }

  /** The kernel that a command runs: as measured, else by the kernel's own rule. */
  of(command: Command, rows: RowsClass): Kernel {
    const { kernel, params } = command;
    const measured =
      this.measured.size > 0 && (this.measured.get(`${rows} ${shapeOf(command)}`) ?? this.measured.get(`many ${shapeOf(command)}`));
    return measured || (kernel.prefers?.(params, this.adapter) ?? kernel);
  }
}
