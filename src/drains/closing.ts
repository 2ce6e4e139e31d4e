// Ending a drain: what is about to end may do so, the rest is cut, and a cut is nobody's answer about a mail.
import { setTimeout as delay } from 'node:timers/promises'

const PATIENCE_MS = 1_000

export interface Closing {
  /** Remembers work until it ends. */
  track<T>(work: Promise<T>): Promise<T>
  /** Throws where a failure without a reply may come from our own closing. */
  refuseCut(error: { responseCode?: number | undefined }): void
  /** Lets what is under way end for a second, then cuts what is left. */
  close(): Promise<void>
}

export function createClosing(end: (options?: { force: boolean }) => void): Closing {
  const underWay = new Set<Promise<unknown>>()
  let closing = false
  return {
    track(work) {
      underWay.add(work)
      return work.finally(() => underWay.delete(work))
    },
    refuseCut(error) {
      if (!closing || error.responseCode !== undefined) return
      throw new Error('the hand-over was cut short, since we are stopping', { cause: error })
    },
    async close() {
      closing = true
      end()
      const patience = new AbortController()
      await Promise.race([
        Promise.allSettled(underWay),
        delay(PATIENCE_MS, undefined, { signal: patience.signal }).catch(() => undefined),
      ])
      patience.abort()
      end({ force: true })
    },
  }
}
