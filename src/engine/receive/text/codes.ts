// One-time codes in a mail: what a person would copy into a login form.
import { EXPIRY_WORDS, HINT_WORDS, OTHER_WORDS, SURE_WORDS } from './code-words.ts'

export interface Code {
  /** As it is typed: a number without the spaces in it. */
  value: string
  kind: 'numeric' | 'alphanumeric'
  /** 0.5–0.99: how sure it is that this is a one-time code. */
  confidence: number
}

/** Mails that carry a code are short; what follows is fine print. */
const READ_LIMIT = 12_000
const LINE_LIMIT = 600
const CODES_LIMIT = 5
const LEAST_CONFIDENCE = 0.5
const CONTEXT = 90

const anyOf = (words: readonly string[], flags = 'iu') => new RegExp(words.join('|'), flags)
const SURE = anyOf(SURE_WORDS)
const HINT = anyOf(HINT_WORDS)
const OTHER = anyOf(OTHER_WORDS)
const EXPIRY = anyOf(EXPIRY_WORDS)

/**
 * The one-time codes of a mail, the surest first, at most five. Years, dates, times, prices, phone
 * numbers, and numbers of orders, invoices and the like are none. A code counts by the words around
 * it, in English, German, French, Spanish, Chinese, Japanese and twelve more languages.
 * @param text the new text of the mail; its first 12,000 characters are read
 * @param subject read first: many services put the code there
 */
export function findCodes(text: string, subject = ''): Code[] {
  const read = `${subject}\n${text.slice(0, READ_LIMIT)}`
  if (!MAY_HOLD_ONE.test(read)) return []
  const lines = read.split('\n').map((line) => line.slice(0, LINE_LIMIT))
  const all = lines.join('\n')
  if (!SURE.test(all) && !HINT.test(all)) return []
  const passing = EXPIRY.test(all)
  const best = new Map<string, Code>()
  lines.forEach((line, number) => {
    for (const found of candidates(line)) {
      const confidence = rate(found, placeOf(found, lines, number), passing)
      const earlier = best.get(found.value)
      if (confidence < LEAST_CONFIDENCE || (earlier && earlier.confidence >= confidence)) continue
      best.set(found.value, { value: found.value, kind: found.kind, confidence })
    }
  })
  return [...best.values()].sort((a, b) => b.confidence - a.confidence).slice(0, CODES_LIMIT)
}

/** Most mails hold nothing that looks like a code: a tenth of the time that the words of all languages take. */
const MAY_HOLD_ONE = /\d(?:\d\d|[ -]\d)|(?:^|[^A-Z\d])[A-Z\d]{5,10}(?![A-Z\d])|-[A-Z\d]{3}/

interface Candidate {
  value: string
  kind: Code['kind']
  at: number
  end: number
}

/** Numbers that mean something by their form alone. */
const NO_CODES = new RegExp(
  [
    'https?:\\/\\/\\S+|\\S+@\\S+|\\bwww\\.\\S+|#[0-9a-f]{6}\\b(?=;)',
    '[$€£¥₹₽₩]\\s?\\d[\\d.,\\s]*\\d|\\d[\\d.,]*\\s?(?:[$€£¥₹₽₩%]|(?:usd|eur|gbp|chf|jpy|cny|rmb|kr|zł|pln|руб|元|円|원|euros?|dollars?|mb|gb|kb|km|kg)(?![\\p{L}]))',
    '(?:usd|eur|gbp|chf|jpy|cny|rmb|rs\\.?|inr|r\\$)\\s?\\d[\\d.,]*',
    '\\d{1,4}[-./年]\\s?\\d{1,2}[-./月]\\s?\\d{1,4}日?|\\d{1,2}:\\d{2}(?::\\d{2})?|\\d{1,2}\\.? \\p{L}{3,10}\\.?,? \\d{4}|\\p{L}{3,10}\\.? \\d{1,2},? \\d{4}',
    '\\+\\d[\\d\\s().-]{6,}|\\(\\d{2,5}\\)[\\s\\d-]{5,}|(?<![\\d-])\\d{2,5}(?:[ .-]\\d{2,5}){2,}(?![\\d-])|(?<!\\d)0\\d{2,4}-\\d{3,8}(?!\\d)|1-?800-[\\w-]{4,}',
    '\\d{1,3}(?:,\\d{3})+|\\d+\\.\\d+',
  ].join('|'),
  'giu',
)

const NUMBER =
  /(?<![\p{Script=Latin}\p{Script=Cyrillic}\d_-])(?:\d{4,8}|\d{3}[ -]\d{3}|\d{4}[ -]\d{4}|\d{2}[ -]\d{2}[ -]\d{2}|\d(?: \d){3,7})(?![\p{Script=Latin}\p{Script=Cyrillic}\d_]|-\d)/gu
const MIXED =
  /(?<![\p{L}\p{N}_-])(?=[A-Z0-9-]*[A-Z])(?:[A-Z0-9]{5,10}|[A-Z0-9]{1,6}-[A-Z0-9]{3,8}(?:-[A-Z0-9]{3,6})?)(?![\p{Script=Latin}\p{N}_-])/gu

