// What the device says late. Scopes are pushed and popped within one turn of the event loop, so those of concurrent calls nest.

/** Runs `body`. What is returned becomes what the device says of itself where it had no memory for that or refused it, else null. */
export function watched(device: GPUDevice, body: () => void): Promise<string | null> {
  device.pushErrorScope('validation');
  device.pushErrorScope('out-of-memory');
  // A lost device may reject here; whoever waits for results hears of the loss from them.
  const pop = () => device.popErrorScope().catch(() => null);
  let popped: Promise<(GPUError | null)[]>;
  try {
    body();
  } finally {
    popped = Promise.all([pop(), pop()]); // also where `body` throws: the stack of scopes belongs to the caller too
  }
  return popped.then(([memory, validation]) =>
    memory ? `has no memory for this: ${memory.message}` : validation ? `refused this: ${validation.message}` : null,
  );
}
