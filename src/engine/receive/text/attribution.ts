// The lines that introduce an earlier mail: "On … X wrote:", "-----Original Message-----", From/Sent/To.
import {
  FIELD_LABELS,
  type Field,
  FORWARD_LABELS,
  FORWARD_PREFIXES,
  ON_WORDS,
  ORIGINAL_LABELS,
  WROTE_WORDS,
} from './reply-language.ts'

/** An introduction is wrapped over at most this many lines. */
const WRAPPED_LINES = 5
const LINE_LIMIT = 400
const WINDOW_LIMIT = 600
const HEADER_LINES = 12
const WRAPPED_FIELD_LINES = 2

const escaped = (words: readonly string[]) =>
  words.map((word) => word.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')).join('|')

/** Words of scripts without spaces need no boundary around them. */
const WROTE = new RegExp(
  `(?:^|[^\\p{L}]|[\\p{Script=Han}\\p{Script=Hangul}\\p{Script=Hiragana}\\p{Script=Katakana}])(?:${escaped(WROTE_WORDS)})(?=$|[^\\p{L}]|[\\p{Script=Han}\\p{Script=Hangul}])|>님이`,
  'iu',
)
const ENDS_WITH_WROTE = new RegExp(`(?:${escaped(WROTE_WORDS)})\\s*[:：]?[-\\s]*$`, 'iu')
const STARTS_WITH_ON = new RegExp(`^(?:${escaped(ON_WORDS)})[\\s,]`, 'iu')
const STARTS_WITH_HAN_ON = /^[在于於]\s?\d/u
const ON_IN_LINE = new RegExp(`(?:^|[\\s-])(${escaped(ON_WORDS)})\\s(?=[^\\n]{0,24}\\d)`, 'gu')
const DATE =
  /\b(?:19|20)\d\d\b|\d{1,4}\s?[-./年년]\s?\d{1,2}\s?[-./月월]|\d{1,2}[-./ ]\p{L}{3,9}\.?[-./ ,]|\b\p{L}{3,9}\.? \d{1,2}(?:,|st|nd|rd|th)|\b\d{1,2}[:.h]\d{2}\b/u
const ADDRESS = /[^\s<>@"(]+@[^\s<>@")]+|<mailto:|\[mailto:/iu
const ENDS_AS_INTRODUCTION = /[:：]["'»\s\u202c-]*$/u

type Strength = 'strong' | 'weak' | null

/** What a line can tell of an introduction. */
interface Told {
  verb: boolean
  date: boolean
  address: boolean
}

/** Whether the joined lines introduce a quote. `strong`: from the first word on, none is missing. */
function introduces(text: string, { verb, date, address }: Told, quoteFollows: boolean): Strength {
  const bare = text.replace(/^[\s>*_-]+/, '')
  if (address && date && DATE.test(bare.slice(0, 28))) return 'strong'
  const told = [verb, date, address].filter(Boolean).length
  const opens = STARTS_WITH_ON.test(bare) || STARTS_WITH_HAN_ON.test(bare)
  if (opens && told > 1) return 'strong'
  if (!verb) return null
  return told === 3 || (quoteFollows && (told > 1 || bare.length < 60)) ? 'weak' : null
}

function toldBy(line: string): Told {
  return { verb: WROTE.test(line), date: DATE.test(line), address: ADDRESS.test(line) }
}

function isClosed(line: string): boolean {
  const end = line.trimEnd().slice(-ENDING_LENGTH)
  return ENDS_AS_INTRODUCTION.test(end) || ENDS_WITH_WROTE.test(end)
}

const ENDING_LENGTH = 40

/** "---- X wrote ----" (Android). */
const DASHED = new RegExp(`^-{2,}.{1,200}(?:${escaped(WROTE_WORDS)})\\s*:?\\s*-{2,}$`, 'iu')

/**
 * Where introductions begin: by first line, the last.
 * Only lines that end like one are looked at, each with the few lines before it.
 */
export function findIntroductions(lines: readonly string[]): Map<number, number> {
  const found = new Map<number, number>()
  const told = remembering(lines)
  let free = 0
  lines.forEach((line, end) => {
    if (!mayEnd(line.trim())) return
    const start = introductionStart(lines, told, free, end)
    if (start === null) return
    found.set(start, end)
    free = end + 1
  })
  return found
}

/** A line is asked again with each of the lines below it. */
function remembering(lines: readonly string[]): (line: number) => Told {
  const known = new Map<number, Told>()
  return (line) => {
    const told = known.get(line) ?? toldBy(lines[line] ?? '')
    known.set(line, told)
    return told
  }
}

/** Cheap, as every line of a mail comes by here. */
function mayEnd(text: string): boolean {
  if (text === '' || text.length > LINE_LIMIT) return false
  if (text.startsWith('>'))
    return text.length < 30 && /^>\s/.test(text) && ENDS_WITH_WROTE.test(text)
  return CLOSING.has(text.at(-1) ?? '') || VERB_ENDINGS.has(text.slice(-3).toLowerCase())
}

const CLOSING = new Set(':：>\u202c-')
const VERB_ENDINGS = new Set(WROTE_WORDS.map((word) => word.slice(-3).toLowerCase()))

/** Whether `ENDS_WITH_WROTE` can match, by the last letters alone: a twentieth of its time. */
function mayEndWithWrote(text: string): boolean {
  let end = text.length
  while (end > 0 && BEHIND_VERB.has(text.charAt(end - 1))) end -= 1
  return LAST_LETTERS.has(text.slice(Math.max(0, end - 2), end).toLowerCase())
}

const BEHIND_VERB = new Set(
  ' \t\v\f\r\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff:：-',
)
const LAST_LETTERS = new Set(WROTE_WORDS.map((word) => word.slice(-2).toLowerCase()))

function introductionStart(
  lines: readonly string[],
  toldBy: (line: number) => Told,
  free: number,
  end: number,
): number | null {
  const last = lines[end] ?? ''
  if (DASHED.test(last.trim())) return end
  const next = nextFilled(lines, end + 1)
  const quoteFollows = isQuoted(next) && !mayEnd(next.trim())
  const closed = isClosed(last)
  if (!closed && !(quoteFollows && last.trim().endsWith('>'))) return null
  const { strong, weak } = judge(windows(lines, toldBy, free, end), quoteFollows)
  return strong ?? (closed && !isQuoted(last) ? weak : null)
}

/** The shortest window that surely is an introduction, and the shortest that may be one. */
function judge(tried: Iterable<Window>, quoteFollows: boolean) {
  let weak: number | null = null
  for (const { start, joined, told } of tried) {
    const strength = introduces(joined, told, quoteFollows)
    if (strength === 'strong') return { strong: start, weak }
    if (strength === 'weak') weak ??= start
  }
  return { strong: null, weak }
}

interface Window {
  start: number
  joined: string
  told: Told
}

/** The line alone, then with one more of the lines before it, and so on. */
function* windows(
  lines: readonly string[],
  toldBy: (line: number) => Told,
  free: number,
  end: number,
): Generator<Window> {
  let joined = ''
  let told: Told = { verb: false, date: false, address: false }
  for (let start = end; start >= Math.max(free, end - WRAPPED_LINES); start -= 1) {
    const line = lines[start] ?? ''
    if (start < end && breaksWindow(line, lines[start + 1] ?? '')) return
    joined = `${line.trim()} ${joined}`.trim()
    if (joined.length > WINDOW_LIMIT) return
    told = either(told, toldBy(start))
    yield { start, joined, told }
  }
}

const either = (a: Told, b: Told): Told => ({
  verb: a.verb || b.verb,
  date: a.date || b.date,
  address: a.address || b.address,
})

/** An empty line ends an introduction, unless a lone `<` goes on after it (Polymail). */
function breaksWindow(line: string, next: string): boolean {
  if (line.trim() === '') return !next.trimStart().startsWith('<')
  return isQuoted(line)
}

export const isQuoted = (line: string): boolean => line.includes('>') && /^\s{0,3}>/.test(line)

export function nextFilled(lines: readonly string[], from: number): string {
  for (let at = from; at < Math.min(lines.length, from + 4); at += 1) {
    if (lines[at]?.trim()) return lines[at] ?? ''
  }
  return ''
}

/** Where an introduction begins in a line that starts with other words ("Thanks! On … wrote:"). */
export function introductionInLine(line: string): number | null {
  if (line.length > LINE_LIMIT || !mayEndWithWrote(line)) return null
  if (!ENDS_WITH_WROTE.test(line.slice(-ENDING_LENGTH))) return null
  for (const match of line.matchAll(ON_IN_LINE)) {
    const at = match.index + match[0].indexOf(match[1] ?? '')
    const before = line.slice(0, at)
    const rest = line.slice(at)
    const isApart = /(?:[.!?)\]:;]\s*|\s{2,}|-{2,}\s*)$/.test(before)
    if (isApart && ADDRESS.test(rest) && introduces(rest, toldBy(rest), true) === 'strong') {
      return before.replace(/[-\s]+$/, '').length
    }
  }
  return null
}

