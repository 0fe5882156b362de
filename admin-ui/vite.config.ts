import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

const server = process.env.IOMT_DEV_SERVER ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [react()],
  build: {
    // The content security policy has no `data:` for fonts and styles, so nothing is inlined.
    assetsInlineLimit: 0,
    // GraphiQL's editor is one large chunk of its own; nothing else comes near this.
    chunkSizeWarningLimit: 4000,
    // GraphiQL's packages carry directives for a compiler that is not used here.
    rolldownOptions: { checks: { moduleLevelDirective: false } },
  },
  worker: { format: 'es' },
  server: {
    proxy: {
      // The host stays the browser's: the server refuses what other origins send.
      '/graphql': { target: server, ws: true, changeOrigin: false },
      '/auth': { target: server, changeOrigin: false },
      '/api': { target: server, changeOrigin: false },
    },
  },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.{ts,tsx}'],
    setupFiles: ['src/vitest.setup.ts'],
    css: { modules: { classNameStrategy: 'non-scoped' } },
  },
});
