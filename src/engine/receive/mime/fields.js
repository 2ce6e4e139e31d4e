// A header block as fields. Plain JavaScript, like all of this folder: the worker thread runs it too.
import { isUtf8 } from 'node:buffer'
import { decodeCharset } from './charset.js'

/** More than any honest mail has (the longest seen hold some hundred); what follows is not read. */
const MAX_FIELDS = 2_000
const MAX_HEADER_BYTES = 512 * 1024
/** RFC 5322 §2.1.1 allows 998; some mailers fold nothing. */
const MAX_LINE = 64 * 1024
const LF = 0x0a
const CR = 0x0d
const DASH = 0x2d
/** RFC 5322 §2.2: printable US-ASCII without the colon; old mailers put blanks before the colon. */
const NAME = /^[!-9;-~]+[ \t]*:/
const MBOX_LINE = /^>?From /
const NOT_ASCII = /[^\p{ASCII}]/u

/**
 * Reads the fields from `start` to the empty line. RFC 5322 §2.2.
 * @param isDelimiter whether a line is the boundary of a multipart: it ends a header that has no empty line
 * @returns fields in their order, where the body starts, and whether there were too many
 */
export function readFields(raw, start, isDelimiter) {
  const fields = []
  let at = start
  while (at < raw.length) {
    const line = lineAt(raw, at)
    if (line.end === at) return { fields: decoded(fields), bodyStart: line.next, cut: false }
    if (raw[at] === DASH && isDelimiter(at)) break
    if (fields.length > MAX_FIELDS || at - start > MAX_HEADER_BYTES) {
      return { fields: decoded(fields), bodyStart: afterHeader(raw, at), cut: true }
    }
    if (!addLine(raw, at, line, fields)) break
    at = line.next
  }
  return { fields: decoded(fields), bodyStart: at, cut: false }
}

/** The value of the first field of a name (in lower case): unfolded, its encoded words as they came. */
export const fieldValue = (fields, key) => fieldValues(fields, key)[0]

export const fieldValues = (fields, key) =>
  fields.filter((field) => field.key === key).map(({ line }) => unfolded(line))

/** RFC 5322 §2.2.3, and the white space at a fold as one blank. */
export function unfolded(line) {
  const value = line.slice(line.indexOf(':') + 1)
  if (!value.includes('\n')) return value.trim()
  return value.split('\n').map(trim).filter(Boolean).join(' ')
}

const trim = (text) => text.trim()

function lineAt(raw, at) {
  const found = raw.indexOf(LF, at)
  const next = found < 0 ? raw.length : found + 1
  const feed = found < 0 ? raw.length : found
  return { end: feed > at && raw[feed - 1] === CR ? feed - 1 : feed, next }
}

/** False where the line is no header line any more: the body has begun without an empty line before it. */
function addLine(raw, at, line, fields) {
  const text = raw.toString('latin1', at, Math.min(line.end, at + MAX_LINE))
  const last = fields.at(-1)
  if (last !== undefined && (text[0] === ' ' || text[0] === '\t')) {
    last.lines.push(text)
    return true
  }
  if (NAME.test(text)) {
    fields.push({ key: text.slice(0, text.indexOf(':')).trim().toLowerCase(), lines: [text] })
    return true
  }
  // A stray line between fields is a field broken in two; followed by another one it is the body.
  return (last === undefined && MBOX_LINE.test(text)) || isField(raw, line.next)
}

const isField = (raw, at) =>
  NAME.test(raw.toString('latin1', at, Math.min(lineAt(raw, at).end, at + 100)))

function decoded(fields) {
  const type = fields.find(({ key }) => key === 'content-type')?.lines.join(' ') ?? ''
  const charset = /charset\s*=\s*"?([\w.:-]{1,40})/i.exec(type.slice(0, 1_000))?.[1]
  return fields.map(({ key, lines }) => ({ key, line: letters(lines, charset) }))
}

/** Fields are ASCII (RFC 5322) or UTF-8 (RFC 6532); old mailers write them in the set of the text. */
function letters(lines, charset) {
  const line = lines.join('\r\n')
  if (!NOT_ASCII.test(line)) return line
  const bytes = Buffer.from(line, 'latin1')
  return isUtf8(bytes) ? bytes.toString() : decodeCharset(bytes, charset)
}

function afterHeader(raw, at) {
  const ends = ['\n\n', '\n\r\n'].map((gap) => [raw.indexOf(gap, at - 1), gap.length])
  const found = ends.filter(([index]) => index >= 0).map(([index, length]) => index + length)
  return found.length === 0 ? raw.length : Math.min(...found)
}
