// A report came in on a mail of ours: what it says of the recipients becomes their state.
import { idSuffix, newId } from '../../platform/ids.ts'
import { newEvent } from '../events.ts'
import type { OrgId } from '../ids.ts'
import type { JobHandler } from '../jobs/worker.ts'
import type { Bounce, MessageRow, RecipientRow } from '../messages/message.ts'
import type { Engine } from '../ports.ts'
import { summary } from './summary.ts'

/** The job { message_id } that a bounce brings: `message_id` is the report's. */
export const BOUNCED_JOB = 'send.bounced'

type Failure = Bounce['recipients'][number]
type Parts = Pick<Engine, 'db' | 'clock'>

/** RFC 3463 §3.2: bad mailbox, bad domain, moved; §3.3: disabled. A full mailbox or a refused text is no reason never to write again. */
const NEVER_AGAIN = /^5\.(1\.\d+|2\.1)$/

// Only recipients of that very mail change: a forged report silences nobody it was not sent to.
const RECORD = `
  WITH failed AS (
    SELECT * FROM jsonb_to_recordset($3) AS f (email text, code integer, detail text, suppression_id text)
  ), changed AS (
    UPDATE recipients r SET status = 'bounced', code = f.code, detail = f.detail, updated_at = $4
    FROM failed f WHERE r.org_id = $1 AND r.message_id = $2 AND r.email = f.email AND r.status <> 'bounced'
    RETURNING r.email
  ), touched AS (
    UPDATE messages SET status = $5 WHERE org_id = $1 AND id = $2 AND EXISTS (SELECT 1 FROM changed)
  ), silenced AS (
    INSERT INTO suppressions (org_id, id, email, reason, message_id, created_at)
    SELECT $1, f.suppression_id, f.email, f.detail, $2, $4
    FROM failed f JOIN changed USING (email) WHERE f.suppression_id IS NOT NULL
    ON CONFLICT (org_id, email) DO NOTHING
  )
  INSERT INTO events (org_id, id, event, inbox_id, thread_id, message_id, data, created_at)
  SELECT e.org_id, e.id, e.event, e.inbox_id, e.thread_id, e.message_id, e.data, e.created_at
  FROM jsonb_populate_record(NULL::events, $6) AS e WHERE EXISTS (SELECT 1 FROM changed)
  ON CONFLICT (org_id, id) DO NOTHING`

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
  const failureOf = ({ email }: RecipientRow) =>
    named.find((one) => one.permanent && one.email.toLowerCase() === email.toLowerCase())
  const now = clock.now()
  const failed = recipients.flatMap(({ email, ...recipient }) => {
    const failure = failureOf({ email, ...recipient })
    return failure === undefined ? [] : [{ ...failure, email }]
  })
  const [first] = failed
  if (first === undefined) return
  const after = recipients.map((one) => (failureOf(one) ? ('bounced' as const) : one.status))
  const rows = failed.map(({ email, code, status, reason }) => ({
    email,
    code,
    detail: [status, reason].filter(Boolean).join(' '),
    suppression_id: NEVER_AGAIN.test(status ?? '') ? newId('sup', now) : null,
  }))
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