function candidates(line: string): Candidate[] {
  if (!/[\dA-Z]{3}|\d \d/.test(line)) return []
  const blank = line.replace(NO_CODES, (match) =>
    isGroupedCode(match) ? match : ' '.repeat(match.length),
  )
  const numbers = [...blank.matchAll(NUMBER)].map((match) => candidate(match, 'numeric'))
  const mixed = [...blank.matchAll(MIXED)]
    .filter(([word]) => /\d/.test(word) || /^[A-Z]{6,8}$|^[A-Z]{3,4}-[A-Z]{3,4}$/.test(word))
    .map((match) => candidate(match, 'alphanumeric'))
  return [...numbers, ...mixed]
}

/** `4 8 2 9 1 3` and `12-34-56` look like dates and phone numbers, yet are how codes are spaced. */
const isGroupedCode = (text: string) => /^\d{2}([ -])\d{2}\1\d{2}$/.test(text)

function candidate(match: RegExpExecArray, kind: Code['kind']): Candidate {
  const [word] = match
  const value = kind === 'numeric' ? word.replace(/[ -]/g, '') : word
  return { value, kind, at: match.index, end: match.index + word.length }
}

/** Where a candidate stands: the words on its line, and around it where it is alone there. */
interface Place {
  before: string
  after: string
  isAlone: boolean
  near: string
  above: string
}

function placeOf(found: Candidate, lines: readonly string[], number: number): Place {
  const line = lines[number] ?? ''
  const before = line.slice(Math.max(0, found.at - CONTEXT), found.at)
  const after = line.slice(found.end, found.end + CONTEXT)
  const isAlone = NO_WORDS.test(before) && NO_WORDS.test(after)
  const near = isAlone ? neighbours(lines, number) : `${before} ${after}`
  return { before, after, isAlone, near, above: isAlone ? neighbourAbove(lines, number) : '' }
}

/** "Your security code SETTINGS": letters alone are a code only on a line of their own. */
const ONE_WORD = /^[A-Z]+$/
const NO_WORDS = /^[\s*_|>"'「【」】[\](){}:：.。-]*$/

function rate(found: Candidate, place: Place, passing: boolean): number {
  const hasSure = SURE.test(place.near)
  if (!hasSure && !HINT.test(place.near)) return 0
  if (isOther(place)) return 0
  const leads = LEADS.test(place.before)
  const isYear = /^(?:19|20)\d\d$/.test(found.value)
  const isOdd = isYear || !/\d/.test(found.value)
  if (isOdd && !(hasSure && (place.isAlone || (leads && !ONE_WORD.test(found.value))))) return 0
  const marks: readonly [boolean, number][] = [
    [hasSure, 0.25],
    [place.isAlone, 0.2],
    [leads || FOLLOWS.test(place.after), 0.15],
    [passing, 0.1],
    [/^\d{6}$/.test(found.value), 0.1],
    [isOdd, -0.15],
  ]
  const score = marks.reduce((sum, [holds, points]) => sum + (holds ? points : 0), 0.35)
  return Math.min(0.99, Math.round(score * 100) / 100)
}

/** "… is 482913", "…: 482913" and "482913 is your code". */
const LEADS =
  /(?:[:：=是为為は「【[(]|\b(?:is|ist|lautet|est|es|[eé]|is:|code|pin|otp|codice|código|kod|код|use|enter|eingeben|benutze|utilisez|saisissez|usa|introduce|ingrese|utilice|gebruik|użyj|использовать)|코드는|번호는)[\s"'*_「【[(]*$/iu
const FOLLOWS =
  /^[\s"'*_」】\])]*(?:is (?:your|the)|ist (?:ihr|dein|der)|est (?:votre|ton|le)|es (?:tu|su|el)|è il|is je|is uw|to ton|—|を入力|が|です|是您|是你|为您|為您|（|\(.{0,12}(?:验证|驗證)|입니다|\])/iu

/** The last noun before the number says what it is; "promo code" is one noun. */
function isOther({ before, after, above }: Place): boolean {
  const said = `${above} ${before}`
  const other = last(said, OTHER)
  if (!other) return /^.{0,2}(?:off|points?|orders?|items?|punkte)\b/i.test(after)
  const end = other.index + other[0].length
  if (/[.!?。！？]\s/.test(said.slice(end))) return false
  const sure = last(said, SURE)
  if (sure && sure.index + sure[0].length > other.index) return false
  const hint = last(said, HINT)
  return !hint || hint.index - end < ONE_NOUN
}

/** A hint that follows this close is the second half of the same noun. */
const ONE_NOUN = 3

function last(text: string, words: RegExp): RegExpExecArray | undefined {
  return [...text.matchAll(new RegExp(words.source, 'giu'))].at(-1)
}

/** The filled lines around a line: a code often stands alone between two sentences. */
function neighbours(lines: readonly string[], number: number): string {
  const above = lines
    .slice(Math.max(0, number - 6), number)
    .filter(isFilled)
    .slice(-2)
  const below = lines
    .slice(number + 1, number + 4)
    .filter(isFilled)
    .slice(0, 1)
  return [...above, ...below].join('\n')
}

function neighbourAbove(lines: readonly string[], number: number): string {
  return lines.slice(Math.max(0, number - 4), number).findLast(isFilled) ?? ''
}

const isFilled = (line: string) => line.trim() !== ''
