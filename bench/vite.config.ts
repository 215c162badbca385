import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  publicDir: false,
  cacheDir: '../node_modules/.cache/pushforward/vite',
  // Vite would bundle a dependency when it meets it and reload the page. These are bundled before; the others are modules already.
  optimizeDeps: {
    noDiscovery: true,
    include: [
      '@jax-js/jax',
      '@tensorflow/tfjs-core',
      '@tensorflow/tfjs-core/dist/register_all_gradients',
      '@tensorflow/tfjs-backend-webgpu',
      'protobufjs/light',
    ],
  },
  server: {
    host: '127.0.0.1',
    // The page imports the library's source from the folder above.
    fs: { allow: [fileURLToPath(new URL('..', import.meta.url))] },
    // An isolated page gets performance.now in steps of 5 µs instead of 100 µs.
    headers: { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' },
  },
});
