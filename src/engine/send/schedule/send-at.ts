// The hour that a mail is written for. Pure.
import { ValidationFailed } from '../../errors.ts'

/** Later is a slip of the year. */
const LONGEST_WAIT_DAYS = 366
const DAY_MS = 86_400_000
/** RFC 3339, seconds optional; without an offset it would be anybody's guess. */
const MOMENT = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/i

/** The moment a `send_at` names, to the second. Throws ValidationFailed for what is past, too far off or no moment. */
export function readSendAt(text: string, now: Date): Date {
  const at = new Date(text.trim().replace(' ', 'T'))
  if (!MOMENT.test(text.trim()) || Number.isNaN(at.getTime()) || !isDay(text.trim())) {
    throw wrong('must be an ISO 8601 time with its zone, like 2026-11-22T08:10:00Z')
  }
  // A Date field has no fractions (RFC 5322 §3.3), and the mail leaves at what it says.
  at.setUTCMilliseconds(0)
  if (at <= now) {
    throw wrong(`has passed: it is ${now.toISOString()}; leave it out to send at once`)
  }
  if (at.getTime() - now.getTime() > LONGEST_WAIT_DAYS * DAY_MS) {
    throw wrong(`is more than ${LONGEST_WAIT_DAYS} days ahead`)
  }
  return at
}

/** `Date` takes 31 February for 3 March. */
function isDay(text: string): boolean {
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split('-').map(Number)
  return new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day
}

const wrong = (message: string) => new ValidationFailed([{ field: 'send_at', message }])
