// Bytes of a text file to text, or the reason why they are no text.

export type Decoded = { kind: 'text'; text: string } | { kind: 'unreadable'; reason: string }

export const NO_TEXT = 'The document holds no text.'

const UTF8_BOM = [0xef, 0xbb, 0xbf]
const UTF16LE_BOM = [0xff, 0xfe]
const UTF16BE_BOM = [0xfe, 0xff]
/** So much of the start is looked at to tell UTF-16 without a mark, and what is no text at all. */
const SAMPLE_BYTES = 4096
/** Latin text in UTF-16 has a zero in nearly every second byte. */
const UTF16_ZERO_SHARE = 0.3
/** Text has hardly any control characters besides tab, line feed, form feed and carriage return. */
const CONTROL_SHARE = 0.02

/** Files that are often renamed or sent under a wrong name; the first bytes tell them. */
const SIGNATURES: readonly (readonly [string, string])[] = [
  ['%PDF-', 'a PDF file'],
  ['PK\u0003\u0004', 'a ZIP archive (DOCX is one)'],
  ['\u00d0\u00cf\u0011\u00e0', 'an old Office file'],
  ['\u0089PNG', 'a PNG picture'],
  ['\u00ff\u00d8\u00ff', 'a JPEG picture'],
  ['{\\rtf', 'an RTF file'],
]

/** What windows-1252 has from 0x80 to 0x9f; five places are empty. */
const SIGNS_1252 =
  '\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f' +
  '\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178'

/**
 * Reads a text file: by its byte order mark, as UTF-8 where that is valid, as UTF-16 where every
 * second byte is zero, else as windows-1252 (every sequence of bytes is valid there; WHATWG Encoding §9).
 * Line ends become \n, and characters that no reader sees are dropped.
 */
export function decodeText(bytes: Uint8Array): Decoded {
  const sample = Buffer.from(bytes.subarray(0, SAMPLE_BYTES))
  const start = sample.toString('latin1')
  const other = SIGNATURES.find(([mark]) => start.startsWith(mark))
  if (other) return { kind: 'unreadable', reason: `The file is ${other[1]}, not text.` }
  const encoding = encodingOf(bytes, sample)
  const text = encoding ? new TextDecoder(encoding).decode(bytes) : windows1252(bytes)
  if (looksBinary(text.slice(0, SAMPLE_BYTES))) {
    return { kind: 'unreadable', reason: 'The file holds binary data, not text.' }
  }
  const visible = withoutHidden(text.replace(/\r\n?/g, '\n'))
  if (visible.trim() === '') return { kind: 'unreadable', reason: NO_TEXT }
  return { kind: 'text', text: visible }
}

function encodingOf(bytes: Uint8Array, sample: Buffer): string | undefined {
  if (starts(bytes, UTF8_BOM)) return 'utf-8'
  if (starts(bytes, UTF16LE_BOM)) return 'utf-16le'
  if (starts(bytes, UTF16BE_BOM)) return 'utf-16be'
  const zeros = [0, 0]
  for (const [at, byte] of sample.entries())
    if (byte === 0) zeros[at % 2] = (zeros[at % 2] ?? 0) + 1
  const enough = (sample.length / 2) * UTF16_ZERO_SHARE
  const [even = 0, odd = 0] = zeros
  if (odd > enough && even <= enough) return 'utf-16le'
  if (even > enough && odd <= enough) return 'utf-16be'
  return isUtf8(bytes) ? 'utf-8' : undefined
}

function starts(bytes: Uint8Array, mark: readonly number[]): boolean {
  return mark.every((byte, at) => bytes[at] === byte)
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}

/** TextDecoder of Node 20 reads windows-1252 as ISO 8859-1 and loses the signs from 0x80 to 0x9f. */
function windows1252(bytes: Uint8Array): string {
  const latin1 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  return latin1.replace(/[\u0080-\u009f]/g, (sign) => SIGNS_1252[sign.charCodeAt(0) - 0x80] ?? sign)
}

function looksBinary(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is counted
  const controls = text.match(/[\u0000-\u0008\u000b\u000e-\u001f\ufffd]/g)?.length ?? 0
  return controls > text.length * CONTROL_SHARE
}

/**
 * Unicode tag characters spell text that a model reads and a person does not see; zero-width and
 * bidirectional controls hide or reorder it. Joiners (U+200C, U+200D) stay: Persian, Hindi and emoji need them.
 */
function withoutHidden(text: string): string {
  return text.replace(/[\u{e0000}-\u{e007f}\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069]/gu, '')
}
