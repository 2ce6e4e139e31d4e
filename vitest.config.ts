import { defineConfig } from 'vitest/config'

const SECOND = 1_000

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/corpora/**'],
    globalSetup: ['test/world/template.ts'],
    // Each file has its own process: the embedded database runs on a thread of it.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30 * SECOND,
    hookTimeout: 60 * SECOND,
  },
})
