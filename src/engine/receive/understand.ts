// From the bytes of a mail to what a message shows. Pure: the main thread runs it for small mails, a thread for large ones.
import type { Mailbox } from '../messages/address.ts'
import { withoutClaims } from './authenticate/claims.ts'
import { type AutoReply, autoReplyReason } from './auto-reply.ts'
import { type Bounce, readBounce } from './bounce/read.ts'
import { readDate } from './date.ts'
import { fingerprint, sha256 } from './fingerprint.ts'
import { idsOfField, messageIdOf } from './message-ids.ts'
import { unfolded } from './mime/fields.js'
import {
  type HeaderLine,
  type Mail,
  type Piece,
  type ReadAttachment,
  readHeader,
  readMail,
} from './mime/read.js'
import { type ReadText, readText } from './text/read.ts'
import type { Ties } from './thread.ts'

/** All that anybody needs of a mail; `mime/read.d.ts` says what each part holds and where it is cut. */
export interface Parsed {
  /** `partial`: larger than the limits; `failed`: no more than the header. */
  status: 'ok' | 'partial' | 'failed'
  /** The first author: whom the message is shown from. */
  from: Mailbox | null
  /** Every address of every From field: more than one is a flag of promise 13. */
  authors: Mailbox[]
  to: Mailbox[]
  cc: Mailbox[]
  replyTo: Mailbox[]
  subject: string
  date: Date | null
  /** What an agent reads of it. */
  read: ReadText
  /** The HTML parts, text parts between them as HTML; null where all is plain. */
  html: string | null
  ties: Ties
  autoReply: AutoReply | null
  bounce: Bounce | null
  /** Their order is the `position` that `readAttachment` takes. */
  attachments: ReadAttachment[]
  headerLines: HeaderLine[]
  /** Delivery status, disposition and feedback reports, returned headers. RFC 3464, RFC 8098, RFC 5965. */
  reports: Mail['reports']
  /** The first calendar part. RFC 5545. */
  calendar: string | null
}

/** A mail in all that follows from its bytes. */
export interface Taken {
  parsed: Parsed
  rawSha256: string
  /** See `fingerprint`. */
  fingerprint: string
}

/** What came with a mail beside its bytes, and to whom. */
export interface Circumstances {
  mailFrom: string
  /** Our own name: what claims to be ours is not read. */
  hostname: string
}

/** Reads a mail as `understand` does, without what claims to be ours, and knows it again by its bytes. */
export function take(raw: Buffer, { mailFrom, hostname }: Circumstances): Taken {
  return {
    parsed: understand(withoutClaims(raw, hostname), mailFrom),
    rawSha256: sha256(raw),
    fingerprint: fingerprint(raw),
  }
}

/** The whole mail. It takes what is broken as well as it can; an error thrown is a fault of ours. */
function understand(raw: Buffer, mailFrom: string): Parsed {
  const parsed = shown(readMail(raw), mailFrom, readBounce({ raw, mailFrom }))
  if (parsed.read.truncated) parsed.status = 'partial'
  return parsed
}

/** As much of a mail as can be had where reading all of it failed: its header, or nothing. Never throws. */
export function takeHeader(raw: Buffer, { mailFrom, hostname }: Circumstances): Taken {
  const head = withoutClaims(raw.subarray(0, HEADER_BYTES), hostname)
  return {
    parsed: understandHeader(head, mailFrom),
    rawSha256: sha256(raw),
    fingerprint: fingerprint(raw),
  }
}

function understandHeader(head: Buffer, mailFrom: string): Parsed {
  try {
    return { ...shown(readHeader(head), mailFrom, null), status: 'failed' }
  } catch {
    return { ...shown(NOTHING_READABLE, mailFrom, null), status: 'failed' }
  }
}

/** Read where the whole took too long: it must not take long itself. */
const HEADER_BYTES = 32 * 1024

const NOTHING_READABLE: Mail = {
  status: 'partial',
  headerLines: [],
  from: [],
  to: [],
  cc: [],
  replyTo: [],
  subject: '',
  pieces: [],
  attachments: [],
  reports: [],
  calendar: null,
}

/** Field by field: a spread of the mail costs a tenth of reading it. */
function shown(mail: Mail, mailFrom: string, bounce: Bounce | null): Parsed {
  const { headerLines, subject, pieces } = mail
  const header = headerReader(headerLines)
  const html = htmlOf(pieces)
  return {
    status: mail.status,
    from: mail.from[0] ?? null,
    authors: mail.from,
    to: mail.to,
    cc: mail.cc,
    replyTo: mail.replyTo,
    subject,
    date: readDate(header('date') ?? ''),
    read: readText({ text: textOf(pieces), html, subject }),
    html,
    ties: tiesOf(header, bounce),
    autoReply: autoReplyReason(header, mailFrom, bounce),
    bounce,
    attachments: mail.attachments,
    headerLines,
    reports: mail.reports,
    calendar: mail.calendar,
  }
}

/** A report belongs to the conversation of the mail it reports on. */
function tiesOf(header: (name: string) => string | undefined, bounce: Bounce | null): Ties {
  const references = idsOfField(header('references') ?? '')
  const original = bounce?.original_message_id ?? null
  return {
    messageId: messageIdOf(header('message-id') ?? ''),
    inReplyTo: idsOfField(header('in-reply-to') ?? ''),
    references: original === null ? references : [...references, original],
  }
}

/** The first field of a name, unfolded, without its name. */
function headerReader(lines: readonly HeaderLine[]): (name: string) => string | undefined {
  const firsts = new Map(lines.toReversed().map(({ key, line }) => [key, line]))
  return (name) => {
    const line = firsts.get(name)
    return line === undefined ? undefined : unfolded(line)
  }
}

function textOf(pieces: readonly Piece[]): string | null {
  const texts = pieces.flatMap(({ plain }) => (plain === null ? [] : [plain]))
  return texts.length === 0 ? null : texts.join('\n')
}

/** A text between HTML parts (a list's footer, say) belongs to what is seen. */
function htmlOf(pieces: readonly Piece[]): string | null {
  if (pieces.every(({ html }) => html === null)) return null
  return pieces.map(({ plain, html }) => html ?? asHtml(plain ?? '')).join('\n')
}

const asHtml = (text: string) =>
  `<div style="white-space:pre-wrap">${text.replace(/[<>&]/g, (letter) => ENTITIES[letter] ?? '')}</div>`

const ENTITIES: Record<string, string> = { '<': '&lt;', '>': '&gt;', '&': '&amp;' }
