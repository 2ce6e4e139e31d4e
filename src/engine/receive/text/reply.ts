// What a mail says anew, and what it repeats of earlier mails.
import {
  findIntroductions,
  headerBlockEnd,
  introductionInLine,
  isForwardLine,
  isOriginalMessage,
  isQuoted,
  nextFilled,
} from './attribution.ts'
import type { Mark } from './lines.ts'
import { withoutSignature } from './signature.ts'

export interface Quoted {
  /** As it stands in the mail, with its introduction and its `>`. */
  text: string
  /** What was written below a line of the quote, with that line. */
  answers?: { line: string; text: string }[]
}

export interface Reply {
  /** Without quoted history and signature. A forwarded mail is no history: it stays. */
  newText: string
  quoted: Quoted[]
}

export interface ReplyHints {
  /** What the HTML said of lines, by number; from `visibleText`. */
  marks?: ReadonlyMap<number, Mark>
  /** The subject says that the mail hands on another: what a copied header introduces is news. */
  forwarded?: boolean
}

interface Passage {
  quoted: boolean
  lines: string[]
  /** It begins with a line that says who wrote it: another mail than the passage before. */
  introduced: boolean
}

/** 1.5 MB of prose; a mail of many more lines is a log. */
const LINES_LIMIT = 20_000
const NO_MARKS: ReadonlyMap<number, Mark> = new Map()

/**
 * Splits a mail's text. Nothing is lost but the signature: what is not new is in `quoted`.
 * A copied header with no words above it is taken for a forwarded mail and kept as new.
 * Linear in the length of the text. Lines after the 20,000th belong to what the 20,000th is.
 */
export function splitReply(
  text: string,
  { marks = NO_MARKS, forwarded = false }: ReplyHints = {},
): Reply {
  const lines = marks.size > 0 ? text.split('\n') : withoutSharedLines(text.split('\n'))
  const quotes = quotedLines(lines.slice(0, LINES_LIMIT), marks, forwarded)
  if (lines.length > LINES_LIMIT && quotes.at(-1)) {
    quotes.length = lines.length
    quotes.fill('run', LINES_LIMIT)
  }
  const passages = toPassages(lines, quotes, marks)
  return { newText: newTextOf(passages), quoted: quotedOf(passages) }
}

/** Where a mail program put the introduction on the line of the last words. */
function withoutSharedLines(lines: string[]): string[] {
  const shared = new Map<string, number>()
  for (const line of lines.slice(0, LINES_LIMIT)) {
    const at = introductionInLine(line)
    if (at !== null) shared.set(line, at)
  }
  if (shared.size === 0) return lines
  return lines.flatMap((line, number) => {
    const at = number < LINES_LIMIT ? shared.get(line) : undefined
    return at === undefined ? [line] : [line.slice(0, at), line.slice(at)]
  })
}

/** Of each line whether it is quoted, or begins a quote with words of introduction. */
function quotedLines(
  lines: readonly string[],
  marks: ReadonlyMap<number, Mark>,
  forwarded: boolean,
): Quotes {
  const quotes: Quotes = new Array<Start | undefined>(lines.length).fill(undefined)
  const introductions = withMarked(findIntroductions(lines), lines, marks)
  const isPlain = (at: number) =>
    isProse(lines[at] ?? '') && !introductions.has(at) && !marks.has(at)
  let at = nextTelling(quotes, 0, isPlain)
  while (at < lines.length && !beginsForward(lines, quotes, at)) {
    const header = copiedHeaderEnd(lines, at, marks)
    if (header !== null && (forwarded || isAllNew(lines, quotes, at, header))) break
    const end = introductions.get(header === null ? at : header + 1) ?? header
    const next = end === null ? quoteLine(lines, quotes, at) : quoteFrom(lines, quotes, at, end)
    at = nextTelling(quotes, next, isPlain)
  }
  return quotes
}

/** Below words of the sender's own a line of prose begins nothing, and most lines are such. */
function nextTelling(quotes: Readonly<Quotes>, from: number, isPlain: (at: number) => boolean) {
  let at = from
  while (at < quotes.length && quotes[at - 1] === undefined && isPlain(at)) at += 1
  return at
}

