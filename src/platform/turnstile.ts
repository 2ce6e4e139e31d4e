/** Who uses the one connection next: urgent work first, the rest in order of arrival. */
export interface Turnstile {
  /** Waits for the turn; whoever got it calls `leave` once. */
  enter(urgent: boolean): Promise<void>
  leave(): void
  /** Waits until no urgent work runs or waits, at most `PATIENCE_MS`. */
  quiet(): Promise<void>
}

/** How long work that is not urgent stands back for work that is. */
const PATIENCE_MS = 250

interface Waiter {
  since: number
  go: () => void
}

export function createTurnstile(now: () => number = () => performance.now()): Turnstile {
  const urgent: Waiter[] = []
  const plain: Waiter[] = []
  const listeners = new Set<() => void>()
  let inside: 'nobody' | 'urgent' | 'plain' = 'nobody'

  const storing = () => inside === 'urgent' || urgent.length > 0
  const next = () => {
    const queue = whoseTurn(urgent, plain, now())
    const waiter = queue.shift()
    inside = waiter === undefined ? 'nobody' : queue === urgent ? 'urgent' : 'plain'
    waiter?.go()
    if (!storing()) for (const listener of listeners) listener()
  }

  return {
    enter(isUrgent) {
      return new Promise((resolve) => {
        const queue = isUrgent ? urgent : plain
        queue.push({ since: now(), go: resolve })
        if (inside === 'nobody') next()
      })
    },
    leave: next,
    quiet() {
      if (!storing()) return Promise.resolve()
      return new Promise((resolve) => {
        const done = () => {
          clearTimeout(timer)
          listeners.delete(done)
          resolve()
        }
        const timer = setTimeout(done, PATIENCE_MS)
        listeners.add(done)
      })
    },
  }
}

/** Urgent work first, unless the oldest of the rest has waited long enough. */
function whoseTurn(urgent: Waiter[], plain: Waiter[], now: number): Waiter[] {
  const [oldest] = plain
  if (oldest && now - oldest.since >= PATIENCE_MS) return plain
  return urgent.length > 0 ? urgent : plain
}
