// Trains for a long time in a headless browser and prints what the GPU and the page hold, once a minute: both stay level.
//
//   npm run soak -- --minutes 20
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createServer } from 'vite';
import { launchBrowser } from './browser.mjs';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '20' }, every: { type: 'string', default: '60' } } });
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const server = await createServer({ configFile: join(root, 'bench/vite.config.ts'), logLevel: 'error' });
await server.listen();
const browser = await launchBrowser();
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(0);
  await page.exposeFunction('printRow', (row) => console.log(row));
  await page.goto(`${server.resolvedUrls.local[0]}soak/`);
  await page.waitForFunction(() => window.soak !== undefined);
  console.log(' minute    steps   loss   GPU bytes   page MB after collection');
  const session = await page.createCDPSession();
  await page.exposeFunction('pageBytes', async () => {
    await session.send('HeapProfiler.collectGarbage');
    return (await session.send('Runtime.getHeapUsage')).usedSize;
  });
  await page.evaluate((minutes, every) => window.soak(minutes, every), Number(values.minutes), Number(values.every));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await browser.close();
  await server.close();
}
