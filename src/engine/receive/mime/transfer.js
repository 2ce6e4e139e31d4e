// Transfer encodings: from what went over the wire to the bytes that were meant. RFC 2045 §6.

const EQUALS = 0x3d
const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const TAB = 0x09
/** Base64 that was joined of several pieces; more of them are made to cost time. */
const MAX_PIECES = 1_000

/** Never throws: what is no base64 or quoted-printable is passed over. Unknown encodings are left as they are. */
export function decodeTransfer(bytes, encoding) {
  if (encoding === 'base64') return fromBase64(bytes)
  if (encoding === 'quoted-printable') return fromQuotedPrintable(bytes)
  return bytes
}

/** RFC 2045 §6.8; joined pieces, each with its own padding, are read one after the other. */
export function fromBase64(bytes) {
  const text = bytes.toString('latin1')
  const padding = text.indexOf('=')
  if (padding < 0 || !/[\w+/]/.test(text.slice(padding))) return Buffer.from(text, 'base64')
  const pieces = text.split(/=+/, MAX_PIECES)
  return Buffer.concat(pieces.map((piece) => Buffer.from(piece, 'base64')))
}

/** RFC 2045 §6.7; blanks before a line's end were added on the way and are left out. */
export function fromQuotedPrintable(bytes) {
  const target = { bytes: Buffer.allocUnsafe(bytes.length), length: 0 }
  let at = 0
  while (at < bytes.length) {
    const { lineEnd, next } = lineFrom(bytes, at)
    const end = withoutBlanks(bytes, at, lineEnd)
    const isSoft = end > at && bytes[end - 1] === EQUALS
    decodeLine(bytes, at, isSoft ? end - 1 : end, target)
    if (!isSoft) target.length += bytes.copy(target.bytes, target.length, lineEnd, next)
    at = next
  }
  return target.bytes.subarray(0, target.length)
}

function lineFrom(bytes, at) {
  const feed = bytes.indexOf(LF, at)
  if (feed < 0) return { lineEnd: bytes.length, next: bytes.length }
  return { lineEnd: feed > at && bytes[feed - 1] === CR ? feed - 1 : feed, next: feed + 1 }
}

function withoutBlanks(bytes, start, lineEnd) {
  let end = lineEnd
  while (end > start && (bytes[end - 1] === SPACE || bytes[end - 1] === TAB)) end -= 1
  return end
}

function decodeLine(bytes, start, end, target) {
  for (let at = start; at < end; at += 1) {
    const value = bytes[at] === EQUALS && at + 2 < end ? hexPair(bytes, at + 1) : -1
    target.bytes[target.length++] = value < 0 ? bytes[at] : value
    if (value >= 0) at += 2
  }
}

function hexPair(bytes, at) {
  const high = hexDigit(bytes[at])
  const low = hexDigit(bytes[at + 1])
  return high < 0 || low < 0 ? -1 : high * 16 + low
}

function hexDigit(byte = 0) {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const upper = byte & 0xdf
  return upper >= 0x41 && upper <= 0x46 ? upper - 0x37 : -1
}
