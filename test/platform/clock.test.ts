import { expect, test } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import { heldClock } from '../world/clock.ts'

test('a held clock fires timers in the order they are due, also those set on the way', () => {
  const clock = heldClock('2026-03-01T00:00:00Z')
  const fired: string[] = []
  const note = (name: string) => fired.push(`${name} ${clock.now().toISOString().slice(14, 19)}`)
  clock.after(60_000, () => note('minute'))
  clock.after(5_000, () => {
    note('five')
    clock.after(5_000, () => note('ten'))
  })
  clock.after(7_000, () => note('never')).cancel()
  clock.advance(59_999)
  expect(fired).toEqual(['five 00:05', 'ten 00:10'])
  clock.advance(1)
  expect(fired).toEqual(['five 00:05', 'ten 00:10', 'minute 01:00'])
  expect(clock.pending()).toBe(0)
})

test('the system clock fires after the time and not when cancelled', async () => {
  const started = performance.now()
  await new Promise<void>((resolve, reject) => {
    systemClock.after(1, () => reject(new Error('cancelled, yet it fired'))).cancel()
    systemClock.after(20, resolve)
  })
  expect(performance.now() - started).toBeGreaterThanOrEqual(19)
})

test('the system clock does not fire at once for a month from now', async () => {
  let fired = false
  const timer = systemClock.after(31 * 86_400_000, () => {
    fired = true
  })
  await new Promise<void>((resolve) => systemClock.after(10, resolve))
  timer.cancel()
  expect(fired).toBe(false)
})
