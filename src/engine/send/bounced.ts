// A report came in on a mail of ours: what it says of the recipients becomes their state.
import { idSuffix, newId } from '../../platform/ids.ts'
import { newEvent } from '../events.ts'
import type { OrgId } from '../ids.ts'
import type { JobHandler } from '../jobs/worker.ts'
import type { Bounce, MessageRow, RecipientRow } from '../messages/message.ts'
import type { Engine } from '../ports.ts'
import { counting } from './health/count.ts'
import { summary } from './summary.ts'
import { isUnreachable } from './suppressions/never-again.ts'
import { isOurInbox, silencing } from './suppressions/silence.ts'

/** The job { message_id } that a bounce brings: `message_id` is the report's. */
export const BOUNCED_JOB = 'send.bounced'

type Failure = Bounce['recipients'][number]
type Parts = Pick<Engine, 'db' | 'clock'>

// Only recipients of that very mail change: a forged report silences nobody it was not sent to.
const RECORD = `
  WITH failed AS (
    SELECT * FROM jsonb_to_recordset($3) AS f (email text, code integer, detail text, suppression_id text)
  ), changed AS (
    UPDATE recipients r SET status = 'bounced', code = f.code, detail = f.detail, updated_at = $4
    FROM failed f WHERE r.org_id = $1 AND r.message_id = $2 AND r.email = f.email
      AND r.status NOT IN ('bounced', 'suppressed', 'cancelled')
    RETURNING r.email
  ), touched AS (
    UPDATE messages SET status = $5 WHERE org_id = $1 AND id = $2 AND EXISTS (SELECT 1 FROM changed)
  ), ${silencing({ org: '$1', message: '$2', at: '$4' })}, outcomes AS (
    SELECT $1 AS org_id, $7 AS inbox_id, 0 AS sent, count(*)::integer AS bounced, 0 AS complained
    FROM changed c WHERE NOT ${isOurInbox('c.email')}
  ), ${counting({ at: '$4', eventId: '$8' })}
  INSERT INTO events (org_id, id, event, inbox_id, thread_id, message_id, data, created_at)
  SELECT e.org_id, e.id, e.event, e.inbox_id, e.thread_id, e.message_id, e.data, e.created_at
  FROM jsonb_populate_record(NULL::events, $6) AS e WHERE EXISTS (SELECT 1 FROM changed)
  ON CONFLICT (org_id, id) DO NOTHING`

/** What a report says of them is made up. */
const NEVER_WRITTEN_TO: readonly RecipientRow['status'][] = ['suppressed', 'cancelled']

/** Safe to repeat: a recipient bounces once, and the event has the report's own suffix. */
export const recordBounce =
  (engine: Parts): JobHandler =>
  async ({ orgId, payload }) => {
    const report = await messageOf(engine, orgId, String(payload.message_id))
    const ours = report?.bounce?.message_id
    const original = ours ? await messageOf(engine, orgId, ours) : undefined
    if (report?.bounce && original?.direction === 'outbound') {
      await record(engine, report, original, report.bounce.recipients)
    }
    return { kind: 'done' }
  }

async function record(
  { db, clock }: Parts,
  report: MessageRow,
  ours: MessageRow,
  named: Failure[],
) {
  const recipients = await db.query<RecipientRow>(
    'SELECT * FROM recipients WHERE org_id = $1 AND message_id = $2 ORDER BY position',
    [ours.org_id, ours.id],
  )
  const failureOf = ({ email, status }: RecipientRow) =>
    NEVER_WRITTEN_TO.includes(status)
      ? undefined
      : named.find((one) => one.permanent && one.email.toLowerCase() === email.toLowerCase())
  const now = clock.now()
  const failed = recipients.flatMap(({ email, ...recipient }) => {
    const failure = failureOf({ email, ...recipient })
    return failure === undefined ? [] : [{ ...failure, email }]
  })
  const [first] = failed
  if (first === undefined) return
  const after = recipients.map((one) => (failureOf(one) ? ('bounced' as const) : one.status))
  const rows = failed.map(({ email, code, status, reason }) => {
    const detail = [status, reason].filter(Boolean).join(' ')
    const suppression_id = isUnreachable(code, detail) ? newId('sup', now) : null
    return { email, code, detail, suppression_id }
  })
  const bounce = {
    type: 'permanent',
    code: first.code,
    reason: first.reason,
    recipients: rows.map(({ email }) => email),
  }
  const about = {
    orgId: ours.org_id,
    inboxId: ours.inbox_id,
    threadId: ours.thread_id,
    messageId: ours.id,
    data: { bounce },
  }
  const event = { ...newEvent('email.bounced', about, now), id: `evt_${idSuffix(report.id)}` }
  await db.quiet()
  const values = [
    ours.org_id,
    ours.id,
    JSON.stringify(rows),
    now,
    summary(after),
    JSON.stringify(event),
    ours.inbox_id,
    newId('evt', now),
  ]
  await db.query(RECORD, values, 'send_bounced')
}

async function messageOf({ db }: Parts, orgId: OrgId, id: string): Promise<MessageRow | undefined> {
  const [row] = await db.query<MessageRow>('SELECT * FROM messages WHERE org_id = $1 AND id = $2', [
    orgId,
    id,
  ])
  return row
}
