// One mail between its bytes and its place in an mbox. The quoting is mboxrd's, which loses nothing.

const LF = 0x0a
const CR = 0x0d
const MARK = 0x3e // >
const FROM = 'From '

/** How a mail stood in the file it was imported from, as far as it was not the usual; enough to write it the same again. */
export interface MboxForm {
  /** The separator line, a byte a character. */
  line: string
  /** Its line end; absent: LF. */
  eol?: '\r\n'
  /** What stood between the mail and the next separator; absent: an empty line that ends as the separator does. */
  gap?: '' | '\n' | '\r\n'
  /** The file ended behind this mail without an empty line. */
  cut?: true
  /** Lines that begin with "From " stood there without a mark, so that marks are text. */
  unquoted?: true
}

export interface MboxEntry {
  raw: Buffer
  form: MboxForm
}

interface Found {
  line: string
  eol: '\n' | '\r\n'
  /** What stands between the separator and the next one, or the end of the file. */
  content: Buffer
  atEnd: boolean
}

/** A mail as it was sent, from how it stands in the file. */
export function entryOf({ line, eol, content, atEnd }: Found): MboxEntry {
  const gap = gapOf(content)
  const cut = atEnd && gap === ''
  const body = content.subarray(0, content.length - gap.length)
  const plain = marks(body)
  const unquoted = plain.some(({ count }) => count === 0)
  return {
    raw: unquoted ? body : withoutMarks(body, plain),
    form: {
      line,
      ...(eol === '\n' ? {} : { eol }),
      ...(cut ? { cut } : {}),
      ...(cut || gap === eol ? {} : { gap }),
      ...(unquoted ? { unquoted } : {}),
    },
  }
}

/** The empty line that an mbox puts behind a mail, where it is there. */
function gapOf(content: Buffer): '' | '\n' | '\r\n' {
  const text = content.toString('latin1', Math.max(0, content.length - 4))
  if (/(^|\n)\r\n$/.test(text)) return '\r\n'
  return /(^|\n)\n$/.test(text) ? '\n' : ''
}

/** The form of a mail that was never in an mbox: its own line ends all through. */
export function formOf(raw: Buffer, line: string): MboxForm {
  const end = raw.indexOf(LF)
  return end > 0 && raw[end - 1] === CR ? { line, eol: '\r\n' } : { line }
}

/**
 * The bytes of a mail in an mbox, separator and empty line included.
 * @param last false: another mail follows, so what the end of the imported file lacked is added
 */
export function written({ raw, form }: MboxEntry, last: boolean): Buffer {
  const body = form.unquoted ? raw : withMarks(raw, marks(raw))
  return Buffer.concat([
    Buffer.from(`${form.line}${form.eol ?? '\n'}`, 'latin1'),
    body,
    Buffer.from(endOf(form, last, body.length > 0 && body.at(-1) !== LF), 'latin1'),
  ])
}

/** @param open the mail's last line has no end */
function endOf(form: MboxForm, last: boolean, open: boolean): string {
  const { eol = '\n' as string, gap = eol, cut } = form
  if (cut && last) return ''
  return open ? `${eol}${gap}` : gap
}

interface Mark {
  /** Where the line begins. */
  start: number
  /** How many > stand before "From ". */
  count: number
}

/** The lines that are "From " behind any number of >. */
function marks(bytes: Buffer): Mark[] {
  const found: Mark[] = []
  for (let at = bytes.indexOf(FROM); at >= 0; at = bytes.indexOf(FROM, at + FROM.length)) {
    let start = at
    while (start > 0 && bytes[start - 1] === MARK) start -= 1
    if (start === 0 || bytes[start - 1] === LF) found.push({ start, count: at - start })
  }
  return found
}

function withoutMarks(bytes: Buffer, quoted: readonly Mark[]): Buffer {
  if (quoted.length === 0) return bytes
  const cuts = [...quoted.map(({ start }) => start), bytes.length]
  return Buffer.concat([
    bytes.subarray(0, cuts[0]),
    ...quoted.map(({ start }, n) => bytes.subarray(start + 1, cuts[n + 1])),
  ])
}

function withMarks(bytes: Buffer, plain: readonly Mark[]): Buffer {
  if (plain.length === 0) return bytes
  const cuts = [...plain.map(({ start }) => start), bytes.length]
  return Buffer.concat([
    bytes.subarray(0, cuts[0]),
    ...plain.flatMap(({ start }, n) => [Buffer.of(MARK), bytes.subarray(start, cuts[n + 1])]),
  ])
}
