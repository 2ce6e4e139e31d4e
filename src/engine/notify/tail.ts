// Webhooks: follows the event log in commit order and turns what inboxes want to hear into deliveries.
import { newId } from '../../platform/ids.ts'
import type { EventRow } from '../events.ts'
import type { EventId, MessageId, OrgId } from '../ids.ts'
import { type JobRow, newJob } from '../jobs/job.ts'
import type { Tail } from '../jobs/tail.ts'
import { showMessages } from '../messages/load.ts'
import type { MessageRow } from '../messages/message.ts'
import type { Engine } from '../ports.ts'
import { addressed } from './addressees.ts'
import { renderBody, type Told } from './body.ts'
import { type DeliveryRow, POST_JOB } from './delivery.ts'
import { firstAttemptAt } from './outcome.ts'

type Parts = Pick<Engine, 'db' | 'clock' | 'settings'>

const READER = 'notify'
/** Most events nobody is told of: they are counted off by the database, and only their last ones come here. */
const READ_EVENTS = 500
/** So many are told at once. */
const BATCH_EVENTS = 50
/** Bodies repeat what the mails say: a batch is cut where its mails grow beyond this. */
const BATCH_MAIL_BYTES = 8 * 1024 * 1024

/** A place in the log; xid as text, since it is 64 bits wide. */
interface Cursor {
  xid: string
  seq: number
}

interface LoggedEvent extends EventRow, Cursor {
  /** No transaction is open any more that could still put an event before this one. */
  settled: boolean
  /** Null where the inbox does not want to be told, or the mail was imported and is no news. */
  webhook_url: string | null
  mail_size: number
}

interface Telling {
  delivery: DeliveryRow
  /** What it is about: the mail, or else the event itself. */
  about: MessageId | EventId
}

/** The reader that the worker runs. Several processes may tail at once: the cursor lets one win. */
export function webhookTail(parts: Parts): Tail {
  return { name: READER, step: () => step(parts) }
}

async function step(parts: Parts): Promise<'more' | 'held' | 'end'> {
  const { cursor, events, read, settled } = await readOn(parts)
  if (cursor === undefined) return begin(parts)
  const batch = cut(events, read < READ_EVENTS)
  const last = batch.at(-1)
  if (last === undefined) return read > 0 ? 'held' : 'end'
  await write(parts, cursor, last, await tellings(parts, batch))
  const isAll = read < READ_EVENTS && settled === read && batch.length === events.length
  return isAll ? 'end' : 'more'
}

async function begin({ db }: Parts): Promise<'more'> {
  await db.query(`INSERT INTO cursors VALUES ($1, '0', 0) ON CONFLICT DO NOTHING`, [READER])
  return 'more'
}

interface Read {
  /** Undefined: nobody has read yet. */
  cursor: Cursor | undefined
  /** Of those that are settled whoever is to be told, and the last two, in order. */
  events: LoggedEvent[]
  /** How many were read on, and how many of them are settled: no transaction can still put an event before these. */
  read: number
  settled: number
}

type Row = LoggedEvent & { from_xid: string; from_seq: number; read: number; settled_of: number }

async function readOn({ db }: Parts): Promise<Read> {
  await db.quiet()
  const rows = await db.query<Row>(
    `SELECT c.xid::text AS from_xid, c.seq AS from_seq, e.* FROM cursors c
     LEFT JOIN LATERAL (
       SELECT * FROM (
         SELECT *, count(*) OVER () AS read, count(*) FILTER (WHERE settled) OVER () AS settled_of
         FROM events_after(c.xid, c.seq, ${READ_EVENTS}) WITH ORDINALITY
       ) AS found
       WHERE webhook_url IS NOT NULL OR inbox_id IS NULL OR ordinality BETWEEN settled_of - 1 AND settled_of
         OR ordinality = read
     ) AS e ON true
     WHERE c.name = $1 ORDER BY e.ordinality`,
    [READER],
    'notify_read',
  )
  const [first] = rows
  if (!first) return { cursor: undefined, events: [], read: 0, settled: 0 }
  return {
    cursor: { xid: first.from_xid, seq: first.from_seq },
    events: rows.filter((row) => row.settled),
    read: first.read ?? 0,
    settled: first.settled_of ?? 0,
  }
}

/** As much as goes into one batch; the events of one mail stay together. */
function cut(events: LoggedEvent[], isWhole: boolean): LoggedEvent[] {
  let bytes = 0
  const heavy = events.findIndex((event, n) => {
    if (event.message_id !== null && event.message_id === events[n - 1]?.message_id) return false
    bytes += event.mail_size
    return n > 0 && (bytes > BATCH_MAIL_BYTES || n >= BATCH_EVENTS)
  })
  if (heavy !== -1) return events.slice(0, heavy)
  // The next event may be of the same mail, and is not read yet.
  const splits = !isWhole && events.length > 1 && events.at(-1)?.event === 'thread.created'
  return splits ? events.slice(0, -1) : events
}

