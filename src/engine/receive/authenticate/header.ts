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
  /** Where the body starts; the length of the mail where there is none. */
  bodyStart: number
}

const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const TAB = 0x09
const COLON = ':'

/** The fields in their order, each line once looked at. A first line that is folded belongs to no field. */
export function headerOf(raw: Buffer): Header {
  const fields: Field[] = []
  let start = 0
  for (let at = 0; at < raw.length; ) {
    const end = lineEnd(raw, at)
    if (isEmptyLine(raw, at)) return { fields: withLast(fields, raw, start, at), bodyStart: end }
    if (at > start && !isFolded(raw, at)) {
      fields.push(fieldOf(raw, start, at))
      start = at
    }
    at = end
  }
  return { fields: withLast(fields, raw, start, raw.length), bodyStart: raw.length }
}

/** A field's value, unfolded, as UTF-8. RFC 5322 §2.2.3. */
export function unfolded({ line }: Field): string {
  const text = line.toString()
  return text
    .slice(text.indexOf(COLON) + 1)
    .replace(/\r?\n/g, '')
    .trim()
}

function withLast(fields: Field[], raw: Buffer, start: number, end: number): Field[] {
  if (end > start) fields.push(fieldOf(raw, start, end))
  return fields
}

function fieldOf(raw: Buffer, start: number, end: number): Field {
  const line = raw.subarray(start, trimmedEnd(raw, start, end))
  const colon = line.indexOf(COLON)
  const casedKey = line.toString('latin1', 0, colon < 0 ? line.length : colon).trim()
  return { key: casedKey.toLowerCase(), casedKey, line }
}

function trimmedEnd(raw: Buffer, start: number, end: number): number {
  let at = end
  if (at > start && raw[at - 1] === LF) at -= 1
  if (at > start && raw[at - 1] === CR) at -= 1
  return at
}

function lineEnd(raw: Buffer, from: number): number {
  const at = raw.indexOf(LF, from)
  return at < 0 ? raw.length : at + 1
}

const isFolded = (raw: Buffer, at: number) => raw[at] === SPACE || raw[at] === TAB
const isEmptyLine = (raw: Buffer, at: number) =>
  raw[at] === LF || (raw[at] === CR && raw[at + 1] === LF)
