// Header fields that a caller may set: a fixed list, since others add recipients at some relay or make a mail look like another's. Pure.
import type { Detail } from '../errors.ts'
import { headerText } from './header-text.ts'

/**
 * Relays take orders from fields of their own (`X-SMTPAPI` names recipients, `X-MC-Autotext` changes the text), so
 * there is no rule for all of `X-…`.
 */
const ALLOWED = [
  'Auto-Submitted',
  'Comments',
  'Content-Language',
  'Feedback-ID',
  'Importance',
  'Keywords',
  'List-Archive',
  'List-Help',
  'List-Id',
  'List-Unsubscribe',
  'List-Unsubscribe-Post',
  'Organization',
  'Precedence',
  'Priority',
  'Sensitivity',
  'X-Auto-Response-Suppress',
  'X-Campaign-ID',
  'X-Case-ID',
  'X-Correlation-ID',
  'X-Entity-Ref-ID',
  'X-Mailer',
  'X-MSMail-Priority',
  'X-Priority',
  'X-Request-ID',
  'X-Ticket-ID',
] as const
const SPELLED = new Map(ALLOWED.map((name) => [name.toLowerCase(), name]))

/** RFC 5322 §2.1.1 allows 998 octets a line; encoded words make up to four of one letter. */
const MAX_VALUE = 900
const CONTROLS = /[\p{Cc}\u2028\u2029]/u

/** The fields in their usual spelling, and what is wrong with the others. */
export function readHeaders(given: Readonly<Record<string, string>> = {}): {
  headers: Record<string, string>
  problems: Detail[]
} {
  const headers: Record<string, string> = {}
  const problems: Detail[] = []
  for (const [written, value] of Object.entries(given)) {
    const name = SPELLED.get(written.toLowerCase())
    const message = wrong(name, written, value) ?? (name && name in headers ? 'is given twice' : '')
    if (message) problems.push({ field: `headers.${shown(written)}`, message })
    else if (name) headers[name] = headerText(value.trim())
  }
  return { headers, problems }
}

function wrong(name: string | undefined, written: string, value: string): string | undefined {
  if (CONTROLS.test(written) || CONTROLS.test(value)) {
    return 'holds a line break or control character; write name and value in one line'
  }
  if (name === undefined) return `may not be set; these may: ${ALLOWED.join(', ')}`
  if (value.trim() === '') return 'must not be empty'
  if (value.length > MAX_VALUE) return `has ${value.length} characters; at most ${MAX_VALUE} fit`
  return undefined
}

const SHOWN = 60
const shown = (name: string) => name.slice(0, SHOWN).replace(/\p{Cc}+/gu, ' ')
