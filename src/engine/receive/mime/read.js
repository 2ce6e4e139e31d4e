// From the bytes of a mail to what it says: people, subject, texts, attachments. One pass, no stream, no clock.
import libmime from 'libmime'
import { decodeCharset } from './charset.js'
import { fieldValue } from './fields.js'
import { filenameOf } from './parameters.js'
import { people } from './people.js'
import { decodeTransfer } from './transfer.js'
import { walk } from './walk.js'
import { decodeWords } from './words.js'

/** What is kept of a mail's texts, in letters; the raw mail has the rest. HTML may carry its pictures inside. */
const TEXT_LIMITS = { plain: 1024 * 1024, html: 4 * 1024 * 1024 }
/** Quoted-printable takes three bytes for one. */
const BYTES_A_LETTER = 3
const MAX_SUBJECT = 2_000
/** Read where the whole took too long: it must not take long itself. */
const HEADER_BYTES = 32 * 1024
const REPORT_BYTES = 256 * 1024
const SHOWN = { 'text/plain': 'plain', 'text/html': 'html' }
const REPORTS =
  /^message\/(global-)?(delivery-status|disposition-notification|feedback-report)$|^text\/rfc822-headers$/
const FOUND_BY_NAME = /^application\/(octet-stream|x-unknown|unknown)$/

/**
 * Reads a mail. It takes what is broken as well as it can; an error thrown is a fault of ours.
 * @param raw a Buffer with the bytes as received
 */
export function readMail(raw) {
  const { root, cut } = walk(raw)
  const mail = headerOf(root)
  const texts = collectTexts(raw, root)
  mail.status = cut || texts.cut ? 'partial' : 'ok'
  mail.pieces = texts.pieces
  mail.attachments = attachmentParts(root).map((part) => attachmentOf(raw, part))
  mail.reports = reportsOf(raw, root)
  mail.calendar = calendarOf(raw, root)
  return mail
}

/** The header alone, for a mail whose body took too long. */
export const readHeader = (raw) => headerOf(walk(raw.subarray(0, HEADER_BYTES)).root)

/** An attachment's bytes by its position in `attachments`; undefined where there is none. */
export function readAttachment(raw, position) {
  const part = attachmentParts(walk(raw).root)[position]
  if (part === undefined) return undefined
  const { filename, contentType } = described(part)
  return { filename, contentType, bytes: bytesOf(raw, part) }
}

/** What the header says, of a mail whose body is still to be read. */
const headerOf = ({ fields }) => ({
  status: 'partial',
  headerLines: fields,
  from: people(fields, 'from'),
  to: people(fields, 'to'),
  cc: people(fields, 'cc'),
  replyTo: people(fields, 'reply-to'),
  subject: subjectOf(fields),
  pieces: [],
  attachments: [],
  reports: [],
  calendar: null,
})

/** Every part that holds no others, in the order of the mail. */
export function leavesOf(part) {
  return part.children.length > 0 ? part.children.flatMap(leavesOf) : [part]
}

export const bytesOf = (raw, part, limit = Number.POSITIVE_INFINITY) =>
  decodeTransfer(raw.subarray(part.start, Math.min(part.end, part.start + limit)), part.encoding)

/** Encoded words may hold line breaks; a subject is one line. */
function subjectOf(fields) {
  const lines = decodeWords(fieldValue(fields, 'subject') ?? '').split(/[\r\n]+/)
  return lines
    .map((line) => line.trim())
    .join(' ')
    .trim()
    .slice(0, MAX_SUBJECT)
}

const attachmentParts = (root) => leavesOf(root).filter(isAttachment)

/** A multipart that shows no parts is text: somebody's words stand in it. */
const shownAs = ({ type, children }) =>
  type.value.startsWith('multipart/') && children.length === 0 ? 'plain' : SHOWN[type.value]

const isShown = (part) => shownAs(part) !== undefined && /^(|inline)$/.test(part.disposition.value)

