// What was chosen, and why.

import { FEW_ROWS, type RowsClass, shapeOf } from '../runtime/choices.js';
import type { Executable } from '../runtime/executable.js';
import type { Gpu } from '../runtime/gpu.js';
import { memo } from '../runtime/memo.js';
import type { Command } from '../runtime/program.js';
import { familyName } from './family-name.js';
import { fusionsOf } from './fuse.js';
import type { Fusion } from './fusion.js';
import { families } from './variants.js';

/** One shape of one kernel, and the variant that it runs with; or a kernel that can take the place of one or several in a way of its own. */
export interface Choice {
  /** The kernel that programs name. */
  readonly kernel: string;
  readonly params: Readonly<Record<string, number>>;
  readonly constants: Readonly<Record<string, number | boolean>>;
  /** `few`: batches of up to 8 rows; `all` for what is fused, which no batch changes. */
  readonly rows: RowsClass | 'all';
  /** The variant's name; the kernel's own where it runs as it is; `apart` for a kernel that could take the place of others and does not. */
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

const programsOn = (gpu: Gpu): Executable[] => [...gpu.owners].flatMap(({ executables }) => [...executables]);

/**
 * Commands of all programs on a Gpu that have variants, one a shape.
 *
 * @param of the programs as they were `recorded`, or as they run (`program`).
 */
export function commandsOf(gpu: Gpu, of: 'recorded' | 'program'): Map<string, Command> {
  const found = new Map<string, Command>();
  for (const executable of programsOn(gpu))
    for (const command of executable[of].commands) if (familyName(command.kernel) in families) found.set(shapeOf(command), command);
  return found;
}

/** `chosen` where the parts of a fusion run. */
export const APART = 'apart';

export const fusionKey = (command: Command): string => `fused ${shapeOf(command)}`;

/** What could be fused in the programs on a Gpu, one a shape. */
export const fusionsOn = (gpu: Gpu): Map<string, Fusion> =>
  new Map(
    programsOn(gpu)
      .flatMap(({ recorded }) => fusionsOf(recorded))
      .filter(({ command }) => gpu.choices.compiles(command.kernel))
      .map((fusion) => [fusionKey(fusion.command), fusion] as const),
  );

const milliseconds = (value: number) => `${value.toPrecision(3)} ms`;

function line({ kernel, params, rows, chosen, because, milliseconds: times, refused }: Choice): string {
  const shape = ['inputs', 'outputs', 'tasks', 'dim', 'layers', 'features'].flatMap((name) =>
    params[name] ? `${name} ${params[name]}` : [],
  );
  const others = [
    ...Object.entries(times).map(([name, time]) => `${name} ${milliseconds(time)}`),
    ...Object.entries(refused).map(([name, reason]) => `${name} ${reason}`),
  ];
  const batch = { few: `up to ${FEW_ROWS} rows`, many: 'more rows', all: 'fused' }[rows];
  return `${kernel}, ${shape.join(', ')}, ${batch}: ${chosen}, ${because}${others.length > 0 ? ` (${others.join('; ')})` : ''}`;
}

export function reportOf(gpu: Gpu): TuningReport {
  const known = findingsOf(gpu);
  const fusible = fusionsOn(gpu);
  // Of fusions that share a part, one runs at most.
  const running = new Set(programsOn(gpu).flatMap(({ program }) => program.commands.map(fusionKey)));
  // What runs fused has a line of its own.
  const single = [...commandsOf(gpu, 'program')].filter(([, command]) => !fusible.has(fusionKey(command)));
  const variants = single.flatMap(([shape, command]) =>
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
  const fusions = [...fusible].map(([key, { command }]): Choice => {
    const { kernel, params, constants } = command;
    const { name } = kernel.source;
    const chosen = running.has(key) ? name : APART;
    return {
      kernel: name,
      params,
      constants,
      rows: 'all',
      chosen,
      ...(known.get(key) ?? { because: chosen === name ? 'rule' : 'default', milliseconds: {}, refused: {} }),
    };
  });
  const choices = [...variants, ...fusions];
  return { adapter: gpu.choices.adapter, choices, toString: () => choices.map(line).join('\n') };
}
