// Who of a mail's recipients is on the suppression list: they are left out, and the sender is told.
import { type Address, mailboxKey } from '../../addresses.ts'
import { type EventRow, newEvent } from '../../events.ts'
import type { InboxId, MessageId, OrgId } from '../../ids.ts'
import type { InboxRow } from '../../inboxes/inbox.ts'
import type { MessageRow, RecipientRow } from '../../messages/message.ts'
import type { Engine } from '../../ports.ts'
import type { Verdict } from '../verdict.ts'
import type { SuppressionKind } from './suppression.ts'

type Db = Pick<Engine, 'db'>

export interface Suppressed {
  /** As the mail names it. */
  email: string
  /** Why, in our words alone: what a server said stays out of what an agent takes for ours. */
  because: string
  /** The recipient's `detail`: with what the server said. */
  detail: string
}

/** A mail whose recipients are asked about. */
export interface Addressed {
  org_id: OrgId
  inbox_id: InboxId
  /** Null for a mail that begins a thread. */
  answered_id: MessageId | null
  emails: readonly string[]
}

// LIMIT keeps each look-up one walk down the index, whatever the planner knows. An address is told in both spellings
// that may be on the list: lower() of a database in the locale C leaves all letters but those of ASCII.
const SUPPRESSED = `
  SELECT q.place, q.email, s.kind, s.reason, s.author
  FROM jsonb_to_recordset($1) AS q (place integer, org_id text, inbox_id text, answered_id text, email text, key text),
  LATERAL (
    SELECT s.kind, s.reason, (
      SELECT a."from" ->> 'email' FROM messages a
      WHERE a.org_id = q.org_id AND a.id = q.answered_id AND a.direction = 'inbound') AS author
    FROM suppressions s
    WHERE s.org_id = q.org_id AND s.email IN (q.key, lower(q.email))
      AND (s.inbox_id IS NULL OR s.inbox_id = q.inbox_id)
    ORDER BY s.inbox_id IS NULL DESC LIMIT 1
  ) AS s`

interface Found {
  place: number
  email: string
  kind: SuppressionKind
  reason: string
  /** Who wrote the mail that is answered, in their own spelling. */
  author: string | null
}

/** The suppressed among the recipients of each mail, in their order. */
export async function suppressedAmong(
  { db }: Db,
  mails: readonly Addressed[],
): Promise<Suppressed[][]> {
  const asked = mails.flatMap(({ emails, ...mail }, place) =>
    emails.map((email) => ({ ...mail, place, email, key: mailboxKey(email) })),
  )
  const rows = await db.query<Found>(SUPPRESSED, [JSON.stringify(asked)], 'suppressed_among')
  const standing = rows.filter((row) => !isAnswered(row))
  return mails.map(({ emails }, place) =>
    emails.flatMap((email) => {
      const row = standing.find((one) => one.place === place && one.email === email)
      return row === undefined ? [] : [asSuppressed(email, row)]
    }),
  )
}

/** Whoever writes to us is answered, also after they have unsubscribed from what we send by ourselves. */
const isAnswered = ({ kind, author, email }: Found) =>
  kind === 'unsubscribe' && author !== null && mailboxKey(author) === mailboxKey(email)

const BECAUSE: Record<SuppressionKind, string> = {
  bounce: 'an earlier mail bounced for good',
  complaint: 'they reported an earlier mail as spam',
  unsubscribe: 'they unsubscribed from mail of this inbox',
}

function asSuppressed(email: string, { kind, reason }: Found): Suppressed {
  const because = BECAUSE[kind]
  const said = kind === 'bounce' ? ` (${reason})` : ''
  return { email, because, detail: `left out: ${because}${said}` }
}

type People = Record<'to' | 'cc' | 'bcc', Address[]>

export interface Remaining {
  people: People
  suppressed: Suppressed[]
  /** Then all are in `people` all the same: such a mail is not sent, and its refusal tells everything. */
  nobodyLeft: boolean
}

/** The people of a mail without those who are left out. */
export async function withoutSuppressed(
  db: Db,
  { inbox, answered }: { inbox: InboxRow; answered?: MessageRow },
  asked: People,
): Promise<Remaining> {
  const emails = [...asked.to, ...asked.cc, ...asked.bcc].map(({ email }) => email)
  const mail = { org_id: inbox.org_id, inbox_id: inbox.id, answered_id: answered?.id ?? null }
  const [suppressed = []] = await suppressedAmong(db, [{ ...mail, emails }])
  if (suppressed.length === emails.length) return { people: asked, suppressed, nobodyLeft: true }
  const out = new Set(suppressed.map(({ email }) => email))
  const left = (people: Address[]) => people.filter(({ email }) => !out.has(email))
  const people = { to: left(asked.to), cc: left(asked.cc), bcc: left(asked.bcc) }
  return { people, suppressed, nobodyLeft: false }
}

/** The verdict with what the suppression list adds: a word about those who are left out, and a denial where nobody remains. */
export function withSuppressed(
  verdict: Verdict,
  { suppressed, nobodyLeft }: Pick<Remaining, 'suppressed' | 'nobodyLeft'>,
  inboxId: InboxId,
): Verdict {
  const [first] = suppressed
  if (first === undefined) return verdict
  const said = suppressed.map(({ email, because }) => `${email}: ${because}.`).join(' ')
  const fix = `Write to another address; where theirs takes mail again, have a person with org:admin take it off the list (DELETE /v1/agent/inboxes/${inboxId}/suppressions/${first.email}).`
  const reasons = verdict.reasons ?? []
  if (nobodyLeft) {
    const message = `Nobody is left to write to. ${said}`
    const all = { code: 'all_recipients_suppressed', message, fix }
    return { kind: 'deny', reasons: [all, ...reasons] }
  }
  const recipients = suppressed.map(({ email }) => email)
  return {
    ...verdict,
    reasons: [...reasons, { code: 'suppressed', message: `Left out: ${said}`, fix, recipients }],
  }
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
export function suppressedEvents(row: MessageRow, recipients: readonly RecipientRow[]): EventRow[] {
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
      return newEvent('email.bounced', about, row.created_at)
    })
}
