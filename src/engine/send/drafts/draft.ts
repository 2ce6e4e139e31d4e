// A draft: what somebody means to send. The row, and the draft as the outside sees it.
import { z } from 'zod'
import type { DraftId, InboxId, MessageId, OrgId, ThreadId } from '../../ids.ts'
import type { InboxRow } from '../../inboxes/inbox.ts'
import { Mailbox } from '../../messages/address.ts'
import type { MessageRow } from '../../messages/message.ts'
import { Judged } from '../sent.ts'
import type { MessageInput } from '../written.ts'

/** A mail as it was written, without its inbox, which the row has; a reply names the message that it answers. */
export type DraftMail = Omit<MessageInput, 'inbox_id' | 'thread_id' | 'attachment_ids'> & {
  send_at?: string | undefined
}

/** Whom it would reach and under which subject, with what a reply or a forward fills in. */
export interface Shown {
  to: Mailbox[]
  cc: Mailbox[]
  bcc: Mailbox[]
  subject: string
}

export type DraftKind = 'new' | 'reply' | 'forward'

export interface DraftRow {
  org_id: OrgId
  id: DraftId
  inbox_id: InboxId
  /** Of the message that it answers. */
  thread_id: ThreadId | null
  kind: DraftKind
  written: DraftMail
  shown: Shown
  by_agent: boolean
  /** The mail that it became. */
  sent_message_id: MessageId | null
  created_at: Date
  updated_at: Date
}

export const Draft = z.object({
  id: z.string(),
  inbox_id: z.string(),
  thread_id: z.string().nullable(),
  kind: z.enum(['new', 'reply', 'forward']),
  /** `scheduled`: a mail that waits for its hour, listed beside the drafts on request. */
  status: z.enum(['draft', 'scheduled', 'sent']),
  from: Mailbox.nullable(),
  to: z.array(Mailbox),
  cc: z.array(Mailbox),
  bcc: z.array(Mailbox),
  subject: z.string(),
  text_body: z.string().nullable(),
  html_body: z.string().nullable(),
  markdown_body: z.string().nullable(),
  reply_to_message_id: z.string().nullable(),
  forward_message_id: z.string().nullable(),
  reply_all: z.boolean(),
  attachment_ids: z.array(z.string()),
  citations: z.array(z.string()),
  send_at: z.string().nullable(),
  by_agent: z.boolean(),
  /** The mail that it became. */
  message_id: z.string().nullable(),
  created_at: z.string(),
  updated_at: z.string(),
})
export type Draft = z.infer<typeof Draft>

/** A draft, and what would become of it if it were sent now. */
export const JudgedDraft = Draft.extend({ would: Judged })
export type JudgedDraft = z.infer<typeof JudgedDraft>

export function showDraft(row: DraftRow, inbox: Pick<InboxRow, 'address' | 'display_name'>): Draft {
  const { written, shown } = row
  return {
    id: row.id,
    inbox_id: row.inbox_id,
    thread_id: row.thread_id,
    kind: row.kind,
    status: row.sent_message_id === null ? 'draft' : 'sent',
    from: { email: inbox.address, ...(inbox.display_name && { name: inbox.display_name }) },
    to: shown.to,
    cc: shown.cc,
    bcc: shown.bcc,
    subject: shown.subject,
    text_body: written.text_body ?? null,
    html_body: written.html_body ?? null,
    markdown_body: written.markdown_body ?? null,
    reply_to_message_id: written.reply_to_message_id ?? null,
    forward_message_id: written.forward_message_id ?? null,
    reply_all: written.reply_all ?? false,
    attachment_ids: (written.attachments ?? []).flatMap(({ attachment_id: id }) => id ?? []),
    citations: written.citations ?? [],
    send_at: written.send_at ?? null,
    by_agent: row.by_agent,
    message_id: row.sent_message_id,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  }
}

/** A mail that waits for its hour, among the drafts. Its id is the message's. */
export function showScheduled(row: MessageRow, attachmentIds: readonly string[]): Draft {
  const answers = row.match_method === 'new' ? null : row.match_evidence
  return {
    id: row.id,
    inbox_id: row.inbox_id,
    thread_id: row.thread_id,
    kind: answers === null ? 'new' : 'reply',
    status: 'scheduled',
    from: row.from,
    to: row.to,
    cc: row.cc,
    bcc: row.bcc,
    subject: row.subject,
    text_body: row.text_body,
    html_body: row.html_body,
    markdown_body: null,
    reply_to_message_id: answers,
    forward_message_id: null,
    reply_all: false,
    attachment_ids: [...attachmentIds],
    citations: row.citations,
    send_at: row.send_at?.toISOString() ?? null,
    by_agent: row.by_agent,
    message_id: row.id,
    created_at: row.created_at.toISOString(),
    updated_at: row.created_at.toISOString(),
  }
}
