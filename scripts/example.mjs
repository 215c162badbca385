// Runs examples in a headless browser and prints what they print: all of them, or those named. `--dist`: with the package as `npm run build` left it,
// which is how it is checked that what ships works; then a number that is none is an error.
import { onPage } from './bench-page.mjs';

const named = process.argv.slice(2).filter((argument) => argument !== '--dist');
const built = process.argv.includes('--dist');
if (built) process.env.PUSHFORWARD_DIST = 'true';

await onPage({ config: 'examples/vite.config.ts', global: 'exampleNames' }, async (page) => {
  const names = named.length > 0 ? named : await page.evaluate(() => window.exampleNames);
  for (const name of names) {
    if (!built) console.log(`\n${name}`);
    const lines = await page.evaluate((one) => window.runExample(one), name);
    if (!built) for (const line of lines) console.log(`  ${line}`);
    if (built && (lines.length === 0 || /NaN|undefined|Infinity/.test(lines.join())))
      throw new Error(`the example ${name} on the built package: ${lines.join('; ')}`);
  }
  if (built) console.log(`${names.length} examples run on the built package`);
});
