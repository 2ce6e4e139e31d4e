// A composed mail, and the rows that keep it until it is delivered.
import { createHash } from 'node:crypto'
import { idSuffix, newId } from '../../platform/ids.ts'
import { domainOf } from '../addresses.ts'
import type { KeyId, MessageId } from '../ids.ts'
import type { InboxRow } from '../inboxes/inbox.ts'
import { type JobRow, newJob } from '../jobs/job.ts'
import type { Mailbox } from '../messages/address.ts'
import type { AttachmentRow, MessageRow, RecipientRow } from '../messages/message.ts'
import {
  type Batch,
  emptyBatch,
  newThread,
  threadCreated,
  withThreadNews,
} from '../messages/store.ts'
import type { Settings } from '../ports.ts'
import type { AttachedFile } from './attached/file.ts'
import type { Bodies } from './bodies.ts'
import type { Draft } from './compose.ts'
import { isUnderWay } from './summary.ts'
import { suppressedEvents } from './suppressions/suppressed.ts'

export const DELIVER_JOB = 'send.deliver'

const SECOND_MS = 1000

export interface Composed {
  id: MessageId
  inbox: InboxRow
  answered: MessageRow | undefined
  draft: Draft
  /** What the caller asked for; the mail may carry an address of ours instead. */
  replyTo: readonly Mailbox[]
  bcc: readonly Mailbox[]
  bodies: Bodies
  citations: string[]
  raw: Buffer
  byAgent: boolean
  keyId: KeyId | null
  /** True where some of it would leave this server, and may not. */
  dryRun: boolean
}

export interface Outgoing {
  row: MessageRow
  attachments: AttachmentRow[]
  recipients: RecipientRow[]
  raw: Buffer
  inbox: Pick<InboxRow, 'id' | 'address'>
}

export function outgoingOf(mail: Composed): Outgoing {
  const row = rowOf(mail)
  const recipients = row.envelope.rcpt_to.map((email, position) => ({
    org_id: row.org_id,
    message_id: row.id,
    email,
    position,
    status: 'queued' as const,
    code: null,
    detail: null,
    updated_at: row.created_at,
  }))
  const attachments = mail.draft.files.map((file, n) => attachmentRow(row, file, n))
  return { row, attachments, recipients, raw: mail.raw, inbox: mail.inbox }
}

/** As our own reader finds it in the bytes, so that it can be read out of them by its position. */
function attachmentRow(
  { org_id, inbox_id, id, created_at }: MessageRow,
  { filename, contentType, bytes, contentId }: AttachedFile,
  position: number,
): AttachmentRow {
  return {
    org_id,
    id: newId('att', created_at),
    inbox_id,
    message_id: id,
    position,
    filename,
    content_type: contentType,
    size: bytes.length,
    inline: contentId !== null,
    content_id: contentId === null ? null : `<${contentId}>`,
  }
}

function rowOf({ id, inbox, answered, draft, ...mail }: Composed): MessageRow {
  const everybody = [...draft.to, ...draft.cc, ...mail.bcc].map(({ email }) => email)
  return {
    org_id: inbox.org_id,
    id,
    inbox_id: inbox.id,
    thread_id: answered?.thread_id ?? `thr_${idSuffix(id)}`,
    direction: 'outbound',
    status: 'queued',
    delivery: mail.dryRun ? 'dry-run' : 'email',
    from: draft.from,
    to: [...draft.to],
    cc: [...draft.cc],
    bcc: [...mail.bcc],
    reply_to: [...mail.replyTo],
    subject: draft.subject,
    text_body: mail.bodies.text,
    html_body: draft.html,
    new_text: mail.bodies.newText === mail.bodies.text ? null : mail.bodies.newText,
    quoted: mail.bodies.quoted,
    hidden_text_removed: 0,
    codes: [],
    links: [],
    message_id_header: draft.messageId,
    in_reply_to: draft.threading.inReplyTo,
    references: draft.threading.references,
    match_method: answered === undefined ? 'new' : 'explicit',
    match_evidence: answered?.id ?? null,
    parse_status: 'ok',
    auto_reply: null,
    bounce: null,
    authentication: null,
    sender_flags: [],
    envelope: { mail_from: inbox.address, rcpt_to: everybody },
    raw_sha256: createHash('sha256').update(mail.raw).digest('hex'),
    size: mail.raw.length,
    by_agent: mail.byAgent,
    key_id: mail.keyId,
    send_at: null,
    citations: mail.citations,
    sent_at: null,
    created_at: draft.date,
  }
}

/** Everything that is stored with the mail, in one statement; the job that delivers it among it. */
export function batchOf({ row, attachments, recipients }: Outgoing, settings: Settings): Batch {
  const { org_id, inbox_id, thread_id, id: message_id, created_at } = row
  const batch = emptyBatch()
  if (row.match_method === 'new') {
    batch.threads.push(newThread(row))
    batch.events.push(threadCreated(row))
  }
  batch.messages.push(withThreadNews(row))
  if (row.message_id_header !== null) {
    const rfc_id = row.message_id_header
    batch.message_ids.push({ org_id, inbox_id, rfc_id, thread_id, message_id })
  }
  batch.attachments.push(...attachments)
  batch.recipients.push(...recipients)
  batch.events.push(...suppressedEvents(row, recipients))
  const firstWait = (settings.outboundRetrySchedule[0] ?? 0) * SECOND_MS
  const runAt = new Date(created_at.getTime() + firstWait)
  batch.jobs.push(...deliverJobs({ row, recipients }, runAt, created_at))
  return batch
}

/**
 * The jobs that deliver a mail: one a recipient domain, each in the lane of its domain, so that a destination that
 * hangs holds up no other. Recipients that are written to no more (suppressed, bounced) have none.
 * @param runAt when the first attempt is due; five days after `now` nobody tries any more
 */
export function deliverJobs(
  { row, recipients }: Pick<Outgoing, 'row' | 'recipients'>,
  runAt: Date,
  now: Date,
): JobRow[] {
  const open = recipients.filter(({ status }) => isUnderWay(status))
  const domains = new Set(open.map(({ email }) => domainOf(email)))
  return [...domains].map((domain) => {
    const payload = { message_id: row.id, domain }
    return newJob(DELIVER_JOB, { orgId: row.org_id, payload, runAt, lane: domain }, now)
  })
}

/** What the raw bytes do not say: enough to make the same message with the same ids again. */
export const sidecarOf = ({ row, attachments, inbox }: Outgoing) => ({
  id: row.id,
  direction: row.direction,
  organization: row.org_id,
  inbox: { id: inbox.id, address: inbox.address },
  thread_id: row.thread_id,
  raw_sha256: row.raw_sha256,
  envelope: row.envelope,
  bcc: row.bcc,
  reply_to: row.reply_to,
  by_agent: row.by_agent,
  key_id: row.key_id,
  status: row.status,
  send_at: row.send_at,
  citations: row.citations,
  delivery: row.delivery,
  match: { method: row.match_method, evidence: row.match_evidence },
  peer: null,
  received_at: row.created_at,
  authentication: null,
  attachment_ids: attachments.map(({ id }) => id),
  ...(row.quoted.length > 0 && { new_text: row.new_text, quoted: row.quoted }),
})
