// The part of CSS that decides whether text can be seen: declarations, rules, simple selectors.
import { type Compound, parseSelector, type Selector } from './selector.ts'

/** A property's value, and whether it is `!important`. */
export interface Declaration {
  property: string
  value: string
  important: boolean
}

export interface Rule {
  selector: Selector
  /** Place in the style sheets, for the cascade. */
  order: number
  declarations: readonly Declaration[]
}

/** What is read of all style elements together, in characters. */
const STYLE_LIMIT = 262_144
const RULES_LIMIT = 2_000
const NESTING_LIMIT = 4
/** A rule is read as on a screen of this width, in px: what a person at a desk sees. */
const SCREEN_WIDTH = 1_024

/** The properties that can make text unseen. */
const WATCHED = new Set(
  `display visibility opacity filter font font-size color background background-color position left
  right top bottom text-indent margin-left margin-top clip clip-path width height max-width
  max-height overflow overflow-x overflow-y transform zoom mso-hide content-visibility
  -webkit-text-fill-color`.split(/\s+/),
)

/** Reads the declarations of a style attribute or of a rule; what cannot hide text is left out. */
export function parseDeclarations(css: string): Declaration[] {
  return splitOutside(withoutComments(css), ';').flatMap((part) => {
    const colon = part.indexOf(':')
    if (colon < 0) return []
    const property = unescaped(part.slice(0, colon)).trim().toLowerCase()
    if (!WATCHED.has(property)) return []
    const full = unescaped(part.slice(colon + 1))
      .trim()
      .toLowerCase()
    const value = full.replace(/\s*!\s*important$/, '')
    return value === '' ? [] : [{ property, value, important: value !== full }]
  })
}

/** Reads a style sheet: the rules that hold on a desktop screen and can hide text, in order. */
export function parseStyleSheet(css: string): Rule[] {
  const rules: Rule[] = []
  readBlock(withoutComments(css.slice(0, STYLE_LIMIT)), [''], 0, rules)
  return rules
}

function readBlock(css: string, parents: readonly string[], depth: number, into: Rule[]): void {
  let at = 0
  while (at < css.length && into.length < RULES_LIMIT) {
    const open = css.indexOf('{', at)
    if (open < 0) return
    const before = css.slice(at, open)
    const head = before.slice(before.lastIndexOf(';') + 1).trim()
    const close = closingBrace(css, open)
    readRule(head, css.slice(open + 1, close), parents, depth, into)
    at = close + 1
  }
}

function readRule(
  head: string,
  body: string,
  parents: readonly string[],
  depth: number,
  into: Rule[],
): void {
  const holds = head.startsWith('@') ? atRuleHolds(head) : true
  if (!holds) return
  const selectors = head.startsWith('@') ? parents : nested(parents, head)
  const inner = body.indexOf('{')
  if (inner >= 0 && depth < NESTING_LIMIT) readBlock(body, selectors, depth + 1, into)
  const own = inner < 0 ? body : body.slice(0, body.lastIndexOf(';', inner) + 1)
  const declarations = parseDeclarations(own)
  if (declarations.length === 0) return
  for (const text of selectors) {
    const selector = parseSelector(text)
    if (selector) into.push({ selector, order: into.length, declarations })
  }
}

/** CSS Nesting §3: an inner selector is a descendant of the outer, or names it with `&`. */
function nested(parents: readonly string[], head: string): string[] {
  const own = splitOutside(unescaped(head), ',').slice(0, 50)
  return parents
    .slice(0, 50)
    .flatMap((parent) =>
      own.map((text) => (text.includes('&') ? text.replaceAll('&', parent) : `${parent} ${text}`)),
    )
}

function atRuleHolds(head: string): boolean {
  const rule = /^@(media|supports|layer|container|scope|-moz-document)\b(.*)$/is.exec(head)
  if (!rule) return false
  return rule[1]?.toLowerCase() !== 'media' || (rule[2] ?? '').split(',').some(mediaHolds)
}

function mediaHolds(query: string): boolean {
  const text = query.toLowerCase()
  if (/^\s*(?:only\s+)?(?:print|speech|braille|tv)\b/.test(text)) return false
  if (/^\s*not\s+(?:all|screen)/.test(text)) return false
  if (/prefers-color-scheme\s*:\s*dark/.test(text)) return false
  const limits = text.matchAll(/(min|max)-(?:device-)?width\s*:\s*([\d.]+)(em|rem)?/g)
  return [...limits].every(([, side, number = '', unit]) => {
    const px = Number(number) * (unit ? 16 : 1)
    return side === 'min' ? px <= SCREEN_WIDTH : px >= SCREEN_WIDTH
  })
}

function closingBrace(css: string, open: number): number {
  let depth = 0
  for (let at = open; at < css.length; at += 1) {
    if (css[at] === '{') depth += 1
    if (css[at] === '}') depth -= 1
    if (depth === 0) return at
  }
  return css.length
}

const withoutComments = (css: string) =>
  css.includes('/*') || css.includes('<!--') || css.includes('-->')
    ? css.replace(/\/\*[\s\S]*?(?:\*\/|$)|<!--|-->/g, ' ')
    : css

/** `\64 isplay` is `display` (CSS Syntax 3 §4.3.7). */
function unescaped(css: string): string {
  if (!css.includes('\\')) return css
  return css.replace(/\\(?:([0-9a-f]{1,6})\s?|(.))/gi, (_, hex?: string, plain?: string) => {
    const code = hex === undefined ? Number.NaN : Number.parseInt(hex, 16)
    if (Number.isNaN(code)) return plain ?? ''
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : '\uFFFD'
  })
}

/** Splits where the separator stands outside of brackets and quotation marks. */
function splitOutside(css: string, separator: ',' | ';'): string[] {
  if (!/["'(]/.test(css)) return css.split(separator)
  const pieces = separator === ';' ? SEMICOLON_PARTS : COMMA_PARTS
  return css.match(pieces) ?? []
}

const SEMICOLON_PARTS = /(?:"[^"]*"?|'[^']*'?|\([^)]*\)?|[^;"'(])+/g
const COMMA_PARTS = /(?:"[^"]*"?|'[^']*'?|\([^)]*\)?|[^,"'(])+/g

/** Where to look a rule up: an element is tried only on the rules that its last part could meet. */
export function ruleKey({ tag, id, classes }: Compound): string {
  if (id) return `#${id}`
  const [first] = classes
  return first ? `.${first}` : (tag ?? '*')
}
