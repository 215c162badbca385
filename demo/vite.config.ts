import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const here = fileURLToPath(new URL('.', import.meta.url));
const above = fileURLToPath(new URL('..', import.meta.url));

/** The documents that the page links to lie above its folder: served and built beside it, so that the links hold in both. */
const documents = ['README.md', 'docs/architecture.md', 'docs/format.md', 'docs/training.md'];

const withDocuments: Plugin = {
  name: 'documents',
  configureServer(server) {
    server.middlewares.use((request, response, next) => {
      const path = request.url?.split('?')[0]?.slice(1) ?? '';
      if (!documents.includes(path) || !existsSync(above + path)) return next();
      response.setHeader('content-type', 'text/plain; charset=utf-8');
      response.end(readFileSync(above + path));
    });
  },
  generateBundle() {
    for (const path of documents)
      if (existsSync(above + path)) this.emitFile({ type: 'asset', fileName: path, source: readFileSync(above + path) });
  },
};

export default defineConfig({
  root: here,
  // Relative addresses, so that the built page works in any folder of any server.
  base: './',
  plugins: [withDocuments],
  server: {
    host: '127.0.0.1',
    // The page imports the library's source from the folder above.
    fs: { allow: [above] },
  },
  preview: { host: '127.0.0.1' },
  // Vite would bundle a dependency when it meets it and reload the page; there is one, and it is a module already.
  optimizeDeps: { noDiscovery: true, include: [] },
  build: {
    target: 'es2022',
    outDir: '../dist-demo',
    emptyOutDir: true,
    rolldownOptions: { input: ['index.html', 'train.html'].map((page) => here + page) },
  },
});