type Quotes = (Start | undefined)[]

/** Without a mark of a quote, the colon of a label or a piece of a rule, as most lines are: it needs no closer look. */
const isProse = (line: string) => !/[>:：_=*-]/.test(line)

function quoteLine(lines: readonly string[], quotes: Quotes, at: number): number {
  if (isQuotedLine(lines, quotes, at)) quotes[at] = 'run'
  return at + 1
}

/** Without `>` below the introduction everything to the end is the earlier mail. */
function quoteFrom(lines: readonly string[], quotes: Quotes, start: number, end: number): number {
  const next = isQuoted(nextFilled(lines, end + 1)) ? end + 1 : lines.length
  quotes.fill('run', start, next)
  quotes[withDivider(lines, start, quotes)] = 'introduction'
  return next
}

type Start = 'run' | 'introduction'

/** A line, a rule or a row of underscores above a copied header belongs to it. */
function withDivider(lines: readonly string[], at: number, quotes: Quotes): number {
  let first = at
  while (first > 0 && quotes[first - 1] === undefined && DIVIDER.test(lines[first - 1] ?? '')) {
    first -= 1
    quotes[first] = 'run'
  }
  return first
}

const DIVIDER = /^\s*(?:[-_=*]{5,}\s*)?$/

function withMarked(
  introductions: Map<number, number>,
  lines: readonly string[],
  marks: ReadonlyMap<number, Mark>,
): Map<number, number> {
  for (const [number, mark] of marks) {
    if (mark !== 'attribution' || marks.get(number - 1) === 'attribution') continue
    let end = number
    while (marks.get(end + 1) === 'attribution') end += 1
    if (!isForwardLine(lines[number] ?? '')) introductions.set(number, end)
  }
  return introductions
}

function copiedHeaderEnd(
  lines: readonly string[],
  at: number,
  marks: ReadonlyMap<number, Mark>,
): number | null {
  const line = lines[at] ?? ''
  if (marks.get(at) === 'header') return headerBlockEnd(lines, at) ?? at
  if (isProse(line)) return null
  if (!isOriginalMessage(line)) return headerBlockEnd(lines, at)
  const next = lines[at + 1]?.trim() === '' ? at + 2 : at + 1
  return headerBlockEnd(lines, next) ?? at
}

/** Apple Mail puts a forwarded mail behind `>`: then its label is the first line of the quote. */
function beginsForward(lines: readonly string[], quotes: Readonly<Quotes>, at: number): boolean {
  const line = lines[at] ?? ''
  if (isProse(line)) return false
  if (!isQuoted(line)) return isForwardLine(line)
  const isFirst = quotes[at - 1] === undefined
  return isFirst && isForwardLine(line.replace(/^[\s>]+/, ''))
}

/** A copied header with nothing above it, and nothing marked as a quote below it. */
function isAllNew(
  lines: readonly string[],
  quotes: Readonly<Quotes>,
  at: number,
  header: number,
): boolean {
  for (let above = at - 1; above >= 0; above -= 1) {
    if (quotes[above] !== undefined || !DIVIDER.test(lines[above] ?? '')) return false
  }
  return !lines.slice(header + 1, header + 1 + LINES_BELOW_HEADER).some(isQuoted)
}

/** An introduction and an empty line may stand between a header and the quote. */
const LINES_BELOW_HEADER = 4

/** `>>> look here <<<` is no quote. */
const isDecoration = (line: string) => line.trimEnd().endsWith('<<')

