// Characters that nobody sees: tag characters, zero-width characters, bidi controls.

export interface CleanText {
  text: string
  /** Characters taken out. */
  hiddenRemoved: number
}

/**
 * Takes out of a plain text what a reader cannot see, and counts it: U+E0000–E007F, zero-width and
 * filler characters, bidi controls, surplus variation selectors. Line ends become `\n`.
 * Kept: a joiner inside an emoji, a joiner or non-joiner inside a word of a script that needs it,
 * one variation selector after the character that it varies. LRM and RLM go like all bidi controls:
 * they only help a screen to order a line, and text is read here in its logical order.
 * Source: Unicode 15.1 §23 (special areas and format characters), UAX #9, UTS #51.
 */
export function cleanText(text: string): CleanText {
  const lines = text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text
  if (!UNSEEN.test(lines)) return { text: lines, hiddenRemoved: 0 }
  let hiddenRemoved = 0
  const seen = lines.replace(EVERY_UNSEEN, (character, at: number) => {
    if (isNeeded(character, lines, at)) return character
    hiddenRemoved += 1
    return ''
  })
  return { text: seen, hiddenRemoved }
}

const UNSEEN_RANGES = [
  '\\u00AD\\u034F\\u061C\\u115F\\u1160\\u17B4\\u17B5\\u180B-\\u180F',
  '\\u200B-\\u200F\\u202A-\\u202E\\u2060-\\u206F\\u3164',
  '\\uFE00-\\uFE0F\\uFEFF\\uFFA0\\uFFF9-\\uFFFB',
  '\\u{1BCA0}-\\u{1BCA3}\\u{1D173}-\\u{1D17A}\\u{E0000}-\\u{E0FFF}',
].join('')
const UNSEEN = new RegExp(`[${UNSEEN_RANGES}]`, 'u')
const EVERY_UNSEEN = new RegExp(UNSEEN, 'gu')

const ZWNJ = '\u200C'
const ZWJ = '\u200D'
const SELECTOR = /^[\uFE00-\uFE0F\u{E0100}-\u{E01EF}]$/u
const EMOJI_PART = /^(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|\uFE0F)$/u
const PICTOGRAPH = /^\p{Extended_Pictographic}$/u
const TAKES_EMOJI_SELECTOR = /^[\p{Emoji}\p{Extended_Pictographic}\p{So}\p{Sm}\p{Po}]$/u
const HAN = /^\p{Script=Han}$/u

/** Scripts in which a joiner changes what a word looks like or means. */
const JOINING_SCRIPTS = [
  'Arabic',
  'Syriac',
  'Nko',
  'Mongolian',
  'Devanagari',
  'Bengali',
  'Gurmukhi',
  'Gujarati',
  'Oriya',
  'Tamil',
  'Telugu',
  'Kannada',
  'Malayalam',
  'Sinhala',
  'Khmer',
  'Myanmar',
]
const JOINING = new RegExp(
  `^[${JOINING_SCRIPTS.map((script) => `\\p{Script_Extensions=${script}}`).join('')}]$`,
  'u',
)
/** Virama and its kin (canonical class 9): a joiner may follow one at the end of a word too. */
const VIRAMA = /^[\u094D\u09CD\u0A4D\u0ACD\u0B4D\u0BCD\u0C4D\u0CCD\u0D4D\u0DCA]$/

function isNeeded(character: string, text: string, at: number): boolean {
  const before = characterBefore(text, at)
  if (SELECTOR.test(character)) return variesSomething(character, before)
  if (character !== ZWJ && character !== ZWNJ) return false
  const after = text.codePointAt(at + 1)
  const next = after === undefined ? '' : String.fromCodePoint(after)
  if (VIRAMA.test(before)) return true
  if (JOINING.test(before) && JOINING.test(next)) return true
  return character === ZWJ && EMOJI_PART.test(before) && PICTOGRAPH.test(next)
}

/** A run of selectors can carry any bytes: only the first, after a fitting character, is one. */
function variesSomething(selector: string, before: string): boolean {
  if (selector === '\uFE0E' || selector === '\uFE0F') return TAKES_EMOJI_SELECTOR.test(before)
  return HAN.test(before)
}

function characterBefore(text: string, at: number): string {
  const low = text.charCodeAt(at - 1)
  const isPair = low >= 0xdc00 && low <= 0xdfff
  return at === 0 ? '' : text.slice(isPair ? at - 2 : at - 1, at)
}
