// The letters of a PDF file, for looking through and not for reading: its streams unpacked, the strings that it draws put together.
import { inflateSync } from 'node:zlib'

const MIB = 1024 * 1024
/** What is beyond them is not unpacked. */
const MAX_STREAMS = 2_000
const MAX_STREAM = 8 * MIB
const MAX_UNPACKED = 32 * MIB
/** ISO 32000-1 §7.3.8: the data stands between the two words. */
const STREAM = /stream\r?\n/g
const END = 'endstream'
/** §7.3.4: (literal) strings, with escapes and without nested brackets, and <hexadecimal> ones. */
const STRINGS = /\(((?:\\[\s\S]|[^()\\])*)\)|<([0-9A-Fa-f\s]{2,})>/g
const ESCAPED = /\\(?:([0-7]{1,3})|\r?\n|([\s\S]))/g

export const isPdf = (bytes: Uint8Array) =>
  Buffer.from(bytes.subarray(0, 1024)).toString('latin1').includes('%PDF-')

/**
 * Each stream as it is, and what it draws in one piece, since a line of text is cut where letters are moved together.
 * Letters of fonts that number their glyphs are not found. It does not throw.
 */
export function textsOfPdf(bytes: Uint8Array): string[] {
  const file = Buffer.from(bytes)
  const letters = file.toString('latin1')
  const texts = [drawnIn(letters)]
  let unpacked = 0
  for (const { index, 0: word } of letters.matchAll(STREAM)) {
    if (texts.length > MAX_STREAMS || unpacked > MAX_UNPACKED) break
    const start = index + word.length
    const end = letters.indexOf(END, start)
    const stream = unpack(file.subarray(start, end < 0 ? undefined : end))
    if (stream === undefined) continue
    unpacked += stream.length
    texts.push(stream, drawnIn(stream))
  }
  return texts
}

/** Undefined for data that is packed in another way, a picture's for example. */
function unpack(data: Buffer): string | undefined {
  try {
    return inflateSync(data, { maxOutputLength: MAX_STREAM }).toString('latin1')
  } catch {
    return undefined
  }
}

function drawnIn(content: string): string {
  return [...content.matchAll(STRINGS)]
    .map(([, literal, hex]) => (literal === undefined ? ofHex(hex ?? '') : plain(literal)))
    .join('')
}

const plain = (literal: string) =>
  literal.replace(ESCAPED, (_all, octal: string | undefined, letter: string | undefined) =>
    octal === undefined ? (letter ?? '') : String.fromCharCode(Number.parseInt(octal, 8)),
  )

/** One byte a letter, or two (UTF-16): the zero of the upper byte is dropped with all that nobody sees. */
const ofHex = (hex: string) => Buffer.from(hex.replace(/\s/g, ''), 'hex').toString('latin1')
