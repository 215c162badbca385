#!/usr/bin/env node
// The command line: `pushforward fit`, `sample`, `score`, `summary`.

import { version } from '../../package.json';
import { sampleCommand, scoreCommand } from './draw-commands.js';
import { fitCommand } from './fit-command.js';
import { type CommandName, commands, generalHelp, helpOf, isCommand, parse, type Typed } from './options.js';
import { flush, listenToSignals, say } from './process.js';
import { summaryCommand } from './summary-command.js';
import { sentence, UsageError } from './usage.js';

const run: Record<CommandName, (typed: Typed) => Promise<number | undefined>> = {
  fit: fitCommand,
  sample: sampleCommand,
  score: scoreCommand,
  summary: summaryCommand,
};

/** @returns an exit code where it is not 0. */
async function main([name, ...args]: readonly string[]): Promise<number | undefined> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(name === 'help' && args[0] && isCommand(args[0]) ? helpOf(args[0]) : generalHelp());
    return undefined;
  }
  if (name === '--version' || name === '-v') {
    process.stdout.write(`${version}\n`);
    return undefined;
  }
  if (!isCommand(name)) throw new UsageError(`no command ${name}; there are ${Object.keys(commands).join(', ')} (\`pushforward --help\`)`);
  const typed = parse(name, args);
  if (typed.values.help === undefined) return run[name](typed);
  process.stdout.write(helpOf(name));
  return undefined;
}

const fail = (error: unknown): number => {
  say(`pushforward: ${sentence(error)}`);
  return error instanceof UsageError ? 2 : 1;
};

// Of what nobody waits for, such as a pipe to a browser that ended.
process.on('uncaughtException', (error) => process.exit(fail(error)));
// Whoever reads a result may have had enough of it, as head has.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
listenToSignals();
let code = 0;
try {
  code = (await main(process.argv.slice(2))) ?? 0;
} catch (error) {
  code = fail(error);
}
await flush(process.stdout);
await flush(process.stderr);
// Dawn's adapter would keep the process alive.
process.exit(code);
