// What an element looks like as far as it matters here: can its text be seen, and why not.
import { BLACK, type Color, fraction, isNear, LINK_BLUE, over, parseColor, WHITE } from './color.ts'
import type { Declaration } from './css.ts'

/** What an element hands on to the elements inside it. */
export interface Look {
  /** Nothing inside can be seen, whatever it says of itself. */
  hidden: boolean
  /** `visibility`: an element inside can be visible again. */
  visible: boolean
  opacity: number
  /** In px. */
  fontSize: number
  /** `text-indent` moves the text out of sight. */
  indentedAway: boolean
  color: Color
  background: Color
}

export const PAGE: Look = {
  hidden: false,
  visible: true,
  opacity: 1,
  fontSize: 16,
  indentedAway: false,
  color: BLACK,
  background: WHITE,
}

const ROOT_FONT_SIZE = 16
const SMALLEST_FONT = 1
const FAINTEST = 0.1
/** Farther than this to the left of or above its place, in px, nothing is on the page. */
const AWAY = -500
const FAR_AWAY = 4_000

/** Whether text directly in the element can be seen. */
export function canBeSeen(look: Look): boolean {
  return (
    !look.hidden &&
    look.visible &&
    look.opacity > FAINTEST &&
    look.fontSize > SMALLEST_FONT &&
    !look.indentedAway &&
    !isNear(look.color, look.background)
  )
}

/**
 * The look of an element.
 * @param declarations those that apply to it, the winning ones last
 */
export function lookOf(
  parent: Look,
  tag: string,
  attributes: ReadonlyMap<string, string>,
  declarations: readonly Declaration[],
): Look {
  if (parent.hidden || isHiddenByAttribute(tag, attributes)) return { ...parent, hidden: true }
  const base = withAttributes(parent, tag, attributes)
  if (declarations.length === 0) return base
  const known = REMEMBERED.get(declarations)
  if (known?.base === base && known.parent === parent) return known.look
  const css = new Map(declarations.map(({ property, value }) => [property, value]))
  const look = withStyle(base, parent, css)
  REMEMBERED.set(declarations, { base, parent, look })
  return look
}

/** The rows of a newsletter repeat one style under one parent: the last answer for each style. */
const REMEMBERED = new WeakMap<readonly Declaration[], { base: Look; parent: Look; look: Look }>()

/** Elements that are never part of the page. */
const UNSEEN_TAGS = new Set(
  `template noscript noframes noembed datalist audio video canvas iframe object param
  area source track script style title head meta link base metadata defs desc symbol
  annotation annotation-xml`.split(/\s+/),
)

function isHiddenByAttribute(tag: string, attributes: ReadonlyMap<string, string>): boolean {
  if (UNSEEN_TAGS.has(tag) || attributes.has('hidden')) return true
  if (attributes.get('aria-hidden')?.trim().toLowerCase() === 'true') return true
  return tag === 'dialog' && !attributes.has('open')
}

/** Answers the parent's own look where nothing changes, as for most elements. */
function withAttributes(parent: Look, tag: string, attributes: ReadonlyMap<string, string>): Look {
  const background = parseColor(attributes.get('bgcolor') ?? '')
  const color = colorByAttribute(tag, attributes)
  if (!color && !background) return parent
  return {
    ...parent,
    color: color ?? parent.color,
    background: background ? over(background, parent.background) : parent.background,
  }
}

function colorByAttribute(tag: string, attributes: ReadonlyMap<string, string>): Color | undefined {
  if (tag === 'a' && attributes.has('href')) return LINK_BLUE
  if (tag === 'font') return parseColor(attributes.get('color') ?? '')
  return tag === 'body' ? parseColor(attributes.get('text') ?? '') : undefined
}

function withStyle(look: Look, parent: Look, css: ReadonlyMap<string, string>): Look {
  if (isGone(css) || isOffScreen(css, look) || isClipped(css, look))
    return { ...look, hidden: true }
  const fontSize = fontSizeOf(css, parent.fontSize)
  const visibility = css.get('visibility')
  const indent = css.get('text-indent')
  const hasVisibility = visibility !== undefined && visibility !== 'inherit'
  return {
    ...look,
    fontSize,
    visible: hasVisibility ? !/^(hidden|collapse)$/.test(visibility) : look.visible,
    opacity: look.opacity * opacityOf(css),
    indentedAway: indent === undefined ? look.indentedAway : isAway(indent, fontSize),
    color: colorOf(css, look),
    background: backgroundOf(css, look),
  }
}

function isGone(css: ReadonlyMap<string, string>): boolean {
  return (
    css.get('display') === 'none' ||
    css.get('mso-hide') === 'all' ||
    css.get('content-visibility') === 'hidden' ||
    /scale(?:3d|[xy])?\(\s*0?\.?0*\s*[,)]/.test(css.get('transform') ?? '') ||
    /^0*\.?0+%?$/.test(css.get('zoom') ?? '')
  )
}

