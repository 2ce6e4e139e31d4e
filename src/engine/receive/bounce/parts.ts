// Takes a report apart: what it says to people, what it says to machines, what it returns.
import { decodeBody, htmlLines } from './decode.ts'
import { type Header, readHeader } from './header.ts'

/** A report says what it says at its start; behind it stands the returned mail. */
const MAX_READ = 512 * 1024
const MAX_DEPTH = 6
const MAX_PARTS = 60
/** HTML notices with their styles have up to 60 KiB. */
const MAX_NOTICE = 128 * 1024
/** Enough of a returned mail for its header. */
const MAX_RETURNED = 64 * 1024

export interface Report {
  /** The notices for people, as text; a plain one before its HTML twin. */
  notices: string[]
  /** Bodies of message/delivery-status and its utf-8 twin. RFC 3464 §2, RFC 6533 §3. */
  statuses: string[]
  /** Bodies of message/disposition-notification. RFC 8098 §3. */
  dispositions: string[]
  /** Bodies of message/feedback-report. RFC 5965 §3. */
  feedback: string[]
  /** What came back of the mail: header, or header and body. */
  returned: string[]
}

interface Walk {
  report: Report
  parts: number
}

/**
 * Reads the parts of a mail; no more than its first 512 KiB, 60 parts and 6 levels.
 * @param raw the mail as it came
 */
export function readParts(raw: Buffer): Report {
  const report: Report = {
    notices: [],
    statuses: [],
    dispositions: [],
    feedback: [],
    returned: [],
  }
  readEntity(raw.subarray(0, MAX_READ).toString('latin1'), { report, parts: 0 }, 0)
  return report
}

function readEntity(entity: string, walk: Walk, depth: number): void {
  walk.parts += 1
  if (walk.parts > MAX_PARTS) return
  const { header, body } = divided(entity)
  const type = header('content-type') ?? ''
  const boundary = /^\s*multipart\//i.test(type) ? boundaryOf(type) : undefined
  const parts = boundary === undefined ? [] : partsBetween(body, boundary)
  if (parts.length === 0 || depth >= MAX_DEPTH) readLeaf(type, header, body, walk, depth)
  else for (const part of parts) readEntity(part, walk, depth + 1)
}

function divided(entity: string): { header: Header; body: string } {
  // A part that begins with an empty line has no header. RFC 2046 §5.1.
  const bodyOnly = /^\r?\n/.exec(entity)
  if (bodyOnly) return { header: () => undefined, body: entity.slice(bodyOnly[0].length) }
  const gap = /\r?\n\r?\n/.exec(entity)
  if (gap === null) return { header: readHeader(entity), body: '' }
  const body = entity.slice(gap.index + gap[0].length)
  return { header: readHeader(entity.slice(0, gap.index)), body }
}

const boundaryOf = (type: string) => {
  const [, quoted, bare] = /boundary\s*=\s*(?:"([^"]{1,200})"|([^\s;"]{1,200}))/i.exec(type) ?? []
  return (quoted ?? bare)?.trimEnd()
}

/** RFC 2046 §5.1.1: the texts between the lines that begin with the boundary. */
function partsBetween(body: string, boundary: string): string[] {
  const mark = `--${boundary}`
  const parts: string[] = []
  let start = -1
  for (let at = body.indexOf(mark); at >= 0; at = body.indexOf(mark, at + mark.length)) {
    if (at > 0 && body.charCodeAt(at - 1) !== 0x0a) continue
    if (start >= 0) parts.push(body.slice(start, at))
    if (parts.length >= MAX_PARTS || body.startsWith('--', at + mark.length)) return parts
    const line = body.indexOf('\n', at)
    start = line < 0 ? body.length : line + 1
  }
  if (start >= 0) parts.push(body.slice(start))
  return parts
}

/** Where the body of a part goes, by its type. */
const KINDS: Record<string, keyof Report> = {
  'message/delivery-status': 'statuses',
  'message/global-delivery-status': 'statuses',
  'message/disposition-notification': 'dispositions',
  'message/global-disposition-notification': 'dispositions',
  'message/feedback-report': 'feedback',
  'text/rfc822-headers': 'returned',
  'message/rfc822-headers': 'returned',
  'message/global-headers': 'returned',
  'message/rfc822': 'returned',
  'message/global': 'returned',
  'message/partial': 'returned',
}

function readLeaf(type: string, header: Header, body: string, walk: Walk, depth: number) {
  const kind = /^\s*([\w.+-]+\/[\w.+-]+)/.exec(type)?.[1]?.toLowerCase() ?? 'text/plain'
  const place = KINDS[kind] ?? (/^(?:text|multipart)\//.test(kind) ? 'notices' : undefined)
  if (place === undefined) return
  const read = place === 'notices' ? body.slice(0, MAX_NOTICE) : body
  const text = decodeBody(read, header('content-transfer-encoding'), type)
  if (place === 'returned') readReturned(text.trimStart(), kind, walk, depth)
  else walk.report[place].push(kind === 'text/html' ? htmlLines(text) : text)
}

/**
 * A gateway may hang the whole report under another mail; then the report is what counts, not the
 * mail around it. What comes after a status of its own is the returned mail, whatever that is.
 */
function readReturned(mail: string, kind: string, walk: Walk, depth: number) {
  const { statuses, returned } = walk.report
  const wrapped =
    kind === 'message/rfc822' &&
    depth < MAX_DEPTH &&
    statuses.length === 0 &&
    returned.length === 0 &&
    /multipart\/report/i.test(divided(mail).header('content-type') ?? '')
  if (wrapped) readEntity(mail, walk, depth + 1)
  else returned.push(mail.slice(0, MAX_RETURNED))
}
