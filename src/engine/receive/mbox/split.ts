// Reading an mbox as a stream: one mail after the other, with no more of the file in memory than one mail.
import { entryOf, type MboxEntry } from './entry.ts'
import { isSeparator } from './separator.ts'

const LF = 0x0a
const CR = 0x0d
const MIB = 1024 * 1024
/** A larger mail is passed over: no mail system takes one of that size. */
const MAX_MAIL_BYTES = 150 * MIB
/** No separator is longer; a longer line is text. */
const MAX_LINE_BYTES = 1_000
/** Two such lines: whether one begins a mail can be told. */
const UNDECIDED_BYTES = 2 * MAX_LINE_BYTES + 4
const FROM = 'From '
const SEPARATOR = Buffer.from(`\n${FROM}`)

export type MboxPiece = ({ kind: 'mail' } & MboxEntry) | { kind: 'too_large'; bytes: number }

/** The file does not begin as an mbox does. */
export class NotAnMbox extends Error {
  override readonly name = 'NotAnMbox'
}

/**
 * The mails of an mbox in their order, quoting taken off (mboxrd; also right for mboxo and mboxcl, which quote as
 * well). Content-Length is not believed: a sender may write any. Throws NotAnMbox.
 */
export async function* splitMbox(source: AsyncIterable<Uint8Array>): AsyncIterable<MboxPiece> {
  const mails = createSplitter()
  let start: Buffer | undefined = Buffer.alloc(0)
  for await (const chunk of source) {
    if (start === undefined) yield* mails.take(chunk)
    else {
      start = withoutEmptyLines(Buffer.concat([start, chunk]))
      if (start.length < FROM.length) continue
      yield* mails.take(checked(start))
      start = undefined
    }
  }
  if (start !== undefined && start.length > 0) checked(start)
  yield* mails.end()
}

/** Those before the first mail belong to nothing. */
function withoutEmptyLines(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== LF && byte !== CR)
  return first < 0 ? bytes.subarray(bytes.length) : bytes.subarray(first)
}

function checked(start: Buffer): Buffer {
  if (start.toString('latin1', 0, FROM.length) === FROM) return start
  throw new NotAnMbox('it does not begin with a line "From sender date"')
}

function createSplitter() {
  /** Begins with a separator. */
  let held: Buffer = Buffer.alloc(0)
  /** Up to here there is no further separator. */
  let searched = 0
  /** Bytes of a mail that is too large, let go of already. */
  let dropped = 0

  function* take(chunk: Uint8Array, ended = false): Iterable<MboxPiece> {
    held = Buffer.concat([held, chunk])
    for (let next = find(ended); next !== undefined; next = find(ended)) {
      yield piece(held.subarray(0, next), false)
      held = held.subarray(next)
      searched = 0
      dropped = 0
    }
    if (held.length <= MAX_MAIL_BYTES || ended) return
    dropped += held.length - UNDECIDED_BYTES
    held = held.subarray(held.length - UNDECIDED_BYTES)
    searched = 0
  }

  /** Where the next mail begins; undefined where that cannot be told yet, or there is none. */
  function find(ended: boolean): number | undefined {
    for (
      let at = held.indexOf(SEPARATOR, searched);
      at >= 0;
      at = held.indexOf(SEPARATOR, at + 1)
    ) {
      searched = at
      const lines = linesFrom(held, at + 1)
      if (!lines.whole && !ended && held.length - at < UNDECIDED_BYTES) return undefined
      if (isSeparator(lines.first, isAfterEmptyLine(held, at), lines.second)) return at + 1
    }
    searched = Math.max(0, held.length - SEPARATOR.length)
    return undefined
  }

  function piece(bytes: Buffer, atEnd: boolean): MboxPiece {
    if (dropped > 0) return { kind: 'too_large', bytes: dropped + bytes.length }
    const { first, eol, length } = linesFrom(bytes, 0)
    const content = bytes.subarray(Math.min(bytes.length, length + eol.length))
    return { kind: 'mail', ...entryOf({ line: first, eol, content, atEnd }) }
  }

  return {
    take,
    *end(): Iterable<MboxPiece> {
      yield* take(Buffer.alloc(0), true)
      if (held.length > 0) yield piece(held, true)
    },
  }
}

/** The line at `start` and the one behind it, a byte a character. */
function linesFrom(bytes: Buffer, start: number) {
  const end = bytes.indexOf(LF, start)
  const until = end < 0 ? bytes.length : end
  const eol = bytes[until - 1] === CR ? '\r\n' : '\n'
  const length = until - start - (eol === '\n' ? 0 : 1)
  const nextEnd = end < 0 ? -1 : bytes.indexOf(LF, end + 1)
  const text = (from: number, to: number) =>
    bytes.toString('latin1', from, Math.min(to, from + MAX_LINE_BYTES))
  return {
    first: text(start, start + length),
    second: end < 0 ? '' : text(end + 1, nextEnd < 0 ? bytes.length : nextEnd),
    whole: nextEnd >= 0,
    eol: eol as '\n' | '\r\n',
    length,
  }
}

/** @param at the line end before the line in question */
const isAfterEmptyLine = (bytes: Buffer, at: number) =>
  bytes[at - 1] === LF || (bytes[at - 1] === CR && bytes[at - 2] === LF)
