// What an attempt means for a recipient: done, given up, or once more later. Pure.
import type { RecipientStatus } from './summary.ts'

/** Through which way out the attempt went. A relay takes a mail on, an MX host or our own inbox has it. */
export type Way = 'local' | 'relay' | 'mx'

/** What a server said; `HandOver` of the port. */
export type Answer =
  | { kind: 'accepted' | 'refused'; code: number; detail: string }
  | { kind: 'deferred'; code: number | null; detail: string }
  | { kind: 'uncertain'; detail: string }

export interface Ending {
  status: RecipientStatus
  code: number | null
  detail: string
}

const MAY_HAVE_ARRIVED = 'it may have arrived'

/**
 * The recipient's state after an attempt.
 * @param lastAttempt true where the schedule has no further one: what would wait has failed
 */
export function endingOf(answer: Answer, way: Way, lastAttempt: boolean): Ending {
  switch (answer.kind) {
    case 'accepted': {
      const status = way === 'relay' ? 'sent' : 'delivered'
      return { status, code: answer.code, detail: answer.detail }
    }
    case 'refused':
      return { status: 'bounced', code: answer.code, detail: answer.detail }
    case 'deferred':
      return {
        status: lastAttempt ? 'failed' : 'deferred',
        code: answer.code,
        detail: lastAttempt ? `given up: ${answer.detail}` : answer.detail,
      }
    case 'uncertain':
      return {
        status: lastAttempt ? 'failed' : 'deferred',
        code: null,
        detail: `${lastAttempt ? 'given up, ' : ''}${MAY_HAVE_ARRIVED}: ${answer.detail}`,
      }
  }
}

/** RFC 5321 §4.5.4.1: the give-up time is 4 to 5 days. */
const MAX_QUEUE_MS = 5 * 86_400_000

/**
 * When the attempt after `attempt` (1-based) is due; null where that was the last.
 * @param schedule seconds to wait before each attempt; what lies more than five days after `queuedAt` is not tried
 */
export function nextAttempt(
  schedule: readonly number[],
  attempt: number,
  now: Date,
  queuedAt: Date,
): Date | null {
  const seconds = schedule[attempt]
  if (seconds === undefined) return null
  const next = new Date(now.getTime() + seconds * 1000)
  return next.getTime() > queuedAt.getTime() + MAX_QUEUE_MS ? null : next
}

const LOOK_AGAIN_MS = 3_600_000

/** When mail that may not leave at all is looked at again, which is no attempt; null where the five days are over. */
export function nextLook(now: Date, queuedAt: Date): Date | null {
  const next = new Date(now.getTime() + LOOK_AGAIN_MS)
  return next.getTime() > queuedAt.getTime() + MAX_QUEUE_MS ? null : next
}

/** Whether an attempt (1-based) comes too late, as after a long outage of ours. The first one is always made. */
export const isOverdue = (queuedAt: Date, attempt: number, now: Date): boolean =>
  attempt > 1 && now.getTime() > queuedAt.getTime() + MAX_QUEUE_MS