async function tellings(parts: Parts, batch: LoggedEvent[]): Promise<Telling[]> {
  const wanted = await addressed(parts, batch)
  const messages = await messagesOf(parts, wanted)
  const now = parts.clock.now()
  return wanted.flatMap((event) => {
    const { org_id, inbox_id, webhook_url: url, message_id } = event
    const message = message_id === null ? undefined : messages.get(message_id)
    // Without its mail there is nothing to tell: it was erased before it was told.
    if (inbox_id === null || url === null || (message_id !== null && !message)) return []
    const next_attempt_at = firstAttemptAt(parts.settings.webhookRetrySchedule, now)
    const about = { org_id, inbox_id, event_id: event.id, event: event.event, url }
    const body = renderBody(event, message)
    const state = { status: 'pending' as const, next_attempt_at, created_at: now }
    const delivery = { ...about, id: newId('dlv', now), body, ...state }
    return [{ delivery, about: message_id ?? event.id }]
  })
}

async function messagesOf(parts: Parts, events: LoggedEvent[]): Promise<Map<MessageId, Told>> {
  const told = new Map<MessageId, Told>()
  const ids = (orgId: OrgId) =>
    events.filter((event) => event.org_id === orgId).flatMap((event) => event.message_id ?? [])
  for (const orgId of new Set(events.map((event) => event.org_id))) {
    await parts.db.quiet()
    const rows = await parts.db.query<MessageRow>(
      'SELECT * FROM messages WHERE org_id = $1 AND id = ANY ($2)',
      [orgId, ids(orgId)],
      'notify_messages',
    )
    const shown = await showMessages(parts, orgId, rows)
    rows.forEach((row, n) => {
      const message = shown[n]
      if (message) told.set(row.id, { ...message, authentication: row.authentication })
    })
  }
  return told
}

/** One statement: whoever finds the cursor moved meanwhile writes nothing and reads again. */
async function write(
  { db, clock }: Parts,
  from: Cursor,
  to: Cursor,
  batch: Telling[],
): Promise<void> {
  const deliveries = batch.map(({ delivery }) => delivery)
  const jobs = jobsOf(batch, clock.now())
  await db.quiet()
  await db.query(
    `WITH moved AS (
       UPDATE cursors SET xid = $4, seq = $5 WHERE name = $1 AND xid = $2 AND seq = $3 RETURNING 1
     ), delivery AS (
       SELECT d.* FROM moved, jsonb_populate_recordset(NULL::webhook_deliveries, $6) AS d
     ), inbox AS MATERIALIZED (
       SELECT i.org_id, i.id FROM inboxes i
       WHERE (i.org_id, i.id) IN (SELECT org_id, inbox_id FROM delivery) AND i.deleted_at IS NULL
       FOR SHARE
     ), kept AS (
       INSERT INTO webhook_deliveries
       SELECT d.* FROM delivery d JOIN inbox i ON i.org_id = d.org_id AND i.id = d.inbox_id
       ON CONFLICT (org_id, event_id, inbox_id) DO NOTHING
       RETURNING org_id, id
     )
     INSERT INTO jobs
     SELECT j.* FROM jsonb_populate_recordset(NULL::jobs, $7) AS j
     JOIN kept k ON k.org_id = j.org_id AND k.id = j.payload -> 'delivery_ids' ->> 0`,
    [READER, from.xid, from.seq, to.xid, to.seq, JSON.stringify(deliveries), JSON.stringify(jobs)],
    'notify_write',
  )
}

/** One job for all that an endpoint is told of one mail, so that it is told in order. */
function jobsOf(batch: Telling[], now: Date): JobRow[] {
  const groups = new Map<string, DeliveryRow[]>()
  for (const { delivery, about } of batch) {
    const key = `${delivery.inbox_id} ${about}`
    groups.set(key, [...(groups.get(key) ?? []), delivery])
  }
  return [...groups.values()].map((group) => jobOf(group, now))
}

function jobOf(group: DeliveryRow[], now: Date): JobRow {
  const [{ org_id, url, next_attempt_at }] = group as [DeliveryRow]
  const payload = { delivery_ids: group.map(({ id }) => id) }
  const lane = URL.canParse(url) ? new URL(url).host : ''
  return newJob(POST_JOB, { orgId: org_id, payload, runAt: next_attempt_at ?? now, lane }, now)
}
