// What people do with mail that waits for them: look at it, approve it, reject it.
import { z } from 'zod'
import type { Caller } from '../../caller.ts'
import { NotFound } from '../../errors.ts'
import { scopeOf } from '../../inboxes/find.ts'
import type { ReviewRow } from '../../messages/store.ts'
import { operation } from '../../operation.ts'
import { makePage, pageInput, pageOf, placeOf } from '../../page.ts'
import type { Engine } from '../../ports.ts'
import { approve, decided, requirePending, requirePerson } from './approve.ts'
import { resolve } from './resolve.ts'
import { findReview, REVIEW_STATUSES, Review, showReviews } from './review.ts'

const MAX_NOTE = 1000

/** All that were ever held; `status` picks, and `pending` is what waits. */
export const listReviews = operation({
  name: 'list_reviews',
  summary:
    'Mail that was held for a person, of an inbox or of the whole organization, newest first.',
  scope: 'review:resolve',
  reads: true,
  input: z.strictObject({
    inbox_id: z.string().optional(),
    org_id: z.string().optional(),
    status: z.enum(REVIEW_STATUSES).optional(),
    ...pageInput,
  }),
  output: pageOf(Review),
  async run(engine, caller, { inbox_id, org_id, status, ...page }) {
    if (org_id !== undefined && org_id !== caller.orgId) throw new NotFound('organization', org_id)
    const place = placeOf(page.cursor, 'rev')
    const filter = `r.org_id = $1 AND ($2::text[] IS NULL OR r.inbox_id = ANY($2))
      AND ($3::text IS NULL OR r.status = $3)
      AND EXISTS (SELECT 1 FROM inboxes i WHERE i.org_id = r.org_id AND i.id = r.inbox_id AND i.deleted_at IS NULL)`
    const values = [caller.orgId, await scopeOf(engine, caller, inbox_id), status ?? null]
    const rows = await engine.db.query<ReviewRow>(
      `SELECT r.* FROM reviews r WHERE ${filter}
         AND ($4::timestamptz IS NULL OR (r.created_at, r.id) < ($4, $5))
       ORDER BY r.created_at DESC, r.id DESC LIMIT $6 OFFSET $7`,
      [...values, place?.at ?? null, place?.id ?? null, page.limit + 1, page.offset],
    )
    const [count] = await engine.db.query<{ total: number }>(
      `SELECT count(*) AS total FROM reviews r WHERE ${filter}`,
      values,
    )
    const shown = await showReviews(engine, caller.orgId, rows.slice(0, page.limit))
    const byId = new Map(shown.map((review) => [review.id, review]))
    return makePage(
      rows,
      page,
      count?.total ?? 0,
      ({ created_at: at, id }) => ({ at, id }),
      ({ id }) => byId.get(id) as Review,
    )
  },
})

const oneReview = { inbox_id: z.string().optional(), review_id: z.string() }

export const getReview = operation({
  name: 'get_review',
  summary: 'One mail that was held, with its reasons and its hash.',
  scope: 'review:resolve',
  reads: true,
  input: z.strictObject(oneReview),
  output: Review,
  run: shown,
})

/** Throws NotFound, Forbidden (an agent; the block-list), Conflict (another hash; decided or expired). */
export const approveReview = operation({
  name: 'approve_review',
  summary: 'Let exactly the mail with this sha256 go.',
  scope: 'review:resolve',
  reads: false,
  input: z.strictObject({ ...oneReview, sha256: z.string() }),
  output: Review,
  async run(engine, caller, { sha256, ...which }) {
    await approve(engine, caller, await findReview(engine, caller, which), sha256.trim())
    return shown(engine, caller, which)
  },
})

/** Throws NotFound, Forbidden (an agent), Conflict (decided or expired). */
export const rejectReview = operation({
  name: 'reject_review',
  summary: 'Say that a held mail does not go, and why.',
  scope: 'review:resolve',
  reads: false,
  input: z.strictObject({ ...oneReview, reason: z.string().trim().max(MAX_NOTE).optional() }),
  output: Review,
  async run(engine, caller, { reason: note, ...which }) {
    requirePerson(caller)
    const found = await findReview(engine, caller, which)
    const at = engine.clock.now()
    requirePending(found.review, at)
    const because = note ? { note } : {}
    const done = await resolve(engine, { ...found, caller, at, status: 'rejected', ...because })
    if (!done) throw decided(found.review)
    engine.jobs.wake()
    return shown(engine, caller, which)
  },
})

async function shown(
  engine: Engine,
  caller: Caller,
  which: { review_id: string; inbox_id?: string | undefined },
): Promise<Review> {
  const { review } = await findReview(engine, caller, which)
  const [one] = await showReviews(engine, caller.orgId, [review])
  if (one === undefined) throw new NotFound('review', which.review_id)
  return one
}
