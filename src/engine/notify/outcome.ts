// What an answer to a webhook means for its delivery. Decides only.

/** Longest wait that a receiver can ask for: a day. */
const LONGEST_POSTPONEMENT_S = 86_400
const GONE = 410
/** RFC 9110 §10.2.3 gives Retry-After a meaning with 503, RFC 6585 §4 with 429. */
const MAY_POSTPONE = [429, 503]

export type Answer =
  | { kind: 'answered'; status: number; retryAfterSeconds: number | null }
  | { kind: 'failed' | 'forbidden'; reason: string }

export type Outcome =
  | { kind: 'delivered' }
  | { kind: 'retry'; at: Date }
  /** The schedule is used up. */
  | { kind: 'exhausted' }
  /** The receiver wants nothing any more: the endpoint is disabled. */
  | { kind: 'gone' }

interface Circumstances {
  /** 1-based number of the attempt that was answered. */
  attempt: number
  /** Seconds to wait before each attempt; the length is the number of attempts. */
  schedule: readonly number[]
  now: Date
}

/** When the first attempt is due. */
export function firstAttemptAt(schedule: readonly number[], now: Date): Date {
  return secondsAfter(now, schedule[0] ?? 0)
}

/** Redirects count as failure. Retry-After may postpone the next attempt, never bring it forward or add one. */
export function outcomeOf(answer: Answer, { attempt, schedule, now }: Circumstances): Outcome {
  if (answer.kind === 'answered' && isSuccess(answer.status)) return { kind: 'delivered' }
  if (answer.kind === 'answered' && answer.status === GONE) return { kind: 'gone' }
  const wait = schedule[attempt]
  if (wait === undefined) return { kind: 'exhausted' }
  return { kind: 'retry', at: secondsAfter(now, Math.max(wait, postponement(answer))) }
}

/** Why an attempt failed, in words for people; null where it did not. */
export function failureOf(answer: Answer): string | null {
  if (answer.kind !== 'answered') return answer.reason
  if (isSuccess(answer.status)) return null
  if (answer.status === GONE) return 'HTTP 410: the endpoint is gone and was disabled'
  if (isRedirect(answer.status)) return `HTTP ${answer.status}: redirects are not followed`
  return `HTTP ${answer.status}`
}

function postponement(answer: Answer): number {
  if (answer.kind !== 'answered' || !MAY_POSTPONE.includes(answer.status)) return 0
  return Math.min(answer.retryAfterSeconds ?? 0, LONGEST_POSTPONEMENT_S)
}

const isSuccess = (status: number) => status >= 200 && status < 300
const isRedirect = (status: number) => status >= 300 && status < 400
const secondsAfter = (now: Date, seconds: number) => new Date(now.getTime() + seconds * 1000)
