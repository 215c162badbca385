// Time of each command of a program: by timestamps where the device has them, else by submitting each command alone and waiting,
// which adds the round trip of a submission (0.1 to 0.3 ms) to every figure. The method is part of the answer.

import type { EncodeCall, Executable } from './executable.js';
import type { Gpu } from './gpu.js';
import { COPY_SRC, QUERY_RESOLVE } from './usage.js';

export interface Profile {
  readonly method: 'timestamp-query' | 'wall-clock';
  /** One entry a command, in order. */
  readonly commands: readonly { readonly label: string; readonly milliseconds: number }[];
}

/** Runs the first chunk of `call`, command by command. */
export async function profile(gpu: Gpu, executable: Executable, call: EncodeCall): Promise<Profile> {
  const labels = executable.program.commands.map((command) => command.label);
  executable.reserve(call.rows);
  const method = gpu.device.features.has('timestamp-query') ? 'timestamp-query' : 'wall-clock';
  const milliseconds = await (method === 'timestamp-query' ? withTimestamps : withWallClock)(gpu, executable, call);
  return {
    method,
    commands: labels.map((label, index) => ({ label, milliseconds: milliseconds[index]! })),
  };
}

async function withTimestamps(gpu: Gpu, executable: Executable, call: EncodeCall): Promise<number[]> {
  const count = executable.program.commands.length;
  const perSet = 2048; // a query set holds 4096 queries
  const times: number[] = [];
  for (let start = 0; start < count; start += perSet) {
    const size = Math.min(perSet, count - start);
    const querySet = gpu.device.createQuerySet({ type: 'timestamp', count: 2 * size });
    const resolved = gpu.memory.create({ label: 'timestamps', size: 16 * size, usage: QUERY_RESOLVE | COPY_SRC });
    try {
      const encoder = gpu.device.createCommandEncoder({ label: 'profile' });
      for (let i = 0; i < size; i++)
        executable.encodeCommand(encoder, start + i, call, { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 });
      encoder.resolveQuerySet(querySet, 0, 2 * size, resolved, 0);
      const ticket = gpu.readback.copy(encoder, resolved, 4 * size);
      gpu.device.queue.submit([encoder.finish()]);
      const stamps = new BigUint64Array((await ticket.read()).buffer);
      for (let i = 0; i < size; i++) times.push(Number(stamps[2 * i + 1]! - stamps[2 * i]!) / 1e6);
    } finally {
      gpu.memory.destroy(resolved);
      querySet.destroy();
    }
  }
  return times;
}

async function withWallClock(gpu: Gpu, executable: Executable, call: EncodeCall): Promise<number[]> {
  const times: number[] = [];
  await gpu.device.queue.onSubmittedWorkDone();
  for (let index = 0; index < executable.program.commands.length; index++) {
    const encoder = gpu.device.createCommandEncoder({ label: 'profile' });
    executable.encodeCommand(encoder, index, call);
    const begin = performance.now();
    gpu.device.queue.submit([encoder.finish()]);
    await gpu.device.queue.onSubmittedWorkDone(); // of a lost device, this resolves as if all were done
    gpu.assertAlive();
    times.push(performance.now() - begin);
  }
  return times;
}
