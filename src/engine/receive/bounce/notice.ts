// Reads a notice that was written for people, by the table of mail systems.
import { addressesIn, trimmedAddress } from './address.ts'
import { type Entry, listedIn } from './entries.ts'
import type { Failure } from './failure.ts'
import { DELAY, FAILURE, RETURNED } from './phrases.ts'
import { enhancedStatus, sayings, smtpCode } from './reason.ts'
import { MAIL_SYSTEMS, type MailSystem } from './systems.ts'

/** A notice says what it is about at its start; a list of recipients may be long. */
const MAX_OPENING_LINES = 300
const MAX_LINES = 2_000
const MAX_LINE = 1_000
const MAX_PARAGRAPH = 2_000
const MAX_RECIPIENTS = 200
/** Transcripts longer than this are not searched, nor text below a recipient. */
const MAX_REFUSALS = 400
const MAX_ABOUT = 40
/** RETURNED is a heading: a short line. */
const MAX_HEADING = 120

export interface Reader {
  /** Phrases of everyday mail count too, for the sender is a mail system. */
  common: boolean
  /** Of the reporting system, for recipients that are named without one. */
  domain: string
  /** Nothing more will be tried for these recipients. */
  permanent: boolean
  /** Addresses that the report is from or for, in lower case. */
  own: ReadonlySet<string>
}

/** The lines of a notice before the mail that it returns. */
export function noticeLines(text: string): string[] {
  const lines: string[] = []
  for (const line of text.split('\n', MAX_LINES)) {
    const written = line
      .slice(0, MAX_LINE)
      .replace(/[\r\t\u00a0\u200b]/g, ' ')
      .trimEnd()
    if (written.length <= MAX_HEADING && RETURNED.test(written)) break
    lines.push(written)
  }
  return lines
}

/** The recipients that the first fitting row of the table finds; else those named beside a failure. */
export function failuresIn(lines: readonly string[], reader: Reader): Failure[] {
  const opening = lines.slice(0, MAX_OPENING_LINES)
  const paragraphs = paragraphsOf(opening)
  for (const row of MAIL_SYSTEMS) {
    if (row.common && !reader.common) continue
    const found = row.says ? said(row.says, paragraphs) : listed(row, opening, lines, reader)
    if (found.length > 0) return failuresOf(found, lines, reader)
  }
  return reader.common ? failuresOf(mentioned(paragraphs, reader.own), lines, reader) : []
}

function paragraphsOf(lines: readonly string[]): string[] {
  const paragraphs = ['']
  for (const line of lines) {
    const last = paragraphs.length - 1
    if (line.trim() === '') paragraphs.push('')
    else paragraphs[last] = `${paragraphs[last]} ${line.trim()}`.trim().slice(0, MAX_PARAGRAPH)
  }
  return paragraphs.filter((paragraph) => paragraph !== '')
}