const labelled = (labels: readonly string[]) =>
  new RegExp(`^\\s*[-_=*]{2,}\\s*(?:${escaped(labels)})[^-_=*\\n]{0,60}[-_=*]{2,}\\s*$`, 'iu')
const ORIGINAL = labelled(ORIGINAL_LABELS)
const FORWARDED = labelled(FORWARD_LABELS)
const BARE_FORWARD = new RegExp(`^(?:${escaped(FORWARD_LABELS)})\\s?[:：]$`, 'iu')
const FORWARD_SUBJECT = new RegExp(`^\\s*(?:${escaped(FORWARD_PREFIXES)})\\s?[:：]`, 'u')
const ANY_CASE_FORWARD = /^\s*fwd?\s?[:：]/i

export function isOriginalMessage(line: string): boolean {
  return line.length < LINE_LIMIT && /^\s*[-_=*]{2}/.test(line) && ORIGINAL.test(line)
}

const RULES = new Set('-_=*')

export function isForwardLine(line: string): boolean {
  if (line.length > 120) return false
  const text = line.trimEnd()
  const last = text.at(-1) ?? ''
  if (last === ':' || last === '：') return BARE_FORWARD.test(text.trimStart())
  return RULES.has(last) && FORWARDED.test(text)
}

/** Whether a subject says that the mail hands on another. */
export const isForwardSubject = (subject: string): boolean =>
  ANY_CASE_FORWARD.test(subject) || FORWARD_SUBJECT.test(subject)

