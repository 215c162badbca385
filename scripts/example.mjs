// Runs examples in a headless browser and prints what they print: all of them, or those named.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';
import { launchBrowser } from './browser.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const server = await createServer({ configFile: join(root, 'examples/vite.config.ts'), logLevel: 'error' });
await server.listen();
const browser = await launchBrowser();
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(0);
  await page.goto(server.resolvedUrls.local[0]);
  await page.waitForFunction(() => window.exampleNames !== undefined);
  const names = process.argv.length > 2 ? process.argv.slice(2) : await page.evaluate(() => window.exampleNames);
  for (const name of names) {
    console.log(`\n${name}`);
    for (const line of await page.evaluate((one) => window.runExample(one), name)) console.log(`  ${line}`);
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await browser.close();
  await server.close();
}