function said(pattern: RegExp, paragraphs: readonly string[]): Entry[] {
  return paragraphs.flatMap((paragraph, index) =>
    [...paragraph.matchAll(pattern)].slice(0, MAX_RECIPIENTS).map((match) => ({
      email: trimmedAddress(match.groups?.address ?? ''),
      phrase: match[0].slice(0, match[0].indexOf(match.groups?.address ?? '')),
      about: [
        paragraph.slice(match.index + match[0].length).replace(/^["')>\]]+/, ''),
        paragraphs[index + 1] ?? '',
      ],
    })),
  )
}

function listed(
  { opens, entry, local }: MailSystem,
  opening: readonly string[],
  lines: readonly string[],
  { domain }: Reader,
): Entry[] {
  if (opens === undefined) return []
  const at = opening.findIndex((line, index) => opensAt(opens, line, opening[index - 1]))
  if (at < 0) return []
  const entries = listedIn(lines.slice(at), entry).slice(0, MAX_RECIPIENTS)
  return local ? entries.map((one) => ({ ...one, email: `${one.email}@${domain}` })) : entries
}

/** The phrase may be wrapped: then its second half stands on this line. */
const opensAt = (opens: RegExp, line: string, before = '') =>
  opens.test(line) || (before !== '' && opens.test(`${before.trim()} ${line.trim()}`))

/** Where no row fits: the addresses in the sentences that tell of a failure. */
function mentioned(paragraphs: readonly string[], own: ReadonlySet<string>): Entry[] {
  return paragraphs
    .filter((paragraph) => FAILURE.test(paragraph) || DELAY.test(paragraph))
    .flatMap((paragraph) =>
      addressesIn(paragraph)
        .filter((email) => !own.has(email.toLowerCase()) && !CONTACT.test(email))
        .map((email) => ({ email, about: [paragraph] })),
    )
    .slice(0, MAX_RECIPIENTS)
}

/** Whom a notice says to ask. */
const CONTACT = /^(?:postmaster|abuse|support|help(?:desk)?|hostmaster|mailer-daemon|admin)@/i

function failuresOf(
  entries: readonly Entry[],
  lines: readonly string[],
  reader: Reader,
): Failure[] {
  const distinct = withoutRepeats(entries)
  const shared = entries.findLast(({ about }) => wordsOf(about) !== '')?.about ?? []
  const refusals = refusalsIn(lines)
  return distinct.map((entry) => {
    const naming = refusalOf(entry, refusals)
    const about = wordsOf(entry.about) === '' && naming === '' ? shared : entry.about
    const rest = distinct.length === 1 ? refusals.map(({ line }) => line) : []
    const texts = [wordsOf(about), naming, about.slice(0, MAX_ABOUT).join('\n'), ...rest]
    return {
      email: entry.email,
      permanent: reader.permanent,
      code: texts.map(smtpCode).find((code) => code !== null) ?? null,
      status: enhancedStatus(...texts),
      reason: sayings(wordsOf(about), naming, telling(entry), rest[0]),
    }
  })
}

function withoutRepeats(entries: readonly Entry[]): Entry[] {
  const seen = new Set<string>()
  return entries.filter(({ email }) => {
    const repeat = seen.has(email.toLowerCase())
    seen.add(email.toLowerCase())
    return !repeat
  })
}

const isRefusal = (line: string) => smtpCode(line) !== null || enhancedStatus(line) !== null

/** The words before an address, where they are more than a label. */
const telling = ({ phrase = '' }: Entry) =>
  /fail|invalid|unknown|full|exceed|undeliver|reject/i.test(phrase) ? phrase : ''

/** Not words about the failure. */
const NOISE =
  /^[\s;]*on \w{3}, \d.{10,40}?[+-]\d{4}|\bthe MTS-ID of the original message is:.*$|[\s*=_-]{3,80}$/gi
/** Paragraphs that say what to do, or head a transcript. */
const BOILERPLATE =
  /^[\s\-=*]*(?:please |no action is|message will be retried|the following (?:mail|recipients)|\w* ?transcript|end of message|additional information|\(?and other recipients|if you |for (?:further|more) |附件|以下)/i
/** What stands before the words. */
const HEADINGS =
  /^(?:because|reason|details?|error(?: (?:message|type|description|text))?|.{0,400}problem appears to be)\s*:\s*(?:--)?/i
const ALIASES =
  /\(?(?:ultimately )?(?:expanded|generated) from:?[^)]{0,320}\)|^original address:\s*\S{1,320}/gi

/** The first paragraph that says something, with the next one where it ends with a colon. */
function wordsOf(about: readonly string[]): string {
  const paragraphs = paragraphsOf(about.slice(0, 12))
    .map((text) =>
      text
        .replace(ALIASES, '')
        .replace(NOISE, '')
        .replace(/^[\s:;,.>)*=-]+/, '')
        .replace(/^technical details:\s*/i, ''),
    )
    .filter((text) => /\p{L}{2}|\d{3}/u.test(text) && !BOILERPLATE.test(text))
  const [first = '', second = ''] = paragraphs
  const words = first.endsWith(':') ? `${first} ${second}` : first
  return words
    .replace(/^\((.*)\)$/s, '$1')
    .replace(HEADINGS, '')
    .trim()
}

/** A line of a transcript that refuses, and the text that names whom. */
interface Refusal {
  line: string
  about: string
}

/** Transcripts name the recipient in the refusal, or in the command before it. */
function refusalsIn(lines: readonly string[]): Refusal[] {
  return lines
    .flatMap((line, index) => {
      if (!isRefusal(line)) return []
      const before = lines[index - 1] ?? ''
      return [{ line, about: `${/rcpt to/i.test(before) ? before : ''} ${line}`.toLowerCase() }]
    })
    .slice(0, MAX_REFUSALS)
}

function refusalOf({ email, behind = email }: Entry, refusals: readonly Refusal[]): string {
  const [wanted, mailbox] = [email.toLowerCase(), behind.toLowerCase()]
  const naming = refusals.filter(({ about }) => about.includes(wanted) || about.includes(mailbox))
  return [...new Set(naming.map(({ line }) => line))].slice(0, 3).join('\n')
}
