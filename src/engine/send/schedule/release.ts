// The hour of a scheduled mail has come: it is queued, and its deliveries begin.
import { z } from 'zod'
import { newEvent } from '../../events.ts'
import type { OrgId } from '../../ids.ts'
import type { InboxRow } from '../../inboxes/inbox.ts'
import type { JobHandler } from '../../jobs/handler.ts'
import { type JobRow, newJob } from '../../jobs/job.ts'
import type { MessageRow, RecipientRow } from '../../messages/message.ts'
import type { Engine } from '../../ports.ts'
import { denialsOf } from '../clearance.ts'
import { deliverJobs } from '../outgoing.ts'
import { isUnderWay } from '../summary.ts'
import { letGo } from './let-go.ts'

export const RELEASE_JOB = 'send.release'

const SECOND_MS = 1000
/** How often mail of an inbox whose sending was stopped is looked at; whoever clears the inbox wakes it at once. */
const HOUR_MS = 3_600_000
const SWITCHED_OFF = 'the inbox was switched off'

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
    const mail = await waiting(parts, job.orgId, message_id)
    if (mail === undefined) return { kind: 'done' }
    const now = parts.clock.now()
    const hour = mail.row.send_at ?? now
    // It was moved, or the clock was set back since the job was claimed.
    if (hour > now) return { kind: 'again', at: hour }
    if (mail.is_active && mail.stopped) {
      return { kind: 'again', at: new Date(now.getTime() + HOUR_MS) }
    }
    const trouble = mail.is_active ? await forbidden(parts, mail) : SWITCHED_OFF
    await (trouble === undefined ? goOn(parts, mail, now) : giveUp(parts, mail, trouble, now))
    return { kind: 'done' }
  }
}

interface Waiting {
  row: MessageRow
  recipients: RecipientRow[]
  inbox: Pick<InboxRow, 'id' | 'org_id' | 'address' | 'send_policy'>
  /** Whether the inbox that it is written from is switched on. */
  is_active: boolean
  /** That inbox sends nothing until a person clears it. */
  stopped: boolean
}

async function waiting({ db }: Parts, orgId: OrgId, id: string): Promise<Waiting | undefined> {
  const [found] = await db.query<MessageRow & Pick<Waiting, 'inbox' | 'is_active' | 'stopped'>>(
    `SELECT m.*, i.is_active, i.sending_stopped_at IS NOT NULL AS stopped, jsonb_build_object(
       'id', i.id, 'org_id', i.org_id, 'address', i.address, 'send_policy', i.send_policy) AS inbox
     FROM messages m JOIN inboxes i ON i.org_id = m.org_id AND i.id = m.inbox_id
     WHERE m.org_id = $1 AND m.id = $2 AND i.deleted_at IS NULL
       AND m.status = 'scheduled'`,
    [orgId, id],
    'release_load',
  )
  if (found === undefined) return undefined
  const { inbox, is_active, stopped, ...row } = found
  const recipients = await db.query<RecipientRow>(
    'SELECT * FROM recipients WHERE org_id = $1 AND message_id = $2 ORDER BY position',
    [orgId, id],
    'release_recipients',
  )
  return { row, recipients, inbox, is_active, stopped }
}

/**
 * What the block-list and send_policy have come to say against it, whoever wrote it. A domain that was lost meanwhile
 * is the deliveries' concern: they wait for it.
 */
async function forbidden(
  parts: Parts,
  { row, recipients, inbox }: Waiting,
): Promise<string | undefined> {
  const reasons = await denialsOf(parts, {
    caller: { agent: row.by_agent },
    inbox,
    threadId: row.thread_id,
    emails: recipients.filter(({ status }) => isUnderWay(status)).map(({ email }) => email),
  })
  const lasting = reasons.filter(({ code }) => code !== 'sender_domain_unusable')
  return lasting.length === 0 ? undefined : lasting.map(({ message }) => message).join(' ')
}

async function goOn(parts: Parts, mail: Waiting, now: Date): Promise<void> {
  const firstWait = (parts.settings.outboundRetrySchedule[0] ?? 0) * SECOND_MS
  const jobs = deliverJobs(mail, new Date(now.getTime() + firstWait), now)
  await letGo(parts, { row: mail.row, status: 'queued', jobs })
  parts.jobs.wake()
}

/** It may not go now, and a mail that came out days later would surprise everybody. */
async function giveUp({ db }: Parts, { row }: Waiting, why: string, at: Date): Promise<void> {
  const reason = `not sent: when its hour came, ${why}`
  const { org_id, id, inbox_id: inboxId, thread_id: threadId } = row
  const about = { orgId: org_id, inboxId, threadId, messageId: id, data: { reason } }
  await db.query(
    `WITH failed AS (
       UPDATE messages SET status = 'failed'
       WHERE org_id = $1 AND id = $2 AND status = 'scheduled' AND send_at = $6 RETURNING id
     ), told AS (
       UPDATE recipients SET status = 'failed', detail = $3, updated_at = $4
       WHERE org_id = $1 AND message_id IN (SELECT id FROM failed) AND status = 'queued'
     )
     INSERT INTO events (org_id, id, event, inbox_id, thread_id, message_id, data, created_at)
     SELECT e.org_id, e.id, e.event, e.inbox_id, e.thread_id, e.message_id, e.data, e.created_at
     FROM failed, jsonb_populate_record(NULL::events, $5) AS e`,
    [org_id, id, reason, at, JSON.stringify(newEvent('email.failed', about, at)), row.send_at],
    'release_give_up',
  )
}
