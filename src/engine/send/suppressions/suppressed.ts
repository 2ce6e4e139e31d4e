// Who of a mail's recipients is on the suppression list: they are left out, and the sender is told.
import { newEvent, type EventRow } from '../../events.ts'
import type { InboxId, MessageId, OrgId } from '../../ids.ts'
import type { MessageRow, RecipientRow } from '../../messages/message.ts'
import type { Engine } from '../../ports.ts'
import type { Reason, Verdict } from '../verdict.ts'
import type { SuppressionKind } from './suppression.ts'

type Db = Pick<Engine, 'db'>

export interface Suppressed {
  /** As the mail names it. */
  email: string
  /** Why, as the recipient's `detail`. */
  detail: string
}

export interface Addressed {
  orgId: OrgId
  inboxId: InboxId
  /** Null for a mail that begins a thread. */
  answeredId: MessageId | null
  emails: readonly string[]
}

// Whoever writes to us is answered, also after they have unsubscribed from what we send by ourselves.
const SUPPRESSED = `
  SELECT s.email, s.kind, s.reason FROM suppressions s
  WHERE s.org_id = $1 AND s.email = ANY($2) AND (s.inbox_id IS NULL OR s.inbox_id = $3)
    AND (s.kind <> 'unsubscribe' OR NOT EXISTS (
      SELECT 1 FROM messages a WHERE a.org_id = $1 AND a.id = $4 AND a.direction = 'inbound'
        AND lower(a."from" ->> 'email') = s.email))
  ORDER BY s.inbox_id IS NULL DESC`

/** The suppressed among the recipients of one mail, in their order. */
export async function suppressedAmong(
  { db }: Db,
  { orgId, inboxId, answeredId, emails }: Addressed,
): Promise<Suppressed[]> {
  const asked = emails.map((email) => email.toLowerCase())
  const rows = await db.query<{ email: string; kind: SuppressionKind; reason: string }>(
    SUPPRESSED,
    [orgId, asked, inboxId, answeredId],
    'suppressed_among',
  )
  return emails.flatMap((email) => {
    const row = rows.find((one) => one.email === email.toLowerCase())
    return row === undefined ? [] : [{ email, detail: why(row) }]
  })
}

function why({ kind, reason }: { kind: SuppressionKind; reason: string }): string {
  switch (kind) {
    case 'bounce':
      return `left out: an earlier mail bounced for good (${reason})`
    case 'complaint':
      return 'left out: they reported an earlier mail as spam'
    case 'unsubscribe':
      return 'left out: they unsubscribed from mail of this inbox'
  }
}

type People<Person> = Record<'to' | 'cc' | 'bcc', Person[]>

/** The people of a mail without those who are left out. Where nobody would remain all stay, since such a mail is not sent. */
export function withoutSuppressed<Person extends { email: string }>(
  { to, cc, bcc }: People<Person>,
  suppressed: readonly Suppressed[],
): People<Person> {
  if (suppressed.length === to.length + cc.length + bcc.length) return { to, cc, bcc }
  const out = new Set(suppressed.map(({ email }) => email))
  const left = (people: Person[]) => people.filter(({ email }) => !out.has(email))
  return { to: left(to), cc: left(cc), bcc: left(bcc) }
}

/**
 * The verdict with what the suppression list adds: a word about those who are left out, and a denial where nobody remains.
 * @param recipients how many there were
 */
export function withSuppressed(
  verdict: Verdict,
  suppressed: readonly Suppressed[],
  recipients: number,
  inboxId: InboxId,
): Verdict {
  if (suppressed.length === 0) return verdict
  const emails = suppressed.map(({ email }) => email)
  const said = suppressed.map(({ email, detail }) => `${email}: ${detail}.`).join(' ')
  const fix = `Write to another address; where theirs takes mail again, have a person with org:admin take it off the list (DELETE /v1/agent/inboxes/${inboxId}/suppressions/${emails[0]}).`
  const reasons = verdict.reasons ?? []
  if (emails.length < recipients) {
    const some: Reason = { code: 'suppressed', message: said, fix, recipients: emails }
    return { ...verdict, reasons: [...reasons, some] }
  }
  const all: Reason = {
    code: 'all_recipients_suppressed',
    message: `Nobody is left to write to. ${said}`,
    fix,
  }
  return { kind: 'deny', reasons: [all, ...reasons] }
}

/** The rows of those who are left out, behind those who get the mail. */
export function suppressedRows(
  { org_id, id, created_at, envelope }: MessageRow,
  suppressed: readonly Suppressed[],
): RecipientRow[] {
  return suppressed.map(({ email, detail }, n) => ({
    org_id,
    message_id: id,
    email,
    position: envelope.rcpt_to.length + n,
    status: 'suppressed',
    code: null,
    detail,
    updated_at: created_at,
  }))
}

/** What is told of those who get nothing. */
export function suppressedEvents(
  row: Pick<MessageRow, 'org_id' | 'inbox_id' | 'thread_id' | 'id'>,
  recipients: readonly Pick<RecipientRow, 'email' | 'status' | 'detail'>[],
  at: Date,
): EventRow[] {
  return recipients
    .filter(({ status }) => status === 'suppressed')
    .map(({ email, detail }) => {
      const bounce = { type: 'suppressed', code: null, reason: detail, recipients: [email] }
      const about = {
        orgId: row.org_id,
        inboxId: row.inbox_id,
        threadId: row.thread_id,
        messageId: row.id,
        data: { bounce },
      }
      return newEvent('email.bounced', about, at)
    })
}
