// The header of a mail as bytes, field by field. RFC 5322 §2.2.

export interface Field {
  /** In lower case, without white space. */
  key: string
  casedKey: string
  /** The whole field with its folded lines, without the line end. */
  line: Buffer
}

export interface Header {
  fields: Field[]
  /** Where the body starts; undefined where the header is larger than what is read. */
  bodyStart: number | undefined
}

/** More than any honest mail has; what follows is not read, neither here nor for what is shown. */
export const MAX_HEADER_BYTES = 512 * 1024
const MAX_FIELDS = 2_000

const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const TAB = 0x09
const COLON = ':'

/** The fields in their order: at most 2,000, out of at most 512 KiB. */
export function headerOf(raw: Buffer): Header {
  const head = raw.subarray(0, MAX_HEADER_BYTES)
  const fields: Field[] = []
  let bodyStart = 0
  for (const [start, end] of fieldRanges(head)) {
    if (fields.length === MAX_FIELDS) return { fields, bodyStart: undefined }
    fields.push(fieldOf(head, start, end))
    bodyStart = end
  }
  if (bodyStart < head.length) return { fields, bodyStart: nextLine(head, bodyStart) }
  return { fields, bodyStart: head.length < raw.length ? undefined : raw.length }
}

/** Where each field starts and ends, its line end included; each line is looked at once. */
export function* fieldRanges(raw: Buffer): Generator<[start: number, end: number]> {
  let start = 0
  for (let at = 0; at < raw.length; at = nextLine(raw, at)) {
    if (at > start && !isFolded(raw, at)) {
      yield [start, at]
      start = at
    }
    if (isEmptyLine(raw, at)) return
  }
  if (raw.length > start) yield [start, raw.length]
}

export function fieldOf(raw: Buffer, start: number, end: number): Field {
  const line = raw.subarray(start, trimmedEnd(raw, start, end))
  const colon = line.indexOf(COLON)
  const casedKey = line.toString('latin1', 0, colon < 0 ? line.length : colon).trim()
  return { key: casedKey.toLowerCase(), casedKey, line }
}

/** In bytes, together. */
export const sizeOf = (fields: readonly Field[]) =>
  fields.reduce((sum, { line }) => sum + line.length, 0)

/** A field's value, unfolded, as UTF-8. RFC 5322 §2.2.3. */
export function unfolded({ line }: Field): string {
  const text = line.toString()
  return text
    .slice(text.indexOf(COLON) + 1)
    .replace(/\r?\n/g, '')
    .trim()
}

function trimmedEnd(raw: Buffer, start: number, end: number): number {
  let at = end
  if (at > start && raw[at - 1] === LF) at -= 1
  if (at > start && raw[at - 1] === CR) at -= 1
  return at
}

function nextLine(raw: Buffer, from: number): number {
  const at = raw.indexOf(LF, from)
  return at < 0 ? raw.length : at + 1
}

const isFolded = (raw: Buffer, at: number) => raw[at] === SPACE || raw[at] === TAB
const isEmptyLine = (raw: Buffer, at: number) =>
  raw[at] === LF || (raw[at] === CR && raw[at + 1] === LF)
