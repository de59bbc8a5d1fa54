import { defineConfig } from 'vitest/config';

const IGNORED = ['**/node_modules/**', '**/build/**', '**/dist/**', 'runs/**'];
/** Warnings of the native library on stderr say nothing about a test. */
const env = { TF_CPP_MIN_LOG_LEVEL: '3' };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{libs,apps,tools,benchmarks}/**/*.spec.ts'],
          exclude: IGNORED,
          pool: 'forks',
          env,
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'system',
          include: ['tests/**/*.spec.ts'],
          exclude: [...IGNORED, 'tests/containers/**'],
          pool: 'forks',
          env,
          testTimeout: 180_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'containers',
          include: ['tests/containers/**/*.spec.ts'],
          exclude: IGNORED,
          globalSetup: 'tests/containers/image.ts',
          pool: 'forks',
          // The container that testcontainers cleans up with is pulled from a registry; the tests clean up themselves.
          env: { ...env, TESTCONTAINERS_RYUK_DISABLED: 'true' },
          testTimeout: 240_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
