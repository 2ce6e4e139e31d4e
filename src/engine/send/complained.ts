// Somebody called a mail of ours spam: they are written to no more, and the inbox that sent it is counted a complaint.
import { idSuffix, newId } from '../../platform/ids.ts'
import { mailboxKey } from '../addresses.ts'
import { newEvent } from '../events.ts'
import type { MessageId } from '../ids.ts'
import type { MessageRow } from '../messages/message.ts'
import type { Engine } from '../ports.ts'
import { counting } from './health/count.ts'
import { remember } from './suppressions/remember.ts'
import { unsubscribe } from './suppressions/unsubscribe.ts'

type Parts = Pick<Engine, 'db' | 'clock' | 'blobs'>

export interface Complained {
  /** The report, as it came in. */
  reportId: MessageId
  /** The mail of ours that it is about. */
  ours: MessageRow
  /** What kind of report it is. RFC 5965 §7.3. */
  feedbackType: string
  /** Who complains, where the report says so. */
  named: readonly string[]
}

/** What kinds of report are called a complaint, in the words of the list. RFC 5965 §7.3; kinds that it does not name count as `other`. */
const REASONS: Readonly<Record<string, string>> = {
  abuse: 'reported as spam',
  fraud: 'reported as fraud',
  virus: 'reported as a virus',
  other: 'reported',
}
/** Said by filters about forgeries (RFC 6591), the opposite of a complaint, or a wish that is no complaint yet. */
const NO_COMPLAINT: readonly string[] = ['not-spam', 'auth-failure', 'opt-out']

// One complaint a person and mail, however often it is reported; one event a report, however often it is read.
const RECORD = `
  WITH complainer AS (
    SELECT * FROM jsonb_to_recordset($3) AS c (id text, email text, reason text)
  ), known AS (
    SELECT 1 FROM suppressions s JOIN complainer c USING (email)
    WHERE s.org_id = $1 AND s.kind = 'complaint' AND s.message_id = $2
  ), told AS (
    INSERT INTO events (org_id, id, event, inbox_id, thread_id, message_id, data, created_at)
    SELECT e.org_id, e.id, e.event, e.inbox_id, e.thread_id, e.message_id, e.data, e.created_at
    FROM jsonb_populate_record(NULL::events, $5) AS e WHERE NOT EXISTS (SELECT 1 FROM known)
    ON CONFLICT (org_id, id) DO NOTHING RETURNING 1
  ), outcomes AS (
    SELECT $1 AS org_id, $6 AS inbox_id, 0 AS sent, 0 AS bounced, 1 AS complained FROM told
  ), ${counting({ at: '$4', eventId: '$7' })}
  INSERT INTO suppressions AS s (org_id, id, email, kind, inbox_id, reason, message_id, created_at)
  SELECT $1, c.id, c.email, 'complaint', NULL, c.reason, $2, $4 FROM complainer c, told
  ON CONFLICT (org_id, email, inbox_id) DO UPDATE SET kind = excluded.kind, reason = excluded.reason,
    message_id = excluded.message_id, created_at = excluded.created_at`

/**
 * Writes a complaint down; safe to repeat. Nothing in a report is proven, so it binds only recipients of the very
 * mail that it names, by a Message-ID that nobody else has seen.
 */
export async function recordComplaint(
  parts: Parts,
  { reportId, ours, feedbackType, named }: Complained,
): Promise<void> {
  const complainers = complainersOf(ours, named)
  if (feedbackType === 'opt-out') {
    for (const email of complainers) await unsubscribe(parts, ours, email)
  }
  if (NO_COMPLAINT.includes(feedbackType)) return
  const type = feedbackType in REASONS ? feedbackType : 'other'
  const now = parts.clock.now()
  const about = {
    orgId: ours.org_id,
    inboxId: ours.inbox_id,
    threadId: ours.thread_id,
    messageId: ours.id,
    data: { complaint: { type, recipients: complainers } },
  }
  const event = { ...newEvent('email.complained', about, now), id: `evt_${idSuffix(reportId)}` }
  const suppressions = complainers.map((email) => ({
    id: newId('sup', now),
    email,
    kind: 'complaint',
    inbox_id: null,
    reason: REASONS[type] ?? '',
    message_id: ours.id,
  }))
  await remember(parts, ours.org_id, suppressions, now)
  await parts.db.quiet()
  await parts.db.query(
    RECORD,
    [
      ours.org_id,
      ours.id,
      JSON.stringify(suppressions),
      now,
      JSON.stringify(event),
      ours.inbox_id,
      newId('evt', now),
    ],
    'send_complained',
  )
}

/** A report may hide who complains, wholly or behind a made-up name (RFC 6590): of a mail to one person it is clear. */
function complainersOf({ envelope }: MessageRow, named: readonly string[]): string[] {
  const recipients = envelope.rcpt_to.map(mailboxKey)
  const asked = new Set(named.map(mailboxKey))
  const found = recipients.filter((email) => asked.has(email))
  return found.length === 0 && recipients.length === 1 ? recipients : found
}
