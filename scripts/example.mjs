// Runs examples in a headless browser and prints what they print: all of them, or those named.
import { onPage } from './bench-page.mjs';

await onPage({ config: 'examples/vite.config.ts', global: 'exampleNames' }, async (page) => {
  const names = process.argv.length > 2 ? process.argv.slice(2) : await page.evaluate(() => window.exampleNames);
  for (const name of names) {
    console.log(`\n${name}`);
    for (const line of await page.evaluate((one) => window.runExample(one), name)) console.log(`  ${line}`);
  }
});
