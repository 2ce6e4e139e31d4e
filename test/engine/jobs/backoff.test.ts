import { expect, test } from 'vitest'
import { backoff } from '../../../src/engine/jobs/backoff.ts'

test('a job that broke waits a second, then twice as long each time', () => {
  expect([1, 2, 3, 4].map(backoff)).toEqual([1_000, 2_000, 4_000, 8_000])
})

test('it never waits longer than a quarter of an hour, and never gives up', () => {
  expect([11, 100, 10_000].map(backoff)).toEqual([900_000, 900_000, 900_000])
})
