// How many mails wait for a person.
import type { Caller } from '../../caller.ts'
import type { Engine } from '../../ports.ts'

/** Of the inboxes that the caller sees. Whoever may not read a review may know that it is there. */
export async function reviewsWaiting(
  { db }: Pick<Engine, 'db'>,
  { orgId, inboxIds }: Pick<Caller, 'orgId' | 'inboxIds'>,
): Promise<number> {
  const [row] = await db.query<{ total: number }>(
    `SELECT count(*) AS total FROM reviews r
     JOIN inboxes i ON i.org_id = r.org_id AND i.id = r.inbox_id AND i.deleted_at IS NULL
     WHERE r.org_id = $1 AND ($2::text[] IS NULL OR r.inbox_id = ANY($2)) AND r.status = 'pending'`,
    [orgId, inboxIds],
    'reviews_waiting',
  )
  return row?.total ?? 0
}
