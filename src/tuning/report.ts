// What was chosen, and why.

import { FEW_ROWS, type RowsClass, shapeOf } from '../runtime/choices.js';
import type { Gpu } from '../runtime/gpu.js';
import { memo } from '../runtime/memo.js';
import type { Command } from '../runtime/program.js';
import { families } from './variants.js';

/** One shape of one kernel, and the variant that it runs with. */
export interface Choice {
  /** The kernel that programs name. */
  readonly kernel: string;
  readonly params: Readonly<Record<string, number>>;
  readonly constants: Readonly<Record<string, number | boolean>>;
  /** `few`: batches of up to 8 rows. */
  readonly rows: RowsClass;
  /** The variant's name; the kernel's own where it runs as it is. */
  readonly chosen: string;
  /**
   * `measured` by this Gpu, `remembered` from an earlier measurement on such an adapter, for few rows `as for more rows` where only those were measured, by a
   * `rule` for the adapter, or the `default`.
   */
  readonly because: 'measured' | 'remembered' | 'as for more rows' | 'rule' | 'default';
  /** Median milliseconds of each variant that was timed, by name. */
  readonly milliseconds: Readonly<Record<string, number>>;
  /** Why a variant was not timed, by name. */
  readonly refused: Readonly<Record<string, string>>;
}

export interface TuningReport {
  readonly adapter: string;
  readonly choices: readonly Choice[];
  toString(): string;
}

/** What is known beside the choice itself. */
export type Finding = Pick<Choice, 'because' | 'milliseconds' | 'refused'>;

const findings = new WeakMap<Gpu, Map<string, Finding>>();

/** By class of rows and shape, of one Gpu. */
export function findingsOf(gpu: Gpu): Map<string, Finding> {
  return memo(findings, gpu, () => new Map());
}

/** Commands of all programs on a Gpu that have variants, one a shape. */
export function commandsOf(gpu: Gpu): Map<string, Command> {
  const found = new Map<string, Command>();
  for (const owner of gpu.owners)
    for (const { program } of owner.executables)
      for (const command of program.commands) if (command.kernel.source.name in families) found.set(shapeOf(command), command);
  return found;
}

const milliseconds = (value: number) => `${value.toPrecision(3)} ms`;

function line({ kernel, params, rows, chosen, because, milliseconds: times, refused }: Choice): string {
  const shape = ['inputs', 'outputs', 'tasks', 'dim'].flatMap((name) => (name in params ? `${name} ${params[name]}` : []));
  const others = [
    ...Object.entries(times).map(([name, time]) => `${name} ${milliseconds(time)}`),
    ...Object.entries(refused).map(([name, reason]) => `${name} ${reason}`),
  ];
  const batch = rows === 'few' ? `up to ${FEW_ROWS} rows` : 'more rows';
  return `${kernel}, ${shape.join(', ')}, ${batch}: ${chosen}, ${because}${others.length > 0 ? ` (${others.join('; ')})` : ''}`;
}

export function reportOf(gpu: Gpu): TuningReport {
  const known = findingsOf(gpu);
  const choices = [...commandsOf(gpu)].flatMap(([shape, command]) =>
    (['many', 'few'] as const).map((rows): Choice => {
      const { kernel, params, constants } = command;
      const chosen = gpu.choices.of(command, rows);
      const because = known.has(`many ${shape}`) ? 'as for more rows' : chosen === kernel ? 'default' : 'rule';
      return {
        kernel: kernel.source.name,
        params,
        constants,
        rows,
        chosen: chosen.source.name,
        ...(known.get(`${rows} ${shape}`) ?? { because, milliseconds: {}, refused: {} }),
      };
    }),
  );
  return { adapter: gpu.choices.adapter, choices, toString: () => choices.map(line).join('\n') };
}
