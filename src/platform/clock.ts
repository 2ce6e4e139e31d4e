/** Time as the engine sees it: handed in, so that a test can hold it. */
export interface Clock {
  now(): Date
  /** Runs `fn` once, `ms` milliseconds from now, unless cancelled. */
  after(ms: number, fn: () => void): { cancel(): void }
}

/** setTimeout fires at once for anything longer than a signed 32-bit count of milliseconds. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => new Date(),
  after(ms, fn) {
    const due = Date.now() + ms
    let timer: NodeJS.Timeout
    const arm = () => {
      const left = Math.max(0, due - Date.now())
      const last = left <= LONGEST_TIMEOUT_MS
      timer = setTimeout(last ? fn : arm, Math.min(left, LONGEST_TIMEOUT_MS))
    }
    arm()
    return { cancel: () => clearTimeout(timer) }
  },
}
