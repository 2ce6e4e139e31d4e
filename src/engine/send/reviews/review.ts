// A review as people see it: which mail waits, why, until when, and what was decided.
import { z } from 'zod'
import { type Caller, seesInbox } from '../../caller.ts'
import { NotFound } from '../../errors.ts'
import type { OrgId } from '../../ids.ts'
import { resolveInbox } from '../../inboxes/find.ts'
import { showMessages } from '../../messages/load.ts'
import { Message, type MessageRow } from '../../messages/message.ts'
import type { ReviewRow } from '../../messages/store.ts'
import type { Engine } from '../../ports.ts'
import { Reason } from '../verdict.ts'

type Db = Pick<Engine, 'db'>

export const REVIEW_STATUSES = ['pending', 'approved', 'rejected', 'expired'] as const

export const Review = z.object({
  id: z.string(),
  message_id: z.string(),
  inbox_id: z.string(),
  /** Of envelope and bytes: approving names it, so that nobody approves what they did not see. */
  sha256: z.string(),
  status: z.enum(REVIEW_STATUSES),
  reasons: z.array(Reason),
  created_at: z.string(),
  expires_at: z.string(),
  resolved_at: z.string().optional(),
  /** Name of the key or person. */
  resolved_by: z.string().optional(),
  /** Why it was rejected. */
  note: z.string().optional(),
  message: Message,
})
export type Review = z.infer<typeof Review>

/** A review the caller may see, and its mail. Throws NotFound. */
export async function findReview(
  engine: Db,
  caller: Caller,
  { review_id, inbox_id }: { review_id: string; inbox_id?: string | undefined },
): Promise<{ review: ReviewRow; message: MessageRow }> {
  const inbox = inbox_id === undefined ? undefined : await resolveInbox(engine, caller, inbox_id)
  const found = await loadReview(engine, caller.orgId, review_id)
  const hidden =
    found === undefined ||
    !seesInbox(caller, found.review.inbox_id) ||
    (inbox !== undefined && inbox.id !== found.review.inbox_id)
  if (hidden) throw new NotFound('review', review_id)
  return found
}

/** One review of an organization with its mail; undefined where its inbox was deleted. */
export async function loadReview(
  { db }: Db,
  orgId: OrgId,
  reviewId: string,
): Promise<{ review: ReviewRow; message: MessageRow } | undefined> {
  const [review] = await db.query<ReviewRow>(
    `SELECT r.* FROM reviews r JOIN inboxes i ON i.org_id = r.org_id AND i.id = r.inbox_id
     WHERE r.org_id = $1 AND r.id = $2 AND i.deleted_at IS NULL`,
    [orgId, reviewId],
    'load_review',
  )
  if (review === undefined) return undefined
  const [message] = await db.query<MessageRow>(
    'SELECT * FROM messages WHERE org_id = $1 AND id = $2',
    [orgId, review.message_id],
    'message_of_review',
  )
  return message && { review, message }
}

/** Reviews with their mails, in the order given. */
export async function showReviews(
  engine: Db,
  orgId: OrgId,
  reviews: readonly ReviewRow[],
): Promise<Review[]> {
  const rows = await engine.db.query<MessageRow>(
    'SELECT * FROM messages WHERE org_id = $1 AND id = ANY($2)',
    [orgId, reviews.map(({ message_id }) => message_id)],
    'messages_of_reviews',
  )
  const messages = new Map(
    (await showMessages(engine, orgId, rows)).map((message) => [message.id, message]),
  )
  return reviews.flatMap((review) => {
    const message = messages.get(review.message_id)
    return message === undefined ? [] : [showReview(review, message)]
  })
}

const showReview = (row: ReviewRow, message: Message): Review => ({
  id: row.id,
  message_id: row.message_id,
  inbox_id: row.inbox_id,
  sha256: row.sha256,
  status: row.status,
  reasons: z.array(Reason).parse(row.reasons),
  created_at: row.created_at.toISOString(),
  expires_at: row.expires_at.toISOString(),
  ...(row.resolved_at === null ? {} : { resolved_at: row.resolved_at.toISOString() }),
  ...(row.resolved_by === null ? {} : { resolved_by: row.resolved_by }),
  ...(row.note === null ? {} : { note: row.note }),
  message,
})
