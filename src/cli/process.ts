// This process: what it says, and how it is interrupted. Results go to stdout, all else to stderr.

export const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** What shells give a command that Ctrl-C ended. */
export const INTERRUPTED = 130;

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
let gentle: (() => void) | null = null;

/** Ends at once, with a browser that was started: what listens to `exit` closes it. */
const interrupted = (signal: NodeJS.Signals): void => {
  if (gentle === null) process.exit(signal === 'SIGINT' ? INTERRUPTED : 143);
  const once = gentle;
  gentle = null;
  once();
};

export function listenToSignals(): void {
  for (const signal of SIGNALS) process.on(signal, interrupted);
}

/** The first Ctrl-C calls `stop`; a second one ends the process. @returns undoes it. */
export function onInterrupt(stop: () => void): () => void {
  gentle = stop;
  return () => {
    gentle = null;
  };
}

/** What was written has left this process: `process.exit` would cut it off where stdout is a pipe. */
export const flush = (stream: NodeJS.WriteStream): Promise<void> => new Promise((resolve) => stream.write('', () => resolve()));
