// The Date field of a mail. RFC 5322 §3.3, with the old forms of §4.3 and what mailers make of them.

const MONTHS = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ')
/** Hours from UTC. The military letters mean nothing, RFC 5322 §4.3. */
const ZONES: Record<string, number> = {
  est: -5,
  edt: -4,
  cst: -6,
  cdt: -5,
  mst: -7,
  mdt: -6,
  pst: -8,
  pdt: -7,
}
const DATE =
  /^(?:[a-z]{2,9}[.,]?\s*,?\s+)?(\d{1,2})[\s.-]+([a-z]{3,9}|\d{1,2})[\s.,-]+(\d{2,4}),?\s+(\d{1,2})\s*[:.]\s*(\d{1,2})(?:\s*[:.]\s*(\d{1,2}))?(?:[.,]\d{1,9})?\s*(am|pm)?\s*([+-]\s?\d{1,4}|[a-z]{1,5})?/i
const MAX_LENGTH = 200
const MINUTE_MS = 60_000

/** Null where the value names no moment. */
export function readDate(value: string): Date | null {
  const text = withoutComments(value.slice(0, MAX_LENGTH)).replace(/\s+/g, ' ').trim()
  const found = DATE.exec(text)
  const date = found === null ? new Date(text) : dateOf(found)
  return date === null || Number.isNaN(date.getTime()) ? null : date
}

function dateOf([, day, month = '', year = '', hour, minute, second, half, zone]: RegExpExecArray) {
  const monthIndex = /\d/.test(month)
    ? Number(month) - 1
    : MONTHS.indexOf(month.slice(0, 3).toLowerCase())
  if (monthIndex < 0 || monthIndex > 11) return null
  const ms = Date.UTC(
    fullYear(year),
    monthIndex,
    Number(day),
    hourOfDay(Number(hour), half),
    Number(minute),
    Number(second ?? 0),
  )
  return new Date(ms - offsetMinutes(zone) * MINUTE_MS)
}

/** RFC 5322 §4.3: two digits up to 49 are after 2000, three count from 1900. */
function fullYear(year: string): number {
  if (year.length >= 4) return Number(year)
  return Number(year) + (year.length === 2 && Number(year) < 50 ? 2000 : 1900)
}

function hourOfDay(hour: number, half = ''): number {
  if (half === '') return hour
  return (hour % 12) + (half.toLowerCase() === 'pm' ? 12 : 0)
}

function offsetMinutes(zone = ''): number {
  const [, sign, digits] = /^([+-])\s?(\d{1,4})$/.exec(zone) ?? []
  if (digits === undefined) return (ZONES[zone.toLowerCase()] ?? 0) * 60
  const [hours, minutes] =
    digits.length > 2 ? [digits.slice(0, -2), digits.slice(-2)] : [digits, '0']
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
}

function withoutComments(value: string): string {
  if (!/[()]/.test(value)) return value
  let kept = ''
  let depth = 0
  for (const letter of value) {
    if (letter === '(') depth += 1
    else if (letter === ')') depth = Math.max(0, depth - 1)
    else if (depth === 0) kept += letter
  }
  return kept
}
