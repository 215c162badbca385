// Options of the commands: one table each, which the parser and the help are made of.

import { parseArgs } from 'node:util';
import { sentence, UsageError } from './usage.js';

export interface Option {
  /** What stands for its value in the help; a flag has none. */
  readonly value?: string;
  readonly help: string;
  readonly short?: string;
}

export interface Command<Name extends string = string> {
  readonly does: string;
  /** Files, in order. */
  readonly files: readonly string[];
  readonly options: Readonly<Record<Name, Option>>;
  readonly examples: readonly string[];
}

const engine = { value: 'WHERE', help: 'node, chrome, or auto: node if the package webgpu gives an adapter, else headless Chrome' };
const help = { help: 'this text', short: 'h' };

export const commands = {
  fit: {
    does: 'trains a flow on the rows of a file, by maximum likelihood',
    files: ['DATA'],
    options: {
      out: { value: 'FILE', help: 'where the flow goes, a safetensors file that loadFlow reads', short: 'o' },
      flow: { value: 'NAME', help: 'maf, iaf, nice, realnvp or nsf (default nsf)' },
      layers: { value: 'N', help: 'layers with a network (default 5)' },
      hidden: { value: 'N,N', help: 'widths of the hidden layers of each network (default 64,64)' },
      steps: { value: 'N', help: 'steps of training (default 2000)' },
      batch: { value: 'N', help: 'rows of a step (default 256, or all where there are fewer)' },
      rate: { value: 'X', help: 'learning rate at the start, which falls to 0 along a cosine (default 0.001)' },
      seed: { value: 'N', help: 'of the weights, the order of the rows and which are held out (default 0)' },
      validation: {
        value: 'SHARE',
        help: 'rows held out, whose best loss decides which parameters are kept (default 0.1; 0 holds out none)',
      },
      average: { value: 'DECAY', help: 'keep a moving average of the parameters, for example 0.999' },
      levels: { value: 'N', help: 'the data are integers from 0 to N - 1; every step adds new noise' },
      columns: { value: 'A,B', help: 'the columns to learn, by name or number (default all but those of the context)' },
      'context-columns': { value: 'C,D', help: 'columns that are given: the flow learns the density of the others on condition of them' },
      'no-standardise': { help: 'leave the data as they are, instead of behind their mean and deviation' },
      checkpoint: { value: 'FILE', help: 'where the run is kept at each look at the held-out rows and at its end, for --resume' },
      resume: { value: 'FILE', help: 'a checkpoint of the same command, from which training goes on to the same bits' },
      quiet: { help: 'no progress', short: 'q' },
      engine,
      help,
    },
    examples: [
      'pushforward fit data.csv --flow nsf --out flow.safetensors',
      'pushforward fit data.csv --out flow.safetensors --checkpoint run.safetensors',
      'pushforward fit weather.csv --context-columns month,hour --out weather.safetensors',
    ],
  },
  sample: {
    does: 'draws rows from a flow',
    files: ['FLOW'],
    options: {
      out: { value: 'FILE', help: 'where the rows go: .csv, .tsv, .json or .npy (default CSV on the terminal)', short: 'o' },
      count: { value: 'N', help: 'rows, for each row of a context (default 1000)', short: 'n' },
      seed: { value: 'N', help: 'the same seed gives the same rows on one machine (default another one each time)' },
      context: { value: 'FILE', help: "rows of a conditional flow's context, or one row as it is: month=7,hour=12" },
      'log-prob': { help: 'the log-density of each row in a last column' },
      quiet: { help: 'say nothing of the adapter', short: 'q' },
      engine,
      help,
    },
    examples: [
      'pushforward sample flow.safetensors --count 1000 --out samples.csv',
      'pushforward sample weather.safetensors --context month=7,hour=12',
    ],
  },
  score: {
    does: 'gives the log-density of each row of a file, in nats, and their mean',
    files: ['FLOW', 'DATA'],
    options: {
      out: { value: 'FILE', help: 'where the scores go: .csv, .tsv, .json or .npy (default CSV on the terminal)', short: 'o' },
      seed: { value: 'N', help: 'of the noise where the data are integers (default 0)' },
      samples: { value: 'N', help: 'draws of that noise for each row, which tighten the bound (default 16)' },
      quiet: { help: 'say nothing of the adapter and the mean', short: 'q' },
      engine,
      help,
    },
    examples: ['pushforward score flow.safetensors data.csv --out scores.csv'],
  },
  summary: {
    does: 'prints layers, parameters and the cost of each direction; it needs no GPU',
    files: ['FLOW'],
    options: { json: { help: 'as one JSON object' }, help },
    examples: ['pushforward summary flow.safetensors', 'pushforward summary flow.safetensors --json'],
  },
} as const satisfies Record<string, Command>;

export type CommandName = keyof typeof commands;

export const isCommand = (name: string): name is CommandName => Object.hasOwn(commands, name);

/** What was typed after the name of a command. */
export interface Typed {
  readonly files: readonly string[];
  /** Values of options by name; a flag that is set is ''. */
  readonly values: Readonly<Record<string, string>>;
}

/** @throws UsageError for an option that the command does not have, or one without its value. */
export function parse(name: CommandName, args: readonly string[]): Typed {
  const { options } = commands[name] as Command;
  const config = Object.fromEntries(
    Object.entries(options).map(([option, { value, short }]) => [
      option,
      { type: value ? ('string' as const) : ('boolean' as const), ...(short && { short }) },
    ]),
  );
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: config, allowPositionals: true });
    return {
      files: positionals,
      values: Object.fromEntries(Object.entries(values).map(([option, value]) => [option, typeof value === 'string' ? value : ''])),
    };
  } catch (error) {
    const text = sentence(error);
    const option = /'(?:-\w, )?(-{1,2}[^'\s]*)/.exec(text)?.[1] ?? '';
    const known = `\`pushforward ${name} --help\` lists what it takes`;
    const { code } = error as { code?: string };
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') throw new UsageError(`${name} has no option ${option}; ${known}`);
    const { value } = options[option.slice(2)] ?? {};
    throw new UsageError(value ? `${option} needs a value, ${option} ${value}; ${known}` : `${option} takes no value; ${known}`);
  }
}

const COLUMN = 28;

export function helpOf(name: CommandName): string {
  const { does, files, options, examples } = commands[name] as Command;
  const lines = Object.entries(options).map(([option, { value, short, help }]) => {
    const left = `${short ? `-${short}, ` : '    '}--${option}${value ? ` ${value}` : ''}`;
    return `  ${left.padEnd(COLUMN)}  ${help}`;
  });
  return [
    `pushforward ${name} ${files.join(' ')} [options]`,
    `  ${does}`,
    '',
    ...lines,
    '',
    ...examples.map((example) => `  ${example}`),
    '',
  ].join('\n');
}

export function generalHelp(): string {
  const lines = Object.entries(commands as Record<string, Command>).map(
    ([name, { does, files }]) => `  ${`${name} ${files.join(' ')}`.padEnd(20)}  ${does}`,
  );
  return [
    'pushforward <command> [options]',
    '  normalizing flows on the GPU: train one on a table, sample from it, score rows with it',
    '',
    ...lines,
    '',
    '  `pushforward <command> --help` lists the options of a command; `pushforward --version` prints the version.',
    '  Tables are .csv, .tsv, .json (an array of rows or of objects) or .npy. WebGPU comes from the package webgpu',
    '  in Node, or from a headless Chrome through puppeteer-core: install one of the two beside this package.',
    '',
  ].join('\n');
}
