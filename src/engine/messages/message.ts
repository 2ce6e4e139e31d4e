// A message: one mail, in or out, as one inbox sees it. The row, and the message as the outside sees it.
import { z } from 'zod'
import type { AttachmentId, InboxId, KeyId, MessageId, OrgId, ThreadId } from '../ids.ts'
import { Mailbox } from './address.ts'
import { shownFilename } from './filename.ts'

export const MESSAGE_STATUSES = [
  'received',
  'scheduled',
  'pending_review',
  'rejected',
  'expired',
  'cancelled',
  'queued',
  'sending',
  'sent',
  'delivered',
  'deferred',
  'bounced',
  'failed',
  'dry_run',
] as const
export type MessageStatus = (typeof MESSAGE_STATUSES)[number]

export const MATCH_METHODS = [
  'explicit',
  'in_reply_to',
  'references',
  'referenced_by',
  'reply_token',
  'new',
] as const
export type MatchMethod = (typeof MATCH_METHODS)[number]

/** `answers`: what was written below a line of the quote, with that line. */
export const Quoted = z.object({
  text: z.string(),
  answers: z.array(z.object({ line: z.string(), text: z.string() })).optional(),
})
export type Quoted = z.infer<typeof Quoted>

const Code = z.object({ value: z.string(), kind: z.string(), confidence: z.number() })
export type Code = z.infer<typeof Code>

const Link = z.object({ text: z.string(), url: z.string(), domain: z.string() })
export type Link = z.infer<typeof Link>

const Bounce = z.object({
  recipients: z.array(
    z.object({
      email: z.string(),
      permanent: z.boolean(),
      code: z.number().nullable(),
      status: z.string().nullable(),
      reason: z.string(),
    }),
  ),
  original_message_id: z.string().nullable(),
  /** Ours, when known. */
  message_id: z.string().nullable(),
})
export type Bounce = z.infer<typeof Bounce>

const Authentication = z.object({
  spf: z.string(),
  dkim: z.string(),
  dmarc: z.string(),
  arc: z.string(),
  summary: z.enum(['pass', 'fail', 'none', 'temperror']),
  details: z.unknown().optional(),
})
export type Authentication = z.infer<typeof Authentication>

export interface MessageRow {
  org_id: OrgId
  id: MessageId
  inbox_id: InboxId
  thread_id: ThreadId
  direction: 'inbound' | 'outbound'
  status: MessageStatus
  delivery: 'email' | 'dry-run'
  from: Mailbox | null
  to: Mailbox[]
  cc: Mailbox[]
  bcc: Mailbox[]
  reply_to: Mailbox[]
  subject: string
  text_body: string
  html_body: string | null
  /** What the author added: without quoted history and signature. Null: all of text_body. */
  new_text: string | null
  quoted: Quoted[]
  hidden_text_removed: number
  codes: Code[]
  links: Link[]
  /** With angle brackets, as on the wire; so are in_reply_to and references. */
  message_id_header: string | null
  in_reply_to: string | null
  references: string[]
  match_method: MatchMethod
  match_evidence: string | null
  parse_status: 'ok' | 'partial' | 'failed'
  auto_reply: string | null
  bounce: Bounce | null
  authentication: Authentication | null
  sender_flags: string[]
  /** `mbox`: how an imported mail stood in its file. */
  envelope: { mail_from: string; rcpt_to: string[]; mbox?: object }
  raw_sha256: string
  size: number
  by_agent: boolean
  /** The key that sent it; null for mail that came in. */
  key_id: KeyId | null
  /** When it goes, where it was written for later. */
  send_at: Date | null
  /** Chunks of the knowledge base that its text rests on. */
  citations: string[]
  sent_at: Date | null
  created_at: Date
}

export interface AttachmentRow {
  org_id: OrgId
  id: AttachmentId
  inbox_id: InboxId
  message_id: MessageId
  position: number
  filename: string | null
  content_type: string
  size: number
  inline: boolean
  content_id: string | null
}

export interface RecipientRow {
  org_id: OrgId
  message_id: MessageId
  email: string
  position: number
  status:
    | 'queued'
    | 'sending'
    | 'sent'
    | 'delivered'
    | 'deferred'
    | 'bounced'
    | 'failed'
    | 'dry_run'
    | 'suppressed'
    | 'cancelled'
  code: number | null
  detail: string | null
  updated_at: Date
}

