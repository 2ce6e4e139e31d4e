// One attempt of a delivery: a signed POST, then the attempt and what follows from it, recorded together.
import type { DeliveryId, EventId, InboxId, OrgId } from '../ids.ts'
import type { JobHandler } from '../jobs/handler.ts'
import type { Engine, HttpPoster, PostResult } from '../ports.ts'
import type { AttemptRow, DeliveryStatus } from './delivery.ts'
import { failureOf, type Outcome, outcomeOf } from './outcome.ts'
import { signatureHeaders } from './sign.ts'

type Parts = Pick<Engine, 'db' | 'clock' | 'log' | 'settings'> & {
  poster: Pick<HttpPoster, 'post'>
}

const USER_AGENT = 'Postroom'
const ANSWER_SHOWN_BYTES = 1024

interface Due {
  org_id: OrgId
  id: DeliveryId
  inbox_id: InboxId
  event_id: EventId
  event: string
  body: string
  status: DeliveryStatus
  next_attempt_at: Date | null
  /** The inbox's endpoint as it is now; null where it has none, or it is disabled. */
  url: string | null
  secret: string
  attempts: number
}

/**
 * The handler of the job `notify.post`: the deliveries of one mail to one endpoint, each after the one
 * before it, so that `thread.created` arrives first. What a delivery says counts, not how often the job
 * ran: a process killed in the middle of a POST repeats it, one killed after recording it does not.
 */
export function postDeliveries(parts: Parts): JobHandler {
  return async ({ orgId, payload }, signal) => {
    const waiting: Date[] = []
    for (const id of payload.delivery_ids as DeliveryId[]) {
      signal.throwIfAborted()
      const next = await advance(parts, orgId, id)
      if (next) waiting.push(next)
    }
    const [soonest] = waiting.toSorted((a, b) => a.getTime() - b.getTime())
    return soonest ? { kind: 'again', at: soonest } : { kind: 'done' }
  }
}

/** Does what is due of a delivery; answers with its next attempt, null where there is none. */
async function advance(parts: Parts, orgId: OrgId, id: DeliveryId): Promise<Date | null> {
  const due = await load(parts, orgId, id)
  if (due?.status !== 'pending') return null
  if (due.next_attempt_at !== null && due.next_attempt_at > parts.clock.now()) {
    return due.next_attempt_at
  }
  if (due.url === null) return withdraw(parts, due)
  return attempt(parts, due, due.url)
}

async function attempt(parts: Parts, due: Due, url: string): Promise<Date | null> {
  const { clock, settings, poster } = parts
  const startedAt = clock.now()
  const headers = {
    'content-type': 'application/json',
    'user-agent': USER_AGENT,
    ...signatureHeaders(due.secret, { id: due.event_id, at: startedAt, body: due.body }),
  }
  const timeoutMs = settings.webhookTimeoutSeconds * 1000
  const result = await poster.post({ url, headers, body: due.body, timeoutMs })
  const number = due.attempts + 1
  const schedule = settings.webhookRetrySchedule
  const outcome = outcomeOf(result, { attempt: number, schedule, now: clock.now() })
  await record(parts, due, url, attemptRow(due, number, startedAt, result), outcome)
  logAttempt(parts, due, url, number, result, outcome)
  return outcome.kind === 'retry' ? outcome.at : null
}

async function load({ db }: Parts, orgId: OrgId, id: string): Promise<Due | undefined> {
  await db.quiet()
  const [due] = await db.query<Due>(
    `SELECT d.org_id, d.id, d.inbox_id, d.event_id, d.event, d.body, d.status, d.next_attempt_at,
       CASE WHEN i.webhook_disabled_at IS NULL AND i.deleted_at IS NULL THEN i.webhook_url END AS url,
       i.webhook_secret AS secret,
       (SELECT count(*) FROM webhook_attempts a WHERE a.org_id = d.org_id AND a.delivery_id = d.id)
         AS attempts
     FROM webhook_deliveries d JOIN inboxes i ON i.org_id = d.org_id AND i.id = d.inbox_id
     WHERE d.org_id = $1 AND d.id = $2`,
    [orgId, id],
    'notify_load',
  )
  return due
}

