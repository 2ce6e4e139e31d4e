// Holding a mail until a person decides: what is stored instead of its way out.
import { createHash } from 'node:crypto'
import { newId } from '../../../platform/ids.ts'
import { newEvent } from '../../events.ts'
import { newJob } from '../../jobs/job.ts'
import type { MessageRow } from '../../messages/message.ts'
import { type Batch, noConditions, type ReviewRow } from '../../messages/store.ts'
import type { Settings } from '../../ports.ts'
import type { Reason } from '../verdict.ts'

export const EXPIRE_JOB = 'reviews.expire'
export const NOTICE_JOB = 'reviews.notice'

const HOUR_MS = 3_600_000

/** A mail that waits for a person. */
export interface HeldMail {
  batch: Batch
  review: ReviewRow
}

/**
 * The batch that stores a mail as one that waits: not delivered, bound to a review by its hash, with the event
 * that tells of it and the job that ends it after `reviewTtlHours`.
 * @param batch as it would be stored if the mail went at once
 */
export function hold(
  batch: Batch,
  mail: { row: MessageRow; raw: Uint8Array },
  reasons: readonly Reason[],
  settings: Pick<Settings, 'reviewTtlHours' | 'reviewNotify'>,
): HeldMail {
  const { row } = mail
  const at = row.created_at
  const review: ReviewRow = {
    org_id: row.org_id,
    id: newId('rev', at),
    inbox_id: row.inbox_id,
    message_id: row.id,
    sha256: hashOf(mail),
    status: 'pending',
    reasons: [...reasons],
    expires_at: new Date(at.getTime() + settings.reviewTtlHours * HOUR_MS),
    resolved_at: null,
    resolved_by: null,
    note: null,
    created_at: at,
  }
  const conditions = batch.conditions ?? noConditions()
  const held: Batch = {
    ...batch,
    messages: batch.messages.map((one) =>
      one.row.id === row.id ? { ...one, row: { ...one.row, status: 'pending_review' } } : one,
    ),
    events: [...batch.events, pendingEvent(row, review)],
    jobs: jobsOf(review, settings),
    conditions: { ...conditions, reviews: [...conditions.reviews, review] },
  }
  return { batch: held, review }
}

/**
 * SHA-256, in hex, of the exact mail: the envelope as one line of JSON, then the bytes with headers, bodies and
 * attachments. It is what a person approves, and nothing else.
 */
export function hashOf({ row, raw }: { row: Pick<MessageRow, 'envelope'>; raw: Uint8Array }) {
  const { mail_from, rcpt_to } = row.envelope
  const envelope = `${JSON.stringify({ mail_from, rcpt_to })}\n`
  return createHash('sha256').update(envelope).update(raw).digest('hex')
}

function pendingEvent(row: MessageRow, { id, sha256, reasons, expires_at }: ReviewRow) {
  const data = { review_id: id, sha256, reasons, expires_at: expires_at.toISOString() }
  const { org_id: orgId, inbox_id: inboxId, thread_id: threadId, id: messageId } = row
  return newEvent(
    'email.pending_review',
    { orgId, inboxId, threadId, messageId, data },
    row.created_at,
  )
}

function jobsOf(
  { org_id: orgId, id: review_id, created_at, expires_at }: ReviewRow,
  { reviewNotify }: Pick<Settings, 'reviewNotify'>,
) {
  const payload = { review_id }
  const expiry = newJob(EXPIRE_JOB, { orgId, payload, runAt: expires_at }, created_at)
  if (reviewNotify === undefined) return [expiry]
  return [expiry, newJob(NOTICE_JOB, { orgId, payload }, created_at)]
}
