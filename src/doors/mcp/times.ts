// Times as models read them: UTC, ISO 8601, and no more digits than matter.
import { ValidationFailed } from '../../engine/errors.ts'

const MINUTE = 16
const SECOND = 19

/** 2026-11-22T08:10Z, for lists. */
export const toMinute = (iso: string) => `${iso.slice(0, MINUTE)}Z`

/** 2026-11-22T08:10:31Z, for single objects and evidence. Cut, not rounded: never later than it was. */
export const toSecond = (time: string | Date) =>
  `${(typeof time === 'string' ? time : time.toISOString()).slice(0, SECOND)}Z`

/** With the weekday, since a model that reckons with dates gets it wrong. */
export const withWeekday = (time: Date) => `${toSecond(time)} ${WEEKDAYS[time.getUTCDay()]}`

const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']

/** With a zone or UTC; "2026-11-22" alone is midnight UTC, "2026-11-22T08:10" is UTC too. ISO 8601. */
const ISO = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/i

/** The moment that an argument names. Throws ValidationFailed. */
export function timeOf(argument: string, text: string | undefined): Date | undefined {
  if (text === undefined) return undefined
  const [, clock, , , zone] = ISO.exec(text.trim()) ?? []
  const time = new Date(clock === undefined || zone !== undefined ? text.trim() : `${text.trim()}Z`)
  if (ISO.test(text.trim()) && !Number.isNaN(time.getTime())) return time
  throw new ValidationFailed([
    { field: argument, message: 'must be an ISO 8601 time in UTC, like 2026-11-22T08:10:00Z' },
  ])
}
