import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './tests/support/longest-first.ts';
import { puppeteer } from './tests/support/puppeteer-provider.ts';

const json = process.env.PUSHFORWARD_TEST_JSON;

export default defineConfig({
  test: {
    // A focused test must not stay; the linter's rule takes our `fit` for one.
    allowOnly: false,
    // Two files at a time, each page in a browser of its own: much of a test is a pipeline that compiles, on one core. First one project, then the other.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    // .ci/run reads the counts from the file; people read the default report.
    reporters: json ? ['default', ['json', { outputFile: json }]] : ['default'],
    projects: [
      {
        server: { host: '127.0.0.1' },
        resolve: { alias: { pushforward: fileURLToPath(new URL('./src/index.ts', import.meta.url)) } },
        test: {
          name: 'browser',
          include: ['tests/**/*.test.ts'],
          exclude: ['tests/node/**'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
          // The files of a page share a device, and with it what is compiled (tests/support/gpu.ts).
          isolate: false,
          sequence: { groupOrder: 1 },
          browser: {
            enabled: true,
            provider: puppeteer,
            headless: true,
            instances: [{ browser: 'chrome' }],
            api: { host: '127.0.0.1' },
            screenshotFailures: false,
          },
        },
      },
      {
        test: {
          name: 'node',
          include: ['tests/node/**/*.test.ts'],
          environment: 'node',
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
