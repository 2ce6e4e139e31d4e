// Encoded words of header fields. RFC 2047.
import { decodeCharset } from './charset.js'
import { fromBase64, fromQuotedPrintable } from './transfer.js'

/** RFC 2047 §2 with the language of RFC 2231 §5; blanks inside are a common fault. */
const WORD = /=\?([^?*\s]{1,60})(?:\*[^?\s]{0,60})?\?([bq])\?([^?]*)\?=/gi

/** A field's value with its encoded words read. Never throws. */
export function decodeWords(value) {
  if (!value.includes('=?')) return value
  const runs = []
  let at = 0
  for (const { 0: whole, 1: charset, 2: kind, 3: body, index } of value.matchAll(WORD)) {
    addWord(runs, value.slice(at, index), charset.toLowerCase(), wordBytes(kind, body))
    at = index + whole.length
  }
  return runs.map(textOfRun).join('') + value.slice(at)
}

/** White space between two words is none; and mailers cut letters of several bytes apart between words of one set. */
function addWord(runs, before, charset, bytes) {
  const last = runs.at(-1)
  const adjacent = last !== undefined && before.trim() === ''
  if (adjacent && last.charset === charset) last.bytes.push(bytes)
  else runs.push({ before: adjacent ? '' : before, charset, bytes: [bytes] })
}

const textOfRun = ({ before, charset, bytes }) =>
  before + decodeCharset(Buffer.concat(bytes), charset)

function wordBytes(kind, body) {
  if (kind.toLowerCase() === 'b') return fromBase64(Buffer.from(body, 'latin1'))
  // Letters beyond ASCII have no place in a word; they came as UTF-8.
  const quoted = Buffer.from(body.replaceAll('_', '=20'))
  return fromQuotedPrintable(Buffer.concat([quoted, END])).subarray(0, -1)
}

/** So that blanks at the end of a word are not taken for those at the end of a line. */
const END = Buffer.from('.')