const MAY_LABEL = /^[^:：]{1,34}[:：]/
const LABEL = /^[\s*_]*([\p{L}\p{M}'’. -]{1,24}?)[\s*_]*[:：][\s*_]*(.*)$/u

function fieldOf(line: string): { field: Field; value: string } | null {
  if (!MAY_LABEL.test(line)) return null
  const [, label, value = ''] = LABEL.exec(line.slice(0, LINE_LIMIT)) ?? []
  const field = label === undefined ? undefined : FIELD_LABELS.get(label.toLowerCase())
  return field ? { field, value } : null
}

/** The last line of a copied header (From, Sent, To, Subject) that begins here; null where none does. */
export function headerBlockEnd(lines: readonly string[], start: number): number | null {
  const first = fieldOf(lines[start] ?? '')
  if (!first || first.field === 'copy') return null
  const fields = [first]
  let end = start
  for (let at = start + 1; at < start + HEADER_LINES && lines[at]?.trim(); at += 1) {
    const next = fieldOf(lines[at] ?? '')
    if (next) {
      fields.push(next)
      end = at
    }
    if (at - end > WRAPPED_FIELD_LINES) break
  }
  return isHeader(fields) ? end : null
}

/** "From: London, To: Paris" is an itinerary: a header names an address, or has a subject too. */
function isHeader(fields: readonly { field: Field; value: string }[]): boolean {
  const seen = new Set(fields.map(({ field }) => field))
  if (seen.size < 2 || !(seen.has('from') || seen.has('date'))) return false
  return (seen.has('subject') && seen.size > 2) || fields.some(({ value }) => ADDRESS.test(value))
}
