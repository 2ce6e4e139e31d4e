// A mail that nobody decided about in time never goes.
import { z } from 'zod'
import type { JobHandler } from '../../jobs/handler.ts'
import type { Engine } from '../../ports.ts'
import { resolve } from './resolve.ts'
import { loadReview } from './review.ts'

type Parts = Pick<Engine, 'db' | 'blobs' | 'clock' | 'jobs'>

const Payload = z.object({ review_id: z.string() })

/** The handler of `reviews.expire`. It may be repeated: only what still waits, and is over, expires. */
export function expireReview(parts: Parts): JobHandler {
  return async ({ orgId, payload }) => {
    const found = await loadReview(parts, orgId, Payload.parse(payload).review_id)
    const at = parts.clock.now()
    if (found === undefined || found.review.status !== 'pending') return { kind: 'done' }
    if (found.review.expires_at > at) return { kind: 'again', at: found.review.expires_at }
    if (await resolve(parts, { ...found, at, status: 'expired' })) parts.jobs.wake()
    return { kind: 'done' }
  }
}
