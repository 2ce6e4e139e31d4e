// Which caps a mail would exceed, and when it could go. Pure.

import type { Caps } from '../../send-caps.ts'
import type { Finding } from '../verdict.ts'

export const MINUTE_MS = 60_000
export const DAY_MS = 86_400_000

/** What was sent so far. */
export interface Sends {
  /** By this key in the last 60 s, oldest first; the newest ones, as many as the cap allows. */
  lastMinute: readonly Date[]
  /** By this key in the current minute. */
  thisMinute: number
  /** From this inbox today, UTC. */
  today: number
  /** First-time recipients of this key today, UTC. */
  newToday: number
}

export interface Asking {
  caps: Caps
  /** What sets the caps, by the name that people change it under. */
  setting: string
  /** First-time recipients of this mail. */
  fresh: readonly string[]
  now: Date
}

/** A finding for each cap that the mail would exceed. */
export function overCaps(sends: Sends, { caps, setting, fresh, now }: Asking): Finding[] {
  const { perMinute = Infinity, perDay = Infinity, newPerDay = Infinity } = caps
  const findings: Finding[] = []
  const say = (what: string, retryAfterMs: number, recipients?: readonly string[]) =>
    findings.push({
      effect: 'deny',
      reason: {
        code: 'cap',
        message: `${setting} allows ${what}.`,
        fix: `Try again in ${seconds(retryAfterMs)} s, or have a person raise ${setting}.`,
        retry_after_seconds: seconds(retryAfterMs),
        ...(recipients && { recipients: [...recipients] }),
      },
    })
  if (Math.max(sends.lastMinute.length, sends.thisMinute) >= perMinute) {
    say(`${perMinute} sends a minute and key`, freeIn(sends, perMinute, now))
  }
  if (sends.today >= perDay) {
    say(`${perDay} sends a day and inbox, and ${sends.today} went`, untilMidnight(now))
  }
  if (fresh.length > 0 && sends.newToday + fresh.length > newPerDay) {
    const had = `${newPerDay} first-time recipients a day, and with this mail there would be ${sends.newToday + fresh.length}`
    say(had, untilMidnight(now), fresh)
  }
  return findings
}

/** Until the oldest of the sends that fill the minute leaves it. */
function freeIn({ lastMinute }: Sends, perMinute: number, now: Date): number {
  const oldest = lastMinute[lastMinute.length - perMinute]
  if (perMinute === 0 || oldest === undefined) return MINUTE_MS - (now.getTime() % MINUTE_MS)
  return oldest.getTime() + MINUTE_MS - now.getTime()
}

const untilMidnight = (now: Date) => DAY_MS - (now.getTime() % DAY_MS)
const seconds = (ms: number) => Math.max(1, Math.ceil(ms / 1000))