function isOffScreen(css: ReadonlyMap<string, string>, { fontSize }: Look): boolean {
  const position = css.get('position')
  const isPlaced = position !== undefined && position !== 'static'
  const moves = [css.get('margin-left'), css.get('margin-top')]
  if (isPlaced) moves.push(css.get('left'), css.get('top'), css.get('right'), css.get('bottom'))
  const shifts = /translate(?:3d|[xy])?\(([^)]*)\)/.exec(css.get('transform') ?? '')?.[1]
  if (shifts) moves.push(...shifts.split(','))
  return moves.some((move) => move !== undefined && isAway(move, fontSize))
}

function isAway(move: string, fontSize: number): boolean {
  const px = toPixels(move, fontSize, ROOT_FONT_SIZE * 60)
  return px !== undefined && (px <= AWAY || px >= FAR_AWAY)
}

function isClipped(css: ReadonlyMap<string, string>, { fontSize }: Look): boolean {
  const clip = /^rect\(([^)]*)\)/.exec(css.get('clip') ?? '')?.[1]
  if (clip && isNothing(clip.split(/[\s,]+/))) return true
  if (isClippedAway(css.get('clip-path') ?? '')) return true
  const cuts = ['overflow', 'overflow-x', 'overflow-y'].some((property) =>
    /hidden|clip/.test(css.get(property) ?? ''),
  )
  const sizes = ['height', 'max-height', 'width', 'max-width'].map((property) => css.get(property))
  return cuts && sizes.some((size) => (toPixels(size ?? '', fontSize, 600) ?? 99) <= 1)
}

/** `rect(top right bottom left)`: nothing is left where both sides meet. */
function isNothing(sides: readonly string[]): boolean {
  const [top = 0, right = 0, bottom = 0, left = 0] = sides
    .filter((side) => side !== '')
    .map((side) => toPixels(side, ROOT_FONT_SIZE, 600))
  return bottom - top <= 1 || right - left <= 1
}

function isClippedAway(path: string): boolean {
  const inset = /^inset\(\s*([\d.]+)%/.exec(path)?.[1]
  if (inset !== undefined) return Number(inset) >= 49
  return /^(?:circle|ellipse)\(\s*0(?:px|%)?[\s)]/.test(path) || /^polygon\([0px%\s,]*\)/.test(path)
}

/** In px; a percentage is taken of `whole`. Undefined for what is no length. */
function toPixels(length: string, fontSize: number, whole: number): number | undefined {
  const [, number, unit = ''] =
    /^\s*(?:calc\(\s*)?([+-]?[\d.]+(?:e\d+)?)\s*([a-z%]*)/.exec(length) ?? []
  if (number === undefined) return undefined
  const scale = { em: fontSize, ex: fontSize / 2, ch: fontSize / 2, '%': whole / 100 }[unit]
  return Number.parseFloat(number) * (scale ?? UNITS.get(unit) ?? 1)
}

const UNITS = new Map([
  ['pt', 4 / 3],
  ['pc', 16],
  ['in', 96],
  ['cm', 37.8],
  ['mm', 3.78],
  ['rem', ROOT_FONT_SIZE],
  ['vw', 10],
  ['vh', 8],
  ['vmin', 8],
  ['vmax', 10],
])

const FONT_SHORTHAND = /(?:^|\s)([\d.]+(?:px|pt|em|rem|ex|%|vw|in|cm|mm|pc))(?:\s*\/|\s)/

function fontSizeOf(css: ReadonlyMap<string, string>, parentSize: number): number {
  const size = css.get('font-size') ?? FONT_SHORTHAND.exec(css.get('font') ?? '')?.[1]
  if (size === undefined) return parentSize
  if (/^(?:xx?-|x{3}-)?(?:small|large)$|^medium$/.test(size)) return ROOT_FONT_SIZE
  return toPixels(size, parentSize, parentSize) ?? parentSize
}

function opacityOf(css: ReadonlyMap<string, string>): number {
  const filter = /opacity\(([^)]*)\)/.exec(css.get('filter') ?? '')?.[1]
  return fraction(css.get('opacity') ?? '1') * fraction(filter ?? '1')
}

function colorOf(css: ReadonlyMap<string, string>, look: Look): Color {
  return parseColor(css.get('-webkit-text-fill-color') ?? css.get('color') ?? '') ?? look.color
}

/**
 * A picture does not count as a background: mail programs show none unless asked, and a picture that
 * never loads would otherwise excuse white text on white.
 */
function backgroundOf(css: ReadonlyMap<string, string>, look: Look): Color {
  const value = css.get('background-color') ?? css.get('background')
  if (value === undefined) return look.background
  const words = value.replace(/url\([^)]*\)?/g, ' ').match(COLOR_WORDS) ?? []
  const color = words.map(parseColor).find((found) => found !== undefined)
  return color ? over(color, look.background) : look.background
}

const COLOR_WORDS = /#[0-9a-f]{3,8}|(?:rgb|hsl)a?\([^)]*\)|[a-z-]+/g
