// What an attempt has brought, written down: recipients, message, events and what the job remembers, in one statement.
import { idSuffix } from '../../platform/ids.ts'
import { type EventRow, newEvent } from '../events.ts'
import type { JobId } from '../ids.ts'
import type { MessageRow, RecipientRow } from '../messages/message.ts'
import type { Engine } from '../ports.ts'
import type { Ending } from './outcome.ts'
import { isHandedOver, isUnderWay, type RecipientStatus, summary } from './summary.ts'

export type Ended = Ending & { email: string; remoteId?: string }

export interface Attempted {
  message: MessageRow
  /** All recipients as they were before. */
  recipients: readonly RecipientRow[]
  ended: readonly Ended[]
  at: Date
  /** What the job shall remember; undefined where the attempt goes on. */
  progress?: { id: JobId; payload: object }
}

// A recipient that is final stays as it is, and events go in only where a recipient changed: an
// attempt that is repeated after a crash tells nothing twice.
const RECORD = `
  WITH changed AS (
    UPDATE recipients r SET status = n.status, code = n.code, detail = n.detail, updated_at = $4
    FROM jsonb_to_recordset($3) AS n (email text, status text, code integer, detail text)
    WHERE r.org_id = $1 AND r.message_id = $2 AND r.email = n.email
      AND r.status IN ('queued', 'sending', 'deferred')
    RETURNING r.email
  ), touched AS (
    UPDATE messages SET status = $5, sent_at = coalesce(sent_at, $6)
    WHERE org_id = $1 AND id = $2 AND EXISTS (SELECT 1 FROM changed)
    RETURNING org_id, inbox_id, thread_id, id
  ), second_ids AS (
    INSERT INTO message_ids (org_id, inbox_id, rfc_id, thread_id, message_id)
    SELECT t.org_id, t.inbox_id, rfc_id, t.thread_id, t.id FROM touched t, unnest($8::text[]) AS rfc_id
    ON CONFLICT (org_id, inbox_id, rfc_id) DO NOTHING
  ), remembered AS (
    UPDATE jobs SET payload = $10 WHERE id = $9
  )
  INSERT INTO events (org_id, id, event, inbox_id, thread_id, message_id, data, created_at)
  SELECT e.org_id, e.id, e.event, t.inbox_id, t.thread_id, t.id, e.data, e.created_at
  FROM jsonb_populate_recordset(NULL::events, $7) AS e, touched t
  ON CONFLICT (org_id, id) DO NOTHING`

/** Writes an attempt down and returns the recipients as they are now. */
export async function record(
  { db }: Pick<Engine, 'db'>,
  attempted: Attempted,
): Promise<RecipientRow[]> {
  const { message, recipients, ended, at, progress } = attempted
  const after = recipients.map((recipient): RecipientRow => {
    const end = ended.find(({ email }) => email === recipient.email)
    if (end === undefined || !isUnderWay(recipient.status)) return recipient
    const { status, code, detail } = end
    return { ...recipient, status, code, detail, updated_at: at }
  })
  const left = ended.some(({ status }) => status === 'sent' || status === 'delivered')
  await db.quiet()
  await db.query(
    RECORD,
    [
      message.org_id,
      message.id,
      JSON.stringify(ended),
      at,
      summary(after.map(({ status }) => status)),
      left ? at : null,
      JSON.stringify(eventsOf(attempted, after)),
      [...new Set(ended.flatMap(({ remoteId }) => remoteId ?? []))],
      progress?.id ?? null,
      JSON.stringify(progress?.payload ?? {}),
    ],
    'send_record',
  )
  return after
}

/** Marks an attempt as begun: the status says what is true while a server takes its time. */
export async function begin(
  { db }: Pick<Engine, 'db'>,
  { org_id, id }: MessageRow,
  at: Date,
): Promise<void> {
  await db.quiet()
  await db.query(
    `WITH changed AS (
       UPDATE recipients SET status = 'sending', updated_at = $3
       WHERE org_id = $1 AND message_id = $2 AND status IN ('queued', 'deferred')
     )
     UPDATE messages SET status = 'sending' WHERE org_id = $1 AND id = $2`,
    [org_id, id, at],
    'send_begin',
  )
}

function eventsOf({ message, ended, at }: Attempted, after: readonly RecipientRow[]): EventRow[] {
  const about = {
    orgId: message.org_id,
    inboxId: message.inbox_id,
    threadId: message.thread_id,
    messageId: message.id,
  }
  const events: EventRow[] = []
  if (ended.some(({ status }) => isHandedOver(status))) {
    const data = { delivery: message.delivery }
    const sent = newEvent('email.sent', { ...about, data }, at)
    // Its id comes from the message's, so that the log holds it once whatever happens.
    events.push({ ...sent, id: `evt_${idSuffix(message.id)}` })
  }
  const lost = ended.filter(({ status }) => isLost(status))
  for (const end of lost) {
    events.push(newEvent('email.bounced', { ...about, data: { bounce: bounceOf(end) } }, at))
  }
  const nobody = after.every(({ status }) => isLost(status))
  if (lost.length > 0 && nobody) {
    const reason = lost.map(({ email, detail }) => `${email}: ${detail}`).join('; ')
    events.push(newEvent('email.failed', { ...about, data: { reason } }, at))
  }
  return events
}

const isLost = (status: RecipientStatus) => status === 'bounced' || status === 'failed'

const bounceOf = ({ status, code, detail, email }: Ended) => ({
  type: status === 'bounced' ? 'permanent' : 'transient',
  code,
  reason: detail,
  recipients: [email],
})
