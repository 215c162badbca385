// The page of the examples: a button each, and what it prints. scripts/example.mjs drives it through `window.runExample`.
import { Gpu } from 'pushforward';
import { exampleNames, loadExample } from './all.js';

declare global {
  interface Window {
    runExample: (name: string) => Promise<string[]>;
    exampleNames: readonly string[];
  }
}

const gpu = Gpu.request();
const output = document.querySelector('pre')!;

window.exampleNames = exampleNames;
window.runExample = async (name) => {
  const lines: string[] = [];
  output.textContent = `${name}\n`;
  await (await loadExample(name))(await gpu, (line) => {
    lines.push(line);
    output.textContent += `${line}\n`;
  });
  return lines;
};

for (const name of exampleNames) {
  const button = document.createElement('button');
  button.textContent = name;
  button.onclick = () => window.runExample(name).catch((error: unknown) => output.append(String(error)));
  document.querySelector('nav')!.append(button);
}
