// From bytes to what a message shows. A mail that cannot be parsed is still a mail.
import { type AddressObject, type ParsedMail, simpleParser } from 'mailparser'
import type { Mailbox } from '../messages/address.ts'
import { autoReplyReason } from './auto-reply.ts'
import { messageIdsIn } from './message-ids.ts'
import type { Ties } from './thread.ts'

export interface Parsed {
  status: 'ok' | 'failed'
  from: Mailbox | null
  to: Mailbox[]
  cc: Mailbox[]
  replyTo: Mailbox[]
  subject: string
  text: string
  html: string | null
  ties: Ties
  autoReply: string | null
  attachments: ParsedAttachment[]
}

export interface ParsedAttachment {
  filename: string | null
  contentType: string
  size: number
  inline: boolean
  contentId: string | null
}

/** The same text again as links or HTML is work that nobody reads. */
const PARSING = { skipTextToHtml: true, skipTextLinks: true, skipImageLinks: true }
const HEADER_END = '\r\n\r\n'

/**
 * Parses a mail. It never throws: where the whole cannot be parsed the header is tried alone,
 * and where that fails too the mail has no more than its bytes.
 */
export async function parseMail(raw: Buffer, mailFrom: string): Promise<Parsed> {
  try {
    return shown(await simpleParser(raw, PARSING), mailFrom, 'ok')
  } catch {
    return parseHeader(raw, mailFrom)
  }
}

async function parseHeader(raw: Buffer, mailFrom: string): Promise<Parsed> {
  const end = raw.indexOf(HEADER_END)
  const header = raw.subarray(0, end < 0 ? raw.length : end + HEADER_END.length)
  try {
    return shown(await simpleParser(header, PARSING), mailFrom, 'failed')
  } catch {
    return NOTHING_READABLE
  }
}

const NOTHING_READABLE: Parsed = {
  status: 'failed',
  from: null,
  to: [],
  cc: [],
  replyTo: [],
  subject: '',
  text: '',
  html: null,
  ties: { messageId: null, inReplyTo: [], references: [] },
  autoReply: null,
  attachments: [],
}

function shown(mail: ParsedMail, mailFrom: string, status: Parsed['status']): Parsed {
  const header = headerReader(mail)
  const [from = null] = mailboxes(mail.from)
  const [messageId = null] = messageIdsIn(header('message-id') ?? '')
  return {
    status,
    from,
    to: mailboxes(mail.to),
    cc: mailboxes(mail.cc),
    replyTo: mailboxes(mail.replyTo),
    subject: oneLine(mail.subject ?? ''),
    text: (mail.text ?? '').trimEnd(),
    html: mail.html === false ? null : mail.html,
    ties: {
      messageId,
      inReplyTo: messageIdsIn(header('in-reply-to') ?? ''),
      references: messageIdsIn(header('references') ?? ''),
    },
    autoReply: autoReplyReason(header, mailFrom),
    attachments: mail.attachments.map((attachment) => ({
      filename: attachment.filename ? oneLine(attachment.filename) : null,
      contentType: attachment.contentType,
      size: attachment.size,
      inline: attachment.related || attachment.contentDisposition === 'inline',
      contentId: attachment.contentId ?? null,
    })),
  }
}

/** The first field of a name, unfolded, without its name. */
function headerReader(mail: ParsedMail): (name: string) => string | undefined {
  return (name) => {
    const field = mail.headerLines.find(({ key }) => key === name)
    return field?.line.slice(field.line.indexOf(':') + 1).replace(/\r?\n/g, ' ')
  }
}

const oneLine = (text: string) => text.replace(/\s*[\r\n]+\s*/g, ' ').trim()

function mailboxes(field: AddressObject | AddressObject[] | undefined): Mailbox[] {
  const objects = field === undefined ? [] : Array.isArray(field) ? field : [field]
  return objects
    .flatMap(({ value }) => value)
    .flatMap((entry) => entry.group ?? [entry])
    .filter((entry) => entry.address)
    .map(({ address = '', name }) =>
      name ? { email: address, name: oneLine(name) } : { email: address },
    )
}
