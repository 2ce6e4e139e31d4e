import { defineConfig } from 'vitest/config'

const MINUTE = 60_000

export default defineConfig({
  test: {
    include: ['test/corpora/**/*.test.ts'],
    globalSetup: ['test/world/template.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 10 * MINUTE,
    hookTimeout: 10 * MINUTE,
  },
})
