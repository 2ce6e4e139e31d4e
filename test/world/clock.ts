/** A clock that stands until the test moves it; timers fire in the order they are due. */
import type { Clock } from '../../src/platform/clock.ts'

export interface HeldClock extends Clock {
  /** Moves time on by `ms`, firing every timer that comes due, also those set on the way. */
  advance(ms: number): void
  /** How many timers wait. */
  pending(): number
  /** In how many milliseconds the next timer fires; Infinity where none waits. */
  next(): number
}

interface Timer {
  due: number
  fn: () => void
}

export function heldClock(start: Date | string | number): HeldClock {
  let now = new Date(start).getTime()
  const timers = new Set<Timer>()
  const nextUntil = (end: number) =>
    [...timers].filter(({ due }) => due <= end).sort((a, b) => a.due - b.due)[0]

  return {
    now: () => new Date(now),
    after(ms, fn) {
      const timer = { due: now + Math.max(0, ms), fn }
      timers.add(timer)
      return { cancel: () => void timers.delete(timer) }
    },
    advance(ms) {
      const end = now + ms
      for (let timer = nextUntil(end); timer; timer = nextUntil(end)) {
        timers.delete(timer)
        now = timer.due
        timer.fn()
      }
      now = end
    },
    pending: () => timers.size,
    next: () => Math.min(...[...timers].map(({ due }) => due - now)),
  }
}
