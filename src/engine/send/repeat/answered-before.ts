// What was answered under an Idempotency-Key, and the row that keeps an answer for the next time.
import { type Caller, seesInbox } from '../../caller.ts'
import { Conflict } from '../../errors.ts'
import type { InboxId, OrgId } from '../../ids.ts'
import type { IdempotencyRow } from '../../messages/store.ts'
import type { Engine } from '../../ports.ts'
import type { Held, SentMessage } from '../sent.ts'
import { KEPT_HOURS, type RepeatKey } from './key.ts'

const HOUR_MS = 3_600_000

/**
 * The answer that was given under this key within 24 h; undefined where there is none.
 * Throws Conflict where the key was used for another request, or for an inbox that the caller does not see.
 */
export async function answeredBefore(
  { db, clock }: Pick<Engine, 'db' | 'clock'>,
  caller: Caller,
  { route, key, bodySha256 }: RepeatKey,
): Promise<SentMessage | Held | undefined> {
  const [row] = await db.query<Pick<IdempotencyRow, 'inbox_id' | 'body_sha256' | 'answer'>>(
    `SELECT inbox_id, body_sha256, answer FROM idempotency
     WHERE org_id = $1 AND route = $2 AND key = $3 AND expires_at > $4`,
    [caller.orgId, route, key, clock.now()],
    'answered_before',
  )
  if (row === undefined) return undefined
  if (row.body_sha256 === bodySha256 && seesInbox(caller, row.inbox_id)) {
    return { ...JSON.parse(row.answer), replayed: true }
  }
  throw new Conflict(`The idempotency key ${JSON.stringify(key)} was used for another request.`, {
    fix: 'Send the very same request again to get its answer, or use a new key for a new mail.',
    details: [{ field: 'idempotency_key', message: 'belongs to a request with another body' }],
  })
}

/** Kept with the mail, in its statement: of many at once, one is stored. */
export function keptAnswer(
  { route, key, bodySha256 }: RepeatKey,
  about: { orgId: OrgId; inboxId: InboxId; answer: SentMessage | Held },
  now: Date,
): IdempotencyRow {
  return {
    org_id: about.orgId,
    route,
    key,
    inbox_id: about.inboxId,
    body_sha256: bodySha256,
    answer: JSON.stringify(about.answer),
    expires_at: new Date(now.getTime() + KEPT_HOURS * HOUR_MS),
    at: now,
  }
}

/** A daily chore: what nobody can ask for any more. */
export async function forgetAnswers({ db, clock }: Pick<Engine, 'db' | 'clock'>): Promise<void> {
  await db.quiet()
  await db.query('DELETE FROM idempotency WHERE expires_at <= $1', [clock.now()])
}
