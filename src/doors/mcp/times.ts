// Times as models read them: UTC, ISO 8601, and no more digits than matter.

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