/** A text with a file's name is both: shown, and there to be fetched. */
function isAttachment(part) {
  if (!isShown(part)) return true
  return part.parent !== undefined && filenameOf(part.disposition, part.type) !== null
}

function attachmentOf(raw, part) {
  return {
    ...described(part),
    size: bytesOf(raw, part).length,
    inline: part.disposition.value === 'inline' || isRelated(part),
    contentId: fieldValue(part.fields, 'content-id') ?? null,
  }
}

function described({ type, disposition }) {
  const filename =
    filenameOf(disposition, type) ?? (/ms-tnef$/.test(type.value) ? 'winmail.dat' : null)
  const detected =
    filename !== null && FOUND_BY_NAME.test(type.value) && libmime.detectMimeType(filename)
  return { filename, contentType: detected || type.value }
}

/** Part of how an HTML text looks. RFC 2387, RFC 2392. */
function isRelated(part) {
  if (fieldValue(part.fields, 'content-id') === undefined) return false
  for (let above = part.parent; above; above = above.parent) {
    if (above.type.value === 'multipart/related') return true
  }
  return false
}

function collectTexts(raw, root) {
  const state = { raw, left: { ...TEXT_LIMITS }, cut: false }
  return { pieces: piecesOf(state, root), cut: state.cut }
}

/** What is shown one after the other: each piece in one form, or as alternatives in two. RFC 2046 §5.1.4. */
function piecesOf(state, part) {
  if (part.children.length > 0) {
    const pieces = part.children.flatMap((child) => piecesOf(state, child))
    return part.type.value === 'multipart/alternative' ? asOne(pieces) : pieces
  }
  const form = isShown(part) ? shownAs(part) : undefined
  if (form === undefined) return []
  const text = textOf(state, part, form)
  return [form === 'plain' ? { plain: text, html: null } : { plain: null, html: text }]
}

function asOne(pieces) {
  const plain = joined(pieces.map((piece) => piece.plain))
  const html = joined(pieces.map((piece) => piece.html))
  return plain === null && html === null ? [] : [{ plain, html }]
}

function joined(texts) {
  const present = texts.filter((text) => text !== null)
  return present.length === 0 ? null : present.join('\n')
}

function textOf(state, part, form) {
  const limit = BYTES_A_LETTER * TEXT_LIMITS[form]
  const bytes = bytesOf(state.raw, part, limit)
  const text = lettersOf(part, bytes)
  const kept = text.slice(0, state.left[form])
  state.left[form] -= kept.length
  state.cut ||= kept.length < text.length || part.end - part.start > limit
  return kept
}

function lettersOf({ type }, bytes) {
  const text = withLineFeeds(decodeCharset(bytes, type.parameters.get('charset')))
  if (type.parameters.get('format')?.toLowerCase() !== 'flowed') return text
  return libmime.decodeFlowed(text, type.parameters.get('delsp')?.toLowerCase() === 'yes')
}

/** Every line end as a line feed; a CR by itself, as an old Macintosh wrote it, is rare. */
function withLineFeeds(text) {
  const lines = text.replaceAll('\r\n', '\n')
  return lines.includes('\r') ? lines.replaceAll('\r', '\n') : lines
}

/** What machines wrote about a mail, as text. RFC 3464, RFC 8098, RFC 5965. */
function reportsOf(raw, root) {
  return leavesOf(root)
    .filter(({ type }) => REPORTS.test(type.value))
    .map((part) => ({ contentType: part.type.value, text: machineText(raw, part) }))
}

function calendarOf(raw, root) {
  const part = leavesOf(root).find(({ type }) =>
    /^(text\/calendar|application\/ics)$/.test(type.value),
  )
  return part === undefined ? null : machineText(raw, part)
}

const machineText = (raw, part) => lettersOf(part, bytesOf(raw, part, REPORT_BYTES))
