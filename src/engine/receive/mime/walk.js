// The parts of a mail as a tree of places in its bytes. RFC 2046 §5.
import { fieldValue, readFields } from './fields.js'
import { readParameters } from './parameters.js'

/** Real mails nest up to about ten deep; what is deeper stays in one piece. */
const MAX_DEPTH = 50
const MAX_PARTS = 1_000
/** RFC 2046 §5.1.1 allows 70; mailers were seen that take hundreds. */
const MAX_BOUNDARY = 8_000
/** Where a multipart names no boundary, the first line here that looks like one is it. */
const SNIFF_BYTES = 4_096
const SNIFFED = /(?:^|\n)--([^\s-][^\r\n]{0,200}|-[^\r\n]{5,200}?)[ \t]*\r?\n/
const LF = 0x0a
const CR = 0x0d
const DASH = 0x2d

/**
 * Takes a mail apart. It reads no body: the time grows with the lines that begin with two dashes.
 * @returns the outermost part, and whether there was more than the limits allow
 */
export function walk(raw) {
  const state = { raw, open: [], byBoundary: new Map(), parts: 0, cut: false, full: false }
  const root = openPart(state, 0, undefined)
  let leaf = root
  for (let line = nextDelimiter(state, root.start); line; line = nextDelimiter(state, line.at)) {
    if (leaf !== undefined) leaf.end = Math.max(leaf.start, beforeLine(raw, line.mark))
    closeAbove(state, line.owner)
    if (line.closes) closeTop(state)
    leaf = line.closes ? undefined : nextPart(state, line)
    if (state.full) break
    line.at = leaf?.start ?? line.next
  }
  if (leaf !== undefined) leaf.end = raw.length
  return { root, cut: state.cut }
}

/** The next boundary line of a multipart that is open. */
function nextDelimiter(state, from) {
  if (state.open.length === 0) return undefined
  for (let mark = nextMark(state.raw, from); mark >= 0; mark = nextMark(state.raw, mark + 2)) {
    const line = delimiterAt(state, mark)
    if (line !== undefined) return { ...line, mark }
  }
  return undefined
}

function nextPart(state, { owner, next }) {
  if (state.parts >= MAX_PARTS) {
    state.cut = true
    state.full = true
    return undefined
  }
  return openPart(state, next, owner)
}

/** Reads a part's header; where it is a multipart its boundary counts from here on. */
function openPart(state, start, parent) {
  const { raw, byBoundary, open } = state
  const { fields, bodyStart, cut } = readFields(raw, start, (at) => !!delimiterAt(state, at))
  state.parts += 1
  state.cut ||= cut
  const part = newPart(fields, bodyStart, raw.length, parent)
  parent?.children.push(part)
  if (!part.type.value.startsWith('multipart/')) return part
  const boundary = boundaryOf(raw, part)
  if (part.depth > MAX_DEPTH) state.cut = true
  if (boundary === undefined || part.depth > MAX_DEPTH) return part
  part.boundary = boundary
  open.push(part)
  byBoundary.set(boundary, [...(byBoundary.get(boundary) ?? []), part])
  return part
}

function newPart(fields, start, end, parent) {
  const disposition = readParameters(fieldValue(fields, 'content-disposition') ?? '')
  const encoding = fieldValue(fields, 'content-transfer-encoding') ?? ''
  return {
    fields,
    type: typeOf(fields, disposition, parent),
    disposition,
    encoding: /[a-z][\w-]*/.exec(encoding.toLowerCase())?.[0] ?? '',
    start,
    end,
    depth: (parent?.depth ?? 0) + 1,
    parent,
    children: [],
    boundary: undefined,
  }
}

/** RFC 2045 §5.2; in a digest the default is a mail, RFC 2046 §5.1.5. */
function typeOf(fields, disposition, parent) {
  const type = readParameters(fieldValue(fields, 'content-type') ?? '')
  if (/^[^/]+\/[^/]+$/.test(type.value)) return type
  if (/^(multipart|text)$/.test(type.value)) return { ...type, value: COMMON[type.value] }
  const isDigest = parent?.type.value === 'multipart/digest'
  const isFile = disposition.value === 'attachment'
  const fallback = isDigest ? 'message/rfc822' : isFile ? 'application/octet-stream' : 'text/plain'
  return { ...type, value: fallback }
}

const COMMON = { multipart: 'multipart/mixed', text: 'text/plain' }

function boundaryOf(raw, { type, start }) {
  const given = type.parameters.get('boundary')?.trimEnd()
  if (given) return Buffer.from(given).toString('latin1', 0, MAX_BOUNDARY)
  return SNIFFED.exec(raw.toString('latin1', start, start + SNIFF_BYTES))?.[1]?.trimEnd()
}

/** The next line that begins with two dashes. */
function nextMark(raw, at) {
  const here = raw[at] === DASH && raw[at + 1] === DASH && (at === 0 || raw[at - 1] === LF)
  if (here) return at
  const found = raw.indexOf('\n--', Math.max(0, at - 1))
  return found < 0 ? -1 : found + 1
}

/** The line at `mark` where it is the boundary of an open multipart: whose, and whether it closes it. */
function delimiterAt({ raw, byBoundary }, mark) {
  if (byBoundary.size === 0 || raw[mark + 1] !== DASH) return undefined
  const limit = mark + MAX_BOUNDARY + 10
  const found = raw.subarray(0, limit).indexOf(LF, mark)
  if (found < 0 && limit < raw.length) return undefined
  const text = raw.toString('latin1', mark + 2, found < 0 ? raw.length : found).trimEnd()
  const next = found < 0 ? raw.length : found + 1
  const opens = byBoundary.get(text)?.at(-1)
  if (opens) return { owner: opens, closes: false, next }
  if (!text.endsWith('--')) return undefined
  const owner = byBoundary.get(text.slice(0, -2).trimEnd())?.at(-1)
  return owner && { owner, closes: true, next }
}

/** A multipart whose closing line is missing ends where one around it goes on. */
function closeAbove(state, owner) {
  while (state.open.length > 0 && state.open.at(-1) !== owner) closeTop(state)
}

function closeTop({ open, byBoundary }) {
  const { boundary } = open.pop()
  const others = byBoundary.get(boundary).slice(0, -1)
  if (others.length === 0) byBoundary.delete(boundary)
  else byBoundary.set(boundary, others)
}

/** The line break before a boundary belongs to the boundary. RFC 2046 §5.1.1. */
function beforeLine(raw, mark) {
  if (raw[mark - 1] !== LF) return mark
  return raw[mark - 2] === CR ? mark - 2 : mark - 1
}
