// Somebody called a mail of ours spam: they are written to no more, and the inbox that sent it is counted a complaint.
import { idSuffix, newId } from '../../platform/ids.ts'
import { newEvent } from '../events.ts'
import type { MessageId } from '../ids.ts'
import type { MessageRow } from '../messages/message.ts'
import type { Engine } from '../ports.ts'
import { counting } from './health/count.ts'
import { unsubscribe } from './suppressions/unsubscribe.ts'

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

/** Said by filters about forgeries, the opposite of a complaint, or a wish that is no complaint yet. RFC 5965 §7.3, RFC 6591. */
const NO_COMPLAINT: readonly string[] = ['not-spam', 'auth-failure', 'opt-out']

// One complaint a person and mail, however often it is reported; one event a report, however often it is read.
const RECORD = `
  WITH complainer AS (
    SELECT c.email, c.suppression_id FROM jsonb_to_recordset($3) AS c (email text, suppression_id text)
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
  SELECT $1, c.suppression_id, c.email, 'complaint', NULL, $8, $2, $4 FROM complainer c, told
  ON CONFLICT (org_id, email, inbox_id) DO UPDATE SET kind = excluded.kind, reason = excluded.reason,
    message_id = excluded.message_id, created_at = excluded.created_at`

/**
 * Writes a complaint down; safe to repeat. Nothing in a report is proven, so it binds only recipients of the very
 * mail that it names, by a Message-ID that nobody else has seen.
 */
export async function recordComplaint(
  { db, clock }: Pick<Engine, 'db' | 'clock'>,
  { reportId, ours, feedbackType, named }: Complained,
): Promise<void> {
  const now = clock.now()
  const complainers = complainersOf(ours, named)
  if (feedbackType === 'opt-out') {
    for (const email of complainers) await unsubscribe({ db, clock }, ours, email)
  }
  if (NO_COMPLAINT.includes(feedbackType)) return
  const about = {
    orgId: ours.org_id,
    inboxId: ours.inbox_id,
    threadId: ours.thread_id,
    messageId: ours.id,
    data: { complaint: { type: feedbackType, recipients: complainers } },
  }
  const event = { ...newEvent('email.complained', about, now), id: `evt_${idSuffix(reportId)}` }
  await db.quiet()
  await db.query(
    RECORD,
    [
      ours.org_id,
      ours.id,
      JSON.stringify(complainers.map((email) => ({ email, suppression_id: newId('sup', now) }))),
      now,
      JSON.stringify(event),
      ours.inbox_id,
      newId('evt', now),
      `reported as ${feedbackType === 'abuse' ? 'spam' : feedbackType}`,
    ],
    'send_complained',
  )
}

/** A report may hide who complains, wholly or behind a made-up name (RFC 6590): of a mail to one person it is clear. */
function complainersOf({ envelope }: MessageRow, named: readonly string[]): string[] {
  const recipients = envelope.rcpt_to.map((email) => email.toLowerCase())
  const asked = new Set(named.map((email) => email.toLowerCase()))
  const found = recipients.filter((email) => asked.has(email))
  return found.length === 0 && recipients.length === 1 ? recipients : found
}
