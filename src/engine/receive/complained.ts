// A complaint came in: which mail of ours it is about, and who complains.
import type { MessageId, OrgId } from '../ids.ts'
import type { JobHandler } from '../jobs/handler.ts'
import type { MessageRow } from '../messages/message.ts'
import type { Engine } from '../ports.ts'
import { recordComplaint } from '../send/complained.ts'
import { readComplaint } from './bounce/complaint.ts'

/** The job { message_id } that a feedback report brings: `message_id` is the report's. */
export const COMPLAINED_JOB = 'receive.complained'

type Parts = Pick<Engine, 'db' | 'clock' | 'blobs' | 'log'>

/** Safe to repeat. A report that is about no mail of ours changes nothing. */
export const readComplained =
  (engine: Parts): JobHandler =>
  async ({ orgId, payload }) => {
    const reportId = String(payload.message_id) as MessageId
    const [report] = await engine.db.query<Pick<MessageRow, 'raw_sha256'>>(
      'SELECT raw_sha256 FROM messages WHERE org_id = $1 AND id = $2',
      [orgId, reportId],
    )
    if (report === undefined) return { kind: 'done' }
    const complaint = readComplaint(await engine.blobs.get(orgId, report.raw_sha256))
    if (complaint === null || complaint.original_message_id === null) return { kind: 'done' }
    const ours = await mailOf(engine, orgId, complaint.original_message_id)
    if (ours === undefined) {
      engine.log.info({ message_id: reportId }, 'a complaint names no mail of ours')
      return { kind: 'done' }
    }
    await recordComplaint(engine, {
      reportId,
      ours,
      feedbackType: complaint.feedback_type,
      named: complaint.recipients,
    })
    return { kind: 'done' }
  }

/** Reports come to whatever address a provider was told, so every inbox of the organization may have sent the mail. */
async function mailOf(
  { db }: Pick<Engine, 'db'>,
  orgId: OrgId,
  rfcId: string,
): Promise<MessageRow | undefined> {
  const [row] = await db.query<MessageRow>(
    `SELECT m.* FROM inboxes i,
     LATERAL (
       SELECT k.message_id FROM message_ids k
       WHERE k.org_id = i.org_id AND k.inbox_id = i.id AND k.rfc_id = $2 LIMIT 1
     ) AS k,
     LATERAL (
       SELECT * FROM messages m
       WHERE m.org_id = i.org_id AND m.id = k.message_id AND m.direction = 'outbound' LIMIT 1
     ) AS m
     WHERE i.org_id = $1 AND i.deleted_at IS NULL LIMIT 1`,
    [orgId, rfcId],
    'complained_mail',
  )
  return row
}
