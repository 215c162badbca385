// Trains for a long time in a headless browser and prints what the GPU and the page hold, once a minute: both stay level.
//
//   npm run soak -- --minutes 20
import { parseArgs } from 'node:util';
import { onPage } from './bench-page.mjs';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '20' }, every: { type: 'string', default: '60' } } });
await onPage({ path: 'soak/', global: 'soak' }, async (page) => {
  console.log(' minute    steps   loss   GPU bytes   page MB after collection');
  await page.exposeFunction('printRow', (row) => console.log(row));
  const session = await page.createCDPSession();
  await page.exposeFunction('pageBytes', async () => {
    await session.send('HeapProfiler.collectGarbage');
    return (await session.send('Runtime.getHeapUsage')).usedSize;
  });
  await page.evaluate((minutes, every) => window.soak(minutes, every), Number(values.minutes), Number(values.every));
});
