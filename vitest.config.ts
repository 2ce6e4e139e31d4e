import { defineConfig } from 'vitest/config'

const SECOND = 1_000

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/corpora/**'],
    globalSetup: ['test/world/template.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // Two processes for all files: with one for each, half of the processor time went into loading modules again.
    isolate: false,
    // No test lives long enough for the optimized form of the embedded database to pay for its making: an opened
    // database and 300 statements take 0.8 s of processor time this way, and 1.9 s the other.
    execArgv: ['--liftoff-only'],
    testTimeout: 30 * SECOND,
    hookTimeout: 60 * SECOND,
  },
})
