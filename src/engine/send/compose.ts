// From what somebody wants to say to the bytes of a mail. RFC 5322, MIME.
import MailComposer from 'nodemailer/lib/mail-composer'
import type { Mailbox } from '../messages/address.ts'
import type { ThreadingHeaders } from './reply.ts'

export interface Draft {
  from: Mailbox
  to: readonly Mailbox[]
  cc: readonly Mailbox[]
  replyTo: readonly Mailbox[]
  subject: string
  text: string | null
  html: string | null
  messageId: string
  date: Date
  threading: ThreadingHeaders
  /** RFC 3834 §5: said of answers that no person wrote, so that other machines do not answer them. */
  autoReplied: boolean
}

/** The mail as bytes, lines ended by CRLF, headers and bodies in 7-bit encodings. Blind copies are nobody's business here. */
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
    headers: draft.autoReplied ? { 'Auto-Submitted': 'auto-replied' } : {},
    ...(threading.inReplyTo === null ? {} : { inReplyTo: threading.inReplyTo }),
    ...(text === null ? {} : { text: withCrlf(text) }),
    ...(html === null ? {} : { html: withCrlf(html) }),
    newline: 'win',
    disableFileAccess: true,
    disableUrlAccess: true,
  })
    .compile()
    .build()
}

/** Text as it is kept: lines ended by LF, no U+0000 and no half of a surrogate pair. */
export function cleanText(text: string): string {
  return text.replace(/\r\n?/g, '\n').replaceAll('\0', '\uFFFD').toWellFormed()
}

const withCrlf = (text: string) => text.replaceAll('\n', '\r\n')
const asAddress = ({ email, name = '' }: Mailbox) => ({
  address: email,
  name: name.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').toWellFormed(),
})
