// What webhooks became of an inbox's events.
import { z } from 'zod'
import { EVENT_NAMES } from '../events.ts'
import { resolveInbox } from '../inboxes/find.ts'
import { operation } from '../operation.ts'
import { makePage, pageInput, pageOf, placeOf } from '../page.ts'
import { type AttemptRow, DELIVERY_STATUSES, type DeliveryRow } from './delivery.ts'

const Delivery = z.object({
  id: z.string(),
  inbox_id: z.string(),
  event: z.string(),
  event_id: z.string(),
  url: z.string(),
  status: z.enum(DELIVERY_STATUSES),
  next_attempt_at: z.string().nullable(),
  created_at: z.string(),
  attempts: z.array(
    z.object({
      number: z.number(),
      status: z.enum(['succeeded', 'failed']),
      http_status: z.number().nullable(),
      duration_ms: z.number(),
      started_at: z.string(),
      reason: z.string().nullable(),
      answer: z.string().nullable(),
    }),
  ),
})

type Listed = Omit<DeliveryRow, 'body'> & { attempts: AttemptRow[] }

const FILTER = `d.org_id = $1 AND d.inbox_id = $2
  AND ($3::text IS NULL OR d.status = $3) AND ($4::text IS NULL OR d.event = $4)`

export const listDeliveries = operation({
  name: 'list_deliveries',
  summary: 'The webhook deliveries of an inbox with every attempt, newest first.',
  scope: 'inbox:read',
  reads: true,
  input: z.strictObject({
    inbox_id: z.string(),
    status: z.enum(DELIVERY_STATUSES).optional(),
    event: z.enum(EVENT_NAMES).optional(),
    ...pageInput,
  }),
  output: pageOf(Delivery),
  async run(engine, caller, { inbox_id, status, event, ...page }) {
    const inbox = await resolveInbox(engine, caller, inbox_id)
    const after = placeOf(page.cursor, 'dlv')
    const wanted = [caller.orgId, inbox.id, status ?? null, event ?? null]
    const rows = await engine.db.query<Listed>(
      `SELECT d.id, d.inbox_id, d.event, d.event_id, d.url, d.status, d.next_attempt_at, d.created_at,
         coalesce((SELECT jsonb_agg(a ORDER BY a.number) FROM webhook_attempts a
           WHERE a.org_id = d.org_id AND a.delivery_id = d.id), '[]') AS attempts
       FROM webhook_deliveries d
       WHERE ${FILTER} AND ($5::timestamptz IS NULL OR (d.created_at, d.id) < ($5, $6))
       ORDER BY d.created_at DESC, d.id DESC LIMIT $7 OFFSET $8`,
      [...wanted, after?.at ?? null, after?.id ?? null, page.limit + 1, page.offset],
    )
    const [count] = await engine.db.query<{ total: number }>(
      `SELECT count(*) AS total FROM webhook_deliveries d WHERE ${FILTER}`,
      wanted,
    )
    const place = (row: Listed) => ({ at: row.created_at, id: row.id })
    return makePage(rows, page, count?.total ?? 0, place, showDelivery)
  },
})

const showDelivery = (row: Listed): z.infer<typeof Delivery> => ({
  id: row.id,
  inbox_id: row.inbox_id,
  event: row.event,
  event_id: row.event_id,
  url: row.url,
  status: row.status,
  next_attempt_at: row.next_attempt_at?.toISOString() ?? null,
  created_at: row.created_at.toISOString(),
  attempts: row.attempts.map(showAttempt),
})

/** Rows inside jsonb carry their times as text. */
const showAttempt = ({
  number,
  reason,
  http_status,
  duration_ms,
  started_at,
  answer,
}: AttemptRow) => ({
  number,
  status: reason === null ? ('succeeded' as const) : ('failed' as const),
  http_status,
  duration_ms,
  started_at: new Date(started_at).toISOString(),
  reason,
  answer,
})
