/** What a person did not give, or a machine does not have. The message is one sentence, for the terminal. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** What was typed does not fit the command. */
export class UsageError extends CommandError {}

/** The sentence of an error, on one line. */
export function sentence(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/\s*\n\s*/g, ' ').trim();
}
