// The letters of a PDF file, for looking through and not for reading: its streams unpacked, the strings that it draws put together.
import { inflateSync } from 'node:zlib'
import { type Budget, newBudget, TOO_MUCH, takePart, unpack } from './budget.ts'

/** ISO 32000-1 §7.3.8: the data stands between the two words. */
const STREAM = /stream\r?\n/g
const END = 'endstream'
/** What is said of a stream stands before it. */
const DICTIONARY = 512
const PICTURE = /\/Subtype\s*\/Image\b/
/** Streams do not overlap; in a file in which they do, each could be as long as the file. */
const MAX_OVERLAP = 4
/** §7.3.4: (literal) strings, with escapes and without nested brackets, and <hexadecimal> ones. Annex C: 32,767 bytes at the most in many programs. */
const STRINGS = /\(((?:\\[\s\S]|[^()\\]){0,65536})\)|<([0-9A-Fa-f\s]{2,131072})>/g
const ESCAPED = /\\(?:([0-7]{1,3})|\r?\n|([\s\S]))/g

export const isPdf = (bytes: Uint8Array) =>
  Buffer.from(bytes.subarray(0, 1024)).toString('latin1').includes('%PDF-')

/**
 * Each stream as it is, and what it draws in one piece, since a line of text is cut where letters are moved together.
 * Letters of fonts that number their glyphs are not found.
 */
export function* textsOfPdf(bytes: Uint8Array, budget: Budget): Generator<string> {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const letters = file.toString('latin1')
  yield drawnIn(letters)
  // What a picture shows nobody reads here, so one that is too large leaves nothing unread.
  const pictures = newBudget()
  for (const { start, end } of streamsOf(letters, budget)) {
    const isPicture = PICTURE.test(letters.slice(Math.max(0, start - DICTIONARY), start))
    const data = file.subarray(start, end)
    const stream = unpack(isPicture ? pictures : budget, (limits) => inflateSync(data, limits))
    if (stream === 'too much' && !isPicture) budget.unread.add(TOO_MUCH)
    // Data that is packed in another way: a picture's for example.
    if (!Buffer.isBuffer(stream)) continue
    const content = stream.toString('latin1')
    yield content
    yield drawnIn(content)
  }
}

/** In the order of the file. What stands within a stream may look like the beginning of another. */
function* streamsOf(letters: string, budget: Budget) {
  let end = 0
  let length = 0
  for (const { index, 0: word } of letters.matchAll(STREAM)) {
    const start = index + word.length
    if (start > end) end = letters.indexOf(END, start)
    if (end < 0) end = letters.length
    length += end - start
    if (length > MAX_OVERLAP * letters.length) budget.unread.add('its streams overlap')
    if (length > MAX_OVERLAP * letters.length || !takePart(budget)) return
    yield { start, end }
  }
}

function drawnIn(content: string): string {
  let drawn = ''
  for (const [, literal, hex] of content.matchAll(STRINGS)) {
    drawn += literal === undefined ? ofHex(hex ?? '') : plain(literal)
  }
  return drawn
}

const plain = (literal: string) =>
  literal.replace(ESCAPED, (_all, octal: string | undefined, letter: string | undefined) =>
    octal === undefined ? (letter ?? '') : String.fromCharCode(Number.parseInt(octal, 8)),
  )

/** One byte a letter, or two (UTF-16): the zero of the upper byte is dropped with all that nobody sees. */
const ofHex = (hex: string) => Buffer.from(hex.replace(/\s/g, ''), 'hex').toString('latin1')
