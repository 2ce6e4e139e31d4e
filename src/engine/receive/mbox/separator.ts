// The line that begins a mail in an mbox: telling it from text, and writing one. RFC 4155 appendix A.

/** asctime(3), as mailers write it: seconds, and a zone before or behind the year, may be there. */
const MOMENT =
  /\s(?:mon|tue|wed|thu|fri|sat|sun),?\s+(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\s+\d{1,2}\s+\d{1,2}:\d\d(?::\d\d)?\s+(?:[a-z]{2,5}\s+|[+-]\d{4}\s+)?\d{4}\b/i
const CLOCK = /\s\d{1,2}:\d\d(?::\d\d)?\b/
/** RFC 5322 §2.2: a field name, a colon. UUCP put quoted From lines before the fields. */
const FIELD = /^(?:[!-9;-~]{1,200}[ \t]*:|>From )/
const ADDRESS = /^From\s+<?([^\s<>@]+@[^\s<>@]+)>?\s/

/**
 * Whether a line that starts with "From " begins a mail. The full form does after an empty line, whatever follows
 * (as every reader has it), and elsewhere where a field follows; other forms with a time need both.
 */
export function isSeparator(line: string, afterEmptyLine: boolean, next: string): boolean {
  const full = MOMENT.test(line)
  if (full && afterEmptyLine) return true
  if (!FIELD.test(next)) return false
  return full || (afterEmptyLine && CLOCK.test(line))
}

/** The envelope's sender that a separator names; undefined where it names none. */
export function senderOf(line: string): string | undefined {
  return ADDRESS.exec(line)?.[1]
}

/** What follows the sender; for reading a date. */
export const momentOf = (line: string): string =>
  MOMENT.exec(line)?.[0] ?? line.replace(/^From\s+\S+/, '')

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

/** `From ann@example.com Thu Nov 26 08:05:09 2026`, UTC. An empty sender is MAILER-DAEMON, as elsewhere. */
export function separatorFor(sender: string, at: Date): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const day = String(at.getUTCDate()).padStart(2)
  const time = [at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()].map(two).join(':')
  const date = `${DAYS[at.getUTCDay()]} ${MONTHS[at.getUTCMonth()]} ${day} ${time} ${at.getUTCFullYear()}`
  return `From ${/^[!-~]+$/.test(sender) ? sender : 'MAILER-DAEMON'} ${date}`
}
