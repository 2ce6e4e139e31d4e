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
    // No test lives long enough for the optimized form of the embedded database to pay for its making: an opened
    // database and 300 statements take 0.8 s of processor time this way, and 1.9 s the other.
    execArgv: ['--liftoff-only'],
    testTimeout: 30 * SECOND,
    hookTimeout: 60 * SECOND,
  },
})
