// From what somebody wants to say to the bytes of a mail. RFC 5322, MIME.
import { isUtf8 } from 'node:buffer'
import MailComposer from 'nodemailer/lib/mail-composer'
import type { Mailbox } from '../messages/address.ts'
import type { AttachedFile } from './attached/file.ts'
import { headerText } from './header-text.ts'
import type { ThreadingHeaders } from './reply.ts'

export interface Draft {
  from: Mailbox
  to: readonly Mailbox[]
  cc: readonly Mailbox[]
  replyTo: readonly Mailbox[]
  subject: string
  /** Empty: the HTML alone. */
  text: string
  html: string | null
  /** In the order in which they stand in the mail. */
  files: readonly AttachedFile[]
  /** Fields of the allow-list. */
  headers: Readonly<Record<string, string>>
  messageId: string
  date: Date
  threading: ThreadingHeaders
  /** RFC 3834 §5: said of answers that no person wrote, so that other machines do not answer them. */
  autoReplied: boolean
}

/**
 * The mail as bytes, lines ended by CRLF, headers and bodies in 7-bit encodings; an international address stands in its
 * field as it is, in UTF-8 (RFC 6532), since there is no other way to write it. Blind copies are nobody's business here.
 */
export function compose(draft: Draft): Promise<Buffer> {
  const { threading, text, html } = draft
  return new MailComposer({
    from: asAddress(draft.from),
    to: draft.to.map(asAddress),
    cc: draft.cc.map(asAddress),
    replyTo: draft.replyTo.map(asAddress),
    subject: draft.subject,
    date: draft.date,
    messageId: draft.messageId,
    references: threading.references,
    headers: {
      ...draft.headers,
      ...inOneLine(draft.headers, 'List-Unsubscribe'),
      ...(draft.autoReplied && { 'Auto-Submitted': 'auto-replied' }),
    },
    ...(threading.inReplyTo === null ? {} : { inReplyTo: threading.inReplyTo }),
    ...(text === '' ? {} : { text: body(text) }),
    ...(html === null ? {} : { html: body(html) }),
    attachments: draft.files.map(asPart),
    newline: 'win',
    disableFileAccess: true,
    disableUrlAccess: true,
  })
    .compile()
    .build()
}

/** A link that is longer than a line would stand below the name of its field, where some mail programs do not look for it. */
function inOneLine(headers: Draft['headers'], name: string) {
  const value = headers[name]
  if (value === undefined || !PRINTABLE.test(value)) return {}
  return { [name]: { prepared: true, foldLines: false, value } }
}

const PRINTABLE = /^[ -~]+$/

/** Text as it is kept: lines ended by LF, no U+0000 and no half of a surrogate pair. */
export function cleanText(text: string): string {
  return text.replace(/\r\n?/g, '\n').replaceAll('\0', '\uFFFD').toWellFormed()
}

/** Pictures of the HTML first: their multipart stands before what is attached. RFC 2387. */
export function inWireOrder(files: readonly AttachedFile[]): AttachedFile[] {
  const shown = files.filter(({ contentId }) => contentId !== null)
  return [...shown, ...files.filter(({ contentId }) => contentId === null)]
}

/** Not format=flowed, whose soft breaks lose the marks of quoted lines in most programs: quoted-printable says every line as it is. */
function body(text: string) {
  const content = text.replaceAll('\n', '\r\n')
  return FRAGILE.test(content) ? { content, contentTransferEncoding: 'quoted-printable' } : content
}

/** What servers change on the way in text that is not encoded: blanks before the end of a line, and "From " at its start. */
const FRAGILE = /[ \t](\r\n|$)|(^|\n)From /

/** The name stands in Content-Disposition alone: as `name` of Content-Type it would be an encoded word in quotes. RFC 2047 §5. */
function asPart({ filename, contentType, bytes, contentId }: AttachedFile) {
  const shown = contentId !== null
  const kind = shown ? 'inline' : 'attachment'
  const disposition = `${kind}; filename=${JSON.stringify(filename)}`
  return {
    filename: false as const,
    content: bytes,
    contentType: wireType(contentType, bytes),
    contentTransferEncoding: 'base64' as const,
    // The library takes it apart and writes the name by RFC 2231; its type knows the bare words only.
    contentDisposition: disposition as typeof kind,
    ...(shown && { cid: contentId }),
  }
}

/**
 * A mail or a multipart may not be encoded (RFC 2046 §5.2.1), and as it is it may have lines that no server takes: it
 * travels as plain bytes, and its name says what it is. A text says its charset where that is certain.
 */
function wireType(contentType: string, bytes: Buffer): string {
  if (/^(message|multipart)\//.test(contentType)) return 'application/octet-stream'
  return contentType.startsWith('text/') && isUtf8(bytes)
    ? `${contentType}; charset=utf-8`
    : contentType
}

const asAddress = ({ email, name = '' }: Mailbox) => ({
  address: email,
  name: headerText(name),
})
