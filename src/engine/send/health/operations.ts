// How the world takes an inbox's mail, and letting it send again after it was stopped.
import { z } from 'zod'
import { newAudit } from '../../audit.ts'
import { newEvent } from '../../events.ts'
import type { InboxId, OrgId } from '../../ids.ts'
import { resolveInbox } from '../../inboxes/find.ts'
import { operation } from '../../operation.ts'
import type { Engine } from '../../ports.ts'
import { DELIVER_JOB } from '../outgoing.ts'
import { RELEASE_JOB } from '../schedule/release.ts'
import { MIN_SENT, MOST_BOUNCED_PERMILLE, MOST_COMPLAINED_PERMILLE } from './count.ts'

const PERMILLE = 1000
const input = z.strictObject({ inbox_id: z.string() })

const Health = z.object({
  inbox_id: z.string(),
  status: z.enum(['sending', 'stopped']),
  stopped_at: z.string().nullable(),
  stopped_reason: z.string().nullable(),
  /** Recipients that a mail was handed over for or that refused it for good. */
  sent: z.number(),
  bounced: z.number(),
  complained: z.number(),
  /** Shares of `sent`; null before anything was sent. */
  bounce_rate: z.number().nullable(),
  complaint_rate: z.number().nullable(),
  /** When counting began; null before anything was sent. */
  since: z.string().nullable(),
  limits: z.object({ min_sent: z.number(), bounce_rate: z.number(), complaint_rate: z.number() }),
})

export const getHealth = operation({
  name: 'get_inbox_health',
  summary:
    'How much of an inbox’s mail bounced for good or was reported as spam, and whether its sending was stopped for it.',
  scope: 'inbox:read',
  reads: true,
  input,
  output: Health,
  async run(engine, caller, { inbox_id }) {
    const { id } = await resolveInbox(engine, caller, inbox_id)
    return healthOf(engine, caller.orgId, id)
  },
})

/** A person has looked into it: counting begins anew, and mail that waited goes out. */
export const clearHealth = operation({
  name: 'clear_inbox_health',
  summary:
    'Let an inbox send again whose sending was stopped, and count its bounces and complaints anew.',
  scope: 'org:admin',
  reads: false,
  input,
  output: Health,
  async run(engine, caller, { inbox_id }) {
    const { db, clock, jobs } = engine
    const { id, address } = await resolveInbox(engine, caller, inbox_id)
    const now = clock.now()
    const before = await healthOf(engine, caller.orgId, id)
    const { sent, bounced, complained, stopped_reason } = before
    const detail = { sent, bounced, complained, stopped_reason }
    const audit = newAudit(
      caller,
      { action: 'inbox.health_cleared', inbox_id: id, ids: [id], detail, undoes: null },
      now,
    )
    const about = { orgId: caller.orgId, inboxId: id, data: { address, by: caller.name } }
    const event = newEvent('inbox.sending_resumed', about, now)
    await db.query(CLEAR, [
      caller.orgId,
      id,
      now,
      JSON.stringify(audit),
      JSON.stringify(event),
      [DELIVER_JOB, RELEASE_JOB],
    ])
    jobs.wake()
    return healthOf(engine, caller.orgId, id)
  },
})

// A mail that was moved to a later hour has a job for that one: woken before, it would end without effect.
const CLEAR = `
  WITH cleared AS (
    UPDATE inbox_health SET sent = 0, bounced = 0, complained = 0, since = $3
    WHERE org_id = $1 AND inbox_id = $2
  ), resumed AS (
    UPDATE inboxes SET sending_stopped_at = NULL, sending_stopped_reason = NULL
    WHERE org_id = $1 AND id = $2 AND sending_stopped_at IS NOT NULL RETURNING 1
  ), noted AS (
    INSERT INTO audit SELECT * FROM jsonb_populate_record(NULL::audit, $4)
  ), waiting AS (
    UPDATE jobs SET run_at = $3
    WHERE org_id = $1 AND name = ANY($6) AND leased_until IS NULL AND run_at > $3
      AND EXISTS (SELECT 1 FROM resumed)
      AND $2 = (SELECT m.inbox_id FROM messages m WHERE m.org_id = $1 AND m.id = jobs.payload ->> 'message_id'
        AND (m.send_at IS NULL OR m.send_at <= $3))
  )
  INSERT INTO events (org_id, id, event, inbox_id, data, created_at)
  SELECT e.org_id, e.id, e.event, e.inbox_id, e.data, e.created_at
  FROM jsonb_populate_record(NULL::events, $5) AS e, resumed`

interface HealthRow {
  sent: number | null
  bounced: number | null
  complained: number | null
  since: Date | null
  sending_stopped_at: Date | null
  sending_stopped_reason: string | null
}

async function healthOf(
  { db }: Pick<Engine, 'db'>,
  orgId: OrgId,
  inboxId: InboxId,
): Promise<z.infer<typeof Health>> {
  const [row] = await db.query<HealthRow>(
    `SELECT i.sending_stopped_at, i.sending_stopped_reason, h.sent, h.bounced, h.complained, h.since
     FROM inboxes i LEFT JOIN inbox_health h ON h.org_id = i.org_id AND h.inbox_id = i.id
     WHERE i.org_id = $1 AND i.id = $2`,
    [orgId, inboxId],
    'inbox_health',
  )
  const sent = row?.sent ?? 0
  const rate = (count: number) => (sent === 0 ? null : count / sent)
  const bounced = row?.bounced ?? 0
  const complained = row?.complained ?? 0
  return {
    inbox_id: inboxId,
    status: row?.sending_stopped_at ? 'stopped' : 'sending',
    stopped_at: row?.sending_stopped_at?.toISOString() ?? null,
    stopped_reason: row?.sending_stopped_reason ?? null,
    sent,
    bounced,
    complained,
    bounce_rate: rate(bounced),
    complaint_rate: rate(complained),
    since: row?.since?.toISOString() ?? null,
    limits: {
      min_sent: MIN_SENT,
      bounce_rate: MOST_BOUNCED_PERMILLE / PERMILLE,
      complaint_rate: MOST_COMPLAINED_PERMILLE / PERMILLE,
    },
  }
}
