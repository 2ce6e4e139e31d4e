import { expect, test } from 'vitest'
import { failureOf, firstAttemptAt, outcomeOf } from '../../../src/engine/notify/outcome.ts'

const now = new Date('2026-03-01T12:00:00Z')
const schedule = [0, 60, 300, 1800, 7200]
const after = (seconds: number) => new Date(now.getTime() + seconds * 1000)
const answered = (status: number, retryAfterSeconds: number | null = null) =>
  ({ kind: 'answered', status, retryAfterSeconds }) as const
const decide = (answer: Parameters<typeof outcomeOf>[0], attempt = 1) =>
  outcomeOf(answer, { attempt, schedule, now })

test.each([200, 201, 204, 299])('%d is success', (status) => {
  expect(decide(answered(status))).toEqual({ kind: 'delivered' })
  expect(failureOf(answered(status))).toBeNull()
})

test.each([301, 302, 307, 308, 400, 404, 500, 502])('%d is tried again', (status) => {
  expect(decide(answered(status))).toEqual({ kind: 'retry', at: after(60) })
  expect(failureOf(answered(status))).toContain(`HTTP ${status}`)
})

test('a fault of the network and a forbidden address are tried again', () => {
  expect(decide({ kind: 'failed', reason: 'refused' })).toEqual({ kind: 'retry', at: after(60) })
  expect(decide({ kind: 'forbidden', reason: 'private' })).toEqual({ kind: 'retry', at: after(60) })
})

test('each attempt has its own wait, and the length of the schedule is the number of attempts', () => {
  expect([1, 2, 3, 4, 5].map((attempt) => decide(answered(500), attempt))).toEqual([
    { kind: 'retry', at: after(60) },
    { kind: 'retry', at: after(300) },
    { kind: 'retry', at: after(1800) },
    { kind: 'retry', at: after(7200) },
    { kind: 'exhausted' },
  ])
})

test('410 ends it, whatever is left of the schedule', () => {
  expect(decide(answered(410))).toEqual({ kind: 'gone' })
})

test.each([429, 503])('Retry-After on %d postpones the next attempt', (status) => {
  expect(decide(answered(status, 90))).toEqual({ kind: 'retry', at: after(90) })
})

test('Retry-After never brings an attempt forward, nor adds one', () => {
  expect(decide(answered(503, 5))).toEqual({ kind: 'retry', at: after(60) })
  expect(decide(answered(503, 90), 5)).toEqual({ kind: 'exhausted' })
})

test('Retry-After means nothing beside other answers, and at most a day', () => {
  expect(decide(answered(500, 90))).toEqual({ kind: 'retry', at: after(60) })
  expect(decide(answered(429, 10 ** 9))).toEqual({ kind: 'retry', at: after(86_400) })
})

test('the first attempt waits as long as the schedule says', () => {
  expect(firstAttemptAt(schedule, now)).toEqual(now)
  expect(firstAttemptAt([30, 60], now)).toEqual(after(30))
})