/** Nobody wants it any more: the endpoint was removed, disabled, or its inbox deleted. */
async function withdraw({ db, log }: Parts, due: Due): Promise<null> {
  await db.quiet()
  await db.query(
    `UPDATE webhook_deliveries SET status = 'failed', next_attempt_at = NULL
     WHERE org_id = $1 AND id = $2 AND status = 'pending'`,
    [due.org_id, due.id],
    'notify_withdraw',
  )
  log.info({ ...named(due), outcome: 'withdrawn' }, 'webhook')
  return null
}

function attemptRow(due: Due, number: number, startedAt: Date, result: PostResult): AttemptRow {
  const answered = result.kind === 'answered'
  return {
    org_id: due.org_id,
    delivery_id: due.id,
    number,
    started_at: startedAt,
    duration_ms: result.durationMs,
    http_status: answered ? result.status : null,
    reason: failureOf(result),
    answer: answered ? firstBytes(result.body) : null,
  }
}

/** One statement, one commit: the attempt, the state of the delivery, and the endpoint where it is gone. */
async function record(
  { db, clock }: Parts,
  due: Due,
  url: string,
  row: AttemptRow,
  outcome: Outcome,
): Promise<void> {
  const nextAt = outcome.kind === 'retry' ? outcome.at : null
  const goneAt = outcome.kind === 'gone' ? clock.now() : null
  await db.quiet()
  await db.query(
    `WITH delivery AS (
       UPDATE webhook_deliveries SET status = $4, next_attempt_at = $5, url = $6
       WHERE org_id = $1 AND id = $2 RETURNING org_id
     ), disabled AS (
       UPDATE inboxes SET webhook_disabled_at = $7
       WHERE org_id = $1 AND id = $3 AND webhook_url = $6 AND $7::timestamptz IS NOT NULL
     )
     INSERT INTO webhook_attempts
     SELECT a.* FROM delivery, jsonb_populate_record(NULL::webhook_attempts, $8) AS a`,
    [
      due.org_id,
      due.id,
      due.inbox_id,
      statusAfter(outcome),
      nextAt,
      url,
      goneAt,
      JSON.stringify(row),
    ],
    'notify_record',
  )
}

function statusAfter(outcome: Outcome): DeliveryStatus {
  switch (outcome.kind) {
    case 'delivered':
      return 'delivered'
    case 'retry':
      return 'pending'
    case 'exhausted':
    case 'gone':
      return 'failed'
  }
}

function logAttempt(
  { log }: Parts,
  due: Due,
  url: string,
  attempt: number,
  result: PostResult,
  outcome: Outcome,
): void {
  const fields = {
    ...named(due),
    // The path may carry a secret of the receiver.
    host: URL.canParse(url) ? new URL(url).host : null,
    attempt,
    outcome: outcome.kind,
    ...(result.kind === 'answered' ? { status: result.status } : {}),
    ...(outcome.kind === 'delivered' ? {} : { reason: failureOf(result) }),
    ...(outcome.kind === 'retry' ? { next: outcome.at.toISOString() } : {}),
    ms: result.durationMs,
  }
  log.info(fields, 'webhook')
}

const named = ({ org_id, inbox_id, id, event, event_id }: Due) => ({
  org: org_id,
  inbox: inbox_id,
  delivery: id,
  event,
  webhook_id: event_id,
})

/** The first 1 KB, without the half of a character at the cut. */
function firstBytes(text: string): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= ANSWER_SHOWN_BYTES) return text
  return bytes
    .subarray(0, ANSWER_SHOWN_BYTES)
    .toString()
    .replace(/\uFFFD$/, '')
}
