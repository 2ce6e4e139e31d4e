// JSON as callers type it (RFC 8259): read with a limit on depth, and where it is broken, the place and the reason.
import { ValidationFailed } from '../../engine/errors.ts'

/** The deepest input of ours has 4 levels. */
const MAX_DEPTH = 32
const LITERAL = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y
const SPACE = /[\t\n\r ]*/y
const STRUCTURE = /["[\]{}]/g

/** The value of a JSON text. Throws ValidationFailed that names line and column. */
export function readJson(text: string): unknown {
  if (isTooDeep(text)) {
    throw broken(`is nested deeper than ${MAX_DEPTH} levels`, 'Send a flatter JSON body.')
  }
  try {
    return JSON.parse(text)
  } catch {
    const { offset, reason } = faultOf(text)
    throw broken(`line ${lineOf(text, offset)}, column ${columnOf(text, offset)}: ${reason}`)
  }
}

const broken = (message: string, fix = 'Mend the JSON at that place and send the request again.') =>
  new ValidationFailed([{ field: 'body', message }], { fix })

/** Counted before parsing: 1 MB of "[" would become half a million objects. */
function isTooDeep(text: string): boolean {
  let depth = 0
  STRUCTURE.lastIndex = 0
  for (let found = STRUCTURE.exec(text); found; found = STRUCTURE.exec(text)) {
    if (found[0] === '"') STRUCTURE.lastIndex = stringEnd(text, found.index)
    else depth += found[0] === '{' || found[0] === '[' ? 1 : -1
    if (depth > MAX_DEPTH) return true
  }
  return false
}

/** The offset behind the string that begins at `start`; the end of the text where it is never closed. */
function stringEnd(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let backslashes = 0
    while (text[at - 1 - backslashes] === '\\') backslashes += 1
    if (backslashes % 2 === 0) return at + 1
  }
  return text.length
}

type Want = 'value' | 'value or ]' | 'name' | 'name or }' | ':' | ', or }' | ', or ]' | 'end'
type Token = '{' | '}' | '[' | ']' | ',' | ':' | 'string' | 'literal' | 'other'

const VALUE = { '{': 'name or }', '[': 'value or ]', string: 'after', literal: 'after' } as const
const GRAMMAR: Record<Want, Partial<Record<Token, Want | 'after'>>> = {
  value: VALUE,
  'value or ]': { ...VALUE, ']': 'after' },
  name: { string: ':' },
  'name or }': { string: ':', '}': 'after' },
  ':': { ':': 'value' },
  ', or }': { ',': 'name', '}': 'after' },
  ', or ]': { ',': 'value', ']': 'after' },
  end: {},
}
const EXPECTED: Record<Want, string> = {
  value: 'a value',
  'value or ]': 'a value or "]"',
  name: 'a name in double quotes',
  'name or }': 'a name in double quotes or "}"',
  ':': '":" after the name',
  ', or }': '"," or "}"',
  ', or ]': '"," or "]"',
  end: 'nothing more',
}

/** Follows the grammar to the first token that does not fit. Position and words do not depend on the version of Node. */
function faultOf(text: string): { offset: number; reason: string } {
  const open: ('{' | '[')[] = []
  let want: Want = 'value'
  for (let offset = spaceEnd(text, 0); ; ) {
    const { token, end } = tokenAt(text, offset)
    const next: Want | 'after' | undefined = GRAMMAR[want][token]
    const wrong = token === 'string' ? wrongString(text, offset, end) : undefined
    if (next === undefined || wrong !== undefined) {
      return { offset, reason: wrong ?? reasonOf(text, offset, want, token) }
    }
    follow(open, token)
    want = next === 'after' ? afterValue(open.at(-1)) : next
    offset = spaceEnd(text, end)
  }
}

function follow(open: ('{' | '[')[], token: Token): void {
  if (token === '{' || token === '[') open.push(token)
  if (token === '}' || token === ']') open.pop()
}

function afterValue(open: '{' | '[' | undefined): Want {
  if (open === undefined) return 'end'
  return open === '{' ? ', or }' : ', or ]'
}

function tokenAt(text: string, offset: number): { token: Token; end: number } {
  const sign = text[offset]
  if (sign === '"') return { token: 'string', end: stringEnd(text, offset) }
  if (sign !== undefined && '{}[],:'.includes(sign))
    return { token: sign as Token, end: offset + 1 }
  LITERAL.lastIndex = offset
  return LITERAL.test(text)
    ? { token: 'literal', end: LITERAL.lastIndex }
    : { token: 'other', end: offset }
}

function wrongString(text: string, start: number, end: number): string | undefined {
  const string = text.slice(start, end)
  try {
    JSON.parse(string)
    return undefined
  } catch {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 8259 §7 forbids them in a string
    if (/[\u0000-\u001f]/.test(string))
      return 'a line break or tab in a string is written \\n or \\t'
    return string.length > 1 && end < text.length
      ? 'the string has a wrong escape after a backslash'
      : 'the string is never closed by a double quote'
  }
}

function reasonOf(text: string, offset: number, want: Want, token: Token): string {
  if (offset >= text.length) return `the text ends where ${EXPECTED[want]} should be`
  if (want === 'name' && token === '}') return 'no comma may stand before "}"'
  if (want === 'value' && token === ']') return 'no comma may stand before "]"'
  const hint = text[offset] === "'" ? '; strings stand in double quotes' : ''
  return `expected ${EXPECTED[want]}, found ${JSON.stringify(text[offset])}${hint}`
}

function spaceEnd(text: string, offset: number): number {
  SPACE.lastIndex = offset
  SPACE.test(text)
  return SPACE.lastIndex
}

const lineOf = (text: string, offset: number) => text.slice(0, offset).split('\n').length
const columnOf = (text: string, offset: number) => offset - text.lastIndexOf('\n', offset - 1)
