// Rows of mail that came in, made again: placed as it was placed, without telling anybody.
import { type Batch, emptyBatch, storeMessages } from '../../messages/store.ts'
import type { Engine } from '../../ports.ts'
import { lookUp } from '../known.ts'
import { type Arrival, addArrival } from '../rows.ts'
import { placeOfMail } from '../thread.ts'

/** How often a batch is decided again where live mail has changed its threads meanwhile. */
const MAX_DECISIONS = 8

/**
 * Stores mails whose rows are missing, in this order. A repeat of one that has its row is left out. Returns how many
 * were stored.
 */
export async function storeInbound(
  parts: Pick<Engine, 'db'>,
  arrivals: readonly Arrival[],
): Promise<number> {
  let taken = 0
  let stored = 0
  let decisions = 0
  while (taken < arrivals.length) {
    const decided = await decide(parts, arrivals.slice(taken))
    const { batch } = decided
    await parts.db.quiet()
    const outcome = await storeMessages(parts, { ...batch, events: [], seen: [] })
    if (outcome === 'stored') {
      await rememberDeliveries(parts, batch)
      taken += decided.taken
      stored += batch.messages.length
      decisions = 0
    } else if (++decisions === MAX_DECISIONS) {
      throw new Error(`the mail ${arrivals[taken]?.messageId} could not be stored again`)
    }
  }
  return stored
}

/** As mail that comes in is decided: what joins threads begins a statement of its own. */
async function decide(parts: Pick<Engine, 'db'>, arrivals: readonly Arrival[]) {
  const known = await lookUp(parts, arrivals)
  const batch = emptyBatch()
  let taken = 0
  for (const arrival of arrivals) {
    const { inbox, parsed, incoming, fingerprint, messageId } = arrival
    const before = known.seenAs(inbox.inbox_id, fingerprint) ?? messageId
    if (before !== messageId) {
      taken += 1
      continue
    }
    const knowledge = known.in(inbox.inbox_id)
    const author = parsed.from?.email ?? null
    const place = placeOfMail(parsed.ties, author, knowledge, incoming.envelope.rcpt_to)
    const joinsThreads = place.kind === 'joins' && place.merges.length > 0
    if (joinsThreads && batch.messages.length > 0) break
    const { thread_id } = addArrival(batch, arrival, place, knowledge)
    known.add(arrival, thread_id, place)
    taken += 1
  }
  return { batch, taken }
}

/** So that a sender who comes again within the week is recognised. */
async function rememberDeliveries({ db }: Pick<Engine, 'db'>, { seen }: Batch): Promise<void> {
  await db.query(
    `INSERT INTO seen AS s
     SELECT DISTINCT ON (n.org_id, n.inbox_id, n.hash) n.*
     FROM jsonb_populate_recordset(NULL::seen, $1) AS n
     ORDER BY n.org_id, n.inbox_id, n.hash, n.expires_at DESC
     ON CONFLICT (org_id, inbox_id, hash) DO UPDATE
       SET message_id = excluded.message_id, expires_at = excluded.expires_at
       WHERE s.expires_at < excluded.expires_at`,
    [JSON.stringify(seen)],
    'rebuild_seen',
  )
}
