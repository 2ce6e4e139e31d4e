// The hour of a scheduled mail has come: it is queued, and its deliveries begin.
import { z } from 'zod'
import type { OrgId } from '../../ids.ts'
import { type JobRow, newJob } from '../../jobs/job.ts'
import type { JobHandler } from '../../jobs/worker.ts'
import type { MessageRow, RecipientRow } from '../../messages/message.ts'
import type { Engine } from '../../ports.ts'
import { deliverJobs } from '../outgoing.ts'
import { record } from '../record.ts'
import { letGo } from './let-go.ts'

export const RELEASE_JOB = 'send.release'

const SECOND_MS = 1000
const SWITCHED_OFF = 'not sent: the inbox was switched off when its hour came'

type Parts = Pick<Engine, 'db' | 'clock' | 'settings' | 'jobs'>

/** The job that lets a scheduled mail go at its hour; another one for every hour that it is moved to. */
export function releaseJob(row: Pick<MessageRow, 'org_id' | 'id'>, at: Date, now: Date): JobRow {
  return newJob(RELEASE_JOB, { orgId: row.org_id, payload: { message_id: row.id }, runAt: at }, now)
}

const Payload = z.object({ message_id: z.string() })

/** The handler of `send.release`. It may be repeated at any moment: only mail that still waits, and is due, goes. */
export function releaseScheduled(parts: Parts): JobHandler {
  return async (job) => {
    const { message_id } = Payload.parse(job.payload)
    const mail = await due(parts, job.orgId, message_id)
    if (mail === undefined) return { kind: 'done' }
    const now = parts.clock.now()
    if (!mail.is_active) await giveUp(parts, mail, now)
    else {
      const runAt = new Date(now.getTime() + (parts.settings.outboundRetrySchedule[0] ?? 0) * SECOND_MS)
      await letGo(parts, { row: mail.row, status: 'queued', jobs: deliverJobs(mail, runAt, now) })
      parts.jobs.wake()
    }
    return { kind: 'done' }
  }
}

interface Due {
  row: MessageRow
  recipients: RecipientRow[]
  /** Of the inbox that it is written from. */
  is_active: boolean
}

async function due({ db, clock }: Parts, orgId: OrgId, id: string): Promise<Due | undefined> {
  const [found] = await db.query<MessageRow & { is_active: boolean }>(
    `SELECT m.*, i.is_active FROM messages m JOIN inboxes i ON i.org_id = m.org_id AND i.id = m.inbox_id
     WHERE m.org_id = $1 AND m.id = $2 AND i.deleted_at IS NULL
       AND m.status = 'scheduled' AND m.send_at <= $3`,
    [orgId, id, clock.now()],
    'release_load',
  )
  if (found === undefined) return undefined
  const { is_active, ...row } = found
  const recipients = await db.query<RecipientRow>(
    'SELECT * FROM recipients WHERE org_id = $1 AND message_id = $2 ORDER BY position',
    [orgId, id],
    'send_recipients',
  )
  return { row, recipients, is_active }
}

/** An inbox that is switched off sends nothing, and a mail that came out days later would surprise everybody. */
async function giveUp(parts: Parts, { row, recipients }: Due, at: Date): Promise<void> {
  const ended = recipients.map(({ email }) => ({
    email,
    status: 'failed' as const,
    code: null,
    detail: SWITCHED_OFF,
  }))
  await record(parts, { message: row, recipients, ended, at })
}
