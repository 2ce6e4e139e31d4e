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
    const queue = whoseTurn(urgent, plain, inside === 'urgent' ? now() : undefined)
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

/**
 * Urgent work first. Behind urgent work (`now` is given then) one of the rest has its turn once it
 * has waited long enough, so that neither a backlog nor a storm of mail stops the other.
 */
function whoseTurn(urgent: Waiter[], plain: Waiter[], now: number | undefined): Waiter[] {
  const [oldest] = plain
  const overdue = oldest && now !== undefined && now - oldest.since >= PATIENCE_MS
  return urgent.length > 0 && !overdue ? urgent : plain
}
