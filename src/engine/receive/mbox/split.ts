// Reading an mbox as a stream: one mail after the other, with no more of the file in memory than one mail.
import { entryOf, type MboxEntry } from './entry.ts'
import { isSeparator } from './separator.ts'

const LF = 0x0a
const CR = 0x0d
const MIB = 1024 * 1024
/** A larger mail is passed over: no mail system takes one. */
const MAX_MAIL_BYTES = 150 * MIB
/** No separator is longer; a longer line is text. */
const MAX_LINE_BYTES = 1_000
const FROM = 'From '
const SEPARATOR = Buffer.from(`\n${FROM}`)

export type MboxPiece =
  | (MboxEntry & { kind: 'mail'; end: number })
  | { kind: 'too_large'; at: number; bytes: number; end: number }

/** The file does not begin as an mbox does. */
export class NotAnMbox extends Error {
  override readonly name = 'NotAnMbox'
}

/**
 * The mails of an mbox in their order, quoting taken off (mboxrd; also right for mboxo and mboxcl, which quote as
 * well). `end` is the offset in bytes behind the mail. Content-Length is not believed: a sender may write any.
 * Throws NotAnMbox.
 */
export async function* splitMbox(source: AsyncIterable<Uint8Array>): AsyncIterable<MboxPiece> {
  let held: Held | undefined
  let bytes: Buffer = Buffer.alloc(0)
  for await (const chunk of source) {
    bytes = held === undefined ? begun(Buffer.concat([bytes, chunk])) : bytes
    if (held === undefined) {
      if (bytes.length < FROM.length) continue
      held = hold(bytes)
    } else held.add(chunk)
    yield* held.complete(false)
  }
  if (held === undefined && bytes.length > 0) throw notAnMbox()
  if (held !== undefined) yield* held.complete(true)
}

/** Empty lines before the first mail belong to nothing. */
function begun(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== LF && byte !== CR)
  const rest = first < 0 ? bytes.subarray(bytes.length) : bytes.subarray(first)
  const start = rest.toString('latin1', 0, FROM.length)
  if (!FROM.startsWith(start) || (rest.length >= FROM.length && start !== FROM)) throw notAnMbox()
  return rest
}

const notAnMbox = () =>
  new NotAnMbox('This is no mbox: it does not begin with a line "From sender date".')