const LONE_LINK = /^\s*[(<[]?(?:https?:\/\/|mailto:)\S+\s*>?$/i
const LONG_LINE = 60

function isQuotedLine(lines: readonly string[], quotes: Readonly<Quotes>, at: number): boolean {
  const line = lines[at] ?? ''
  if (isQuoted(line)) return !isDecoration(line)
  const isBetween = quotes[at - 1] !== undefined && isQuoted(lines[at + 1] ?? '')
  return isBetween && line.trim() !== '' && isTornOff(lines[at - 1] ?? '', line)
}

/** The end of a long quoted line that a mail program wrapped without quoting it. */
function isTornOff(before: string, line: string): boolean {
  if (LONE_LINK.test(line)) return true
  const isUnfinished = before.length > LONG_LINE && !/[.?!:;。？！]\s*$/.test(before)
  return isUnfinished && line.length < LONG_LINE && /^\p{Ll}/u.test(line)
}

function toPassages(
  lines: readonly string[],
  quotes: Readonly<Quotes>,
  marks: ReadonlyMap<number, Mark>,
): Passage[] {
  const passages: Passage[] = []
  lines.forEach((line, number) => {
    const quoted = quotes[number] !== undefined
    const introduced = quotes[number] === 'introduction'
    const last = passages.at(-1)
    const isSignature = !quoted && marks.get(number) === 'signature'
    if (!last || last.quoted !== quoted || introduced) {
      passages.push({ quoted, lines: [], introduced })
    }
    if (!isSignature) passages.at(-1)?.lines.push(line)
  })
  return passages.reduce(joinAcrossBlank, [])
}

/** Empty lines between two passages of one quote do not part them. */
function joinAcrossBlank(joined: Passage[], passage: Passage): Passage[] {
  const before = joined.at(-2)
  const between = joined.at(-1)
  const isGap = between && !between.quoted && !between.lines.some(isFilled)
  if (passage.quoted && before?.quoted && isGap && !passage.introduced) {
    joined.pop()
    // As arguments of one call a million lines do not fit the stack.
    for (const line of between.lines) before.lines.push(line)
    for (const line of passage.lines) before.lines.push(line)
    return joined
  }
  joined.push(passage)
  return joined
}

function newTextOf(passages: readonly Passage[]): string {
  const news = passages.filter(({ quoted }) => !quoted).map(({ lines }) => lines)
  const text = tidy(together(news.map(withoutSignature)))
  return text === '' ? tidy(together(news)) : text
}

const together = ([first = [], ...more]: readonly (readonly string[])[]) => first.concat(...more)

function tidy(lines: readonly string[]): string {
  const first = lines.findIndex(isFilled)
  const last = lines.findLastIndex(isFilled)
  const text = lines
    .slice(Math.max(first, 0), last + 1)
    .map((line) => line.trimEnd())
    .join('\n')
  return text.includes('\n\n\n') ? text.replace(/\n{3,}/g, '\n\n') : text
}

const isFilled = (line: string) => line.trim() !== ''

function quotedOf(passages: readonly Passage[]): Quoted[] {
  return passages.flatMap((passage, at) => {
    if (!passage.quoted || !passage.lines.some(isFilled)) return []
    const text = tidy(passage.lines)
    const answer = answerTo(passages, at)
    return [answer ? { text, answers: [answer] } : { text }]
  })
}

/**
 * The words below a quote answer its last line where more of the quote follows, where it is the end of
 * such a row of answers, or where a short quote stands above the whole mail.
 */
function answerTo(passages: readonly Passage[], at: number) {
  const quote = passages[at]
  const below = passages[at + 1]
  if (!quote || !below || below.quoted) return null
  const text = tidy(withoutSignature(below.lines))
  const line = lastQuotedLine(quote.lines)
  if (text.trim() === '' || line === '') return null
  const next = passages[at + 2]
  const isInline = next?.quoted === true && !next.introduced
  const endsRow = at >= 2 && passages[at - 2]?.quoted === true && !quote.introduced
  const isShort = quote.lines.filter((quoted) => withoutMarks(quoted) !== '').length <= 4
  const isAlone = !passages.slice(0, at).some(isSaying) && isShort
  return isInline || endsRow || isAlone ? { line, text } : null
}

const isSaying = ({ quoted, lines }: Passage) => !quoted && lines.some(isFilled)
const withoutMarks = (line: string) => line.replace(/^[\s>]+/, '').trim()

function lastQuotedLine(lines: readonly string[]): string {
  return withoutMarks(lines.findLast((line) => isQuoted(line) && withoutMarks(line) !== '') ?? '')
}