export const Message = z.object({
  id: z.string(),
  thread_id: z.string(),
  inbox_id: z.string(),
  direction: z.enum(['inbound', 'outbound']),
  from: Mailbox.nullable(),
  to: z.array(Mailbox),
  cc: z.array(Mailbox),
  bcc: z.array(Mailbox).optional(),
  reply_to: z.array(Mailbox),
  subject: z.string(),
  text_body: z.string(),
  html_body: z.string().nullable(),
  new_text: z.string(),
  quoted: z.array(Quoted),
  attachments: z.array(
    z.object({
      id: z.string(),
      filename: z.string().nullable(),
      content_type: z.string(),
      size: z.number(),
      inline: z.boolean(),
    }),
  ),
  message_id_header: z.string().nullable(),
  in_reply_to: z.string().nullable(),
  references: z.array(z.string()),
  received_at: z.string().optional(),
  sent_at: z.string().optional(),
  send_at: z.string().optional(),
  created_at: z.string(),
  size: z.number(),
  status: z.enum(MESSAGE_STATUSES),
  delivery: z.enum(['email', 'dry-run']),
  recipients: z
    .array(
      z.object({
        email: z.string(),
        status: z.string(),
        code: z.number().nullable(),
        detail: z.string().nullable(),
      }),
    )
    .optional(),
  match: z.object({ method: z.enum(MATCH_METHODS), evidence: z.string().nullable() }),
  parse_status: z.enum(['ok', 'partial', 'failed']),
  hidden_text_removed: z.number(),
  authentication: Authentication.nullable(),
  sender_flags: z.array(z.string()),
  auto_reply: z.string().nullable(),
  bounce: Bounce.nullable(),
  codes: z.array(Code),
  links: z.array(Link),
  citations: z.array(z.string()),
})
export type Message = z.infer<typeof Message>

/** A message with what hangs on it, shown to the outside. Times are ISO 8601 UTC. */
export function showMessage(
  row: MessageRow,
  attachments: readonly AttachmentRow[],
  recipients: readonly RecipientRow[],
): Message {
  const outbound = row.direction === 'outbound'
  return {
    id: row.id,
    thread_id: row.thread_id,
    inbox_id: row.inbox_id,
    direction: row.direction,
    from: row.from,
    to: row.to,
    cc: row.cc,
    ...(outbound ? { bcc: row.bcc } : {}),
    reply_to: row.reply_to,
    subject: row.subject,
    text_body: row.text_body,
    html_body: row.html_body,
    new_text: row.new_text ?? row.text_body,
    quoted: row.quoted,
    attachments: attachments.map(({ id, filename, content_type, size, inline }) => ({
      id,
      filename: filename === null ? null : (shownFilename(filename) ?? null),
      content_type,
      size,
      inline,
    })),
    message_id_header: row.message_id_header,
    in_reply_to: row.in_reply_to,
    references: row.references,
    ...when(row),
    created_at: row.created_at.toISOString(),
    size: row.size,
    status: row.status,
    delivery: row.delivery,
    ...(outbound ? { recipients: recipients.map(showRecipient) } : {}),
    match: { method: row.match_method, evidence: row.match_evidence },
    parse_status: row.parse_status,
    hidden_text_removed: row.hidden_text_removed,
    authentication: row.authentication,
    sender_flags: row.sender_flags,
    auto_reply: row.auto_reply,
    bounce: row.bounce,
    codes: row.codes,
    links: row.links,
    citations: row.citations,
  }
}

const showRecipient = ({ email, status, code, detail }: RecipientRow) => ({
  email,
  status,
  code,
  detail,
})

function when(row: MessageRow): Pick<Message, 'received_at' | 'sent_at' | 'send_at'> {
  if (row.direction === 'inbound') return { received_at: row.created_at.toISOString() }
  return {
    ...(row.send_at === null ? {} : { send_at: row.send_at.toISOString() }),
    ...(row.sent_at === null ? {} : { sent_at: row.sent_at.toISOString() }),
  }
}
