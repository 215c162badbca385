// Every example by name.
import type { Gpu } from 'pushforward';

export type Example = (gpu: Gpu, print: (line: string) => void) => Promise<void>;

const modules = import.meta.glob<{ default: Example }>(['./*.ts', '!./all.ts', '!./main.ts', '!./vite.config.ts']);

export const exampleNames: readonly string[] = Object.keys(modules).map((path) => path.slice(2, -3));

/** @throws Error for a name that no file has. */
export async function loadExample(name: string): Promise<Example> {
  const load = modules[`./${name}.ts`];
  if (!load) throw new Error(`there is no example ${name}; there are ${exampleNames.join(', ')}`);
  return (await load()).default;
}
