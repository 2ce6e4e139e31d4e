// What a batch of arrivals must know before it is decided: threads of the ids they name, deliveries seen before.
import type { InboxId, MessageId, ThreadId } from '../ids.ts'
import type { Engine } from '../ports.ts'
import type { Arrival } from './rows.ts'
import { idsOf } from './thread.ts'

export interface Known {
  threadOf(inboxId: InboxId, rfcId: string): ThreadId | undefined
  seenAs(inboxId: InboxId, fingerprint: string): MessageId | undefined
  /** Later arrivals of the same batch know the earlier ones. */
  add(arrival: Arrival, threadId: ThreadId): void
}

/** Two look-ups for any number of arrivals. */
export async function lookUp(
  { db }: Pick<Engine, 'db'>,
  arrivals: readonly Arrival[],
): Promise<Known> {
  const wanted = arrivals.flatMap(({ inbox, parsed }) =>
    idsOf(parsed.ties).map((id) => ({ org: inbox.org_id, inbox: inbox.inbox_id, id })),
  )
  const threads = new Map<string, ThreadId>()
  const seen = new Map<string, MessageId>()
  const ids = await db.urgent<{ inbox_id: InboxId; rfc_id: string; thread_id: ThreadId }>(
    `SELECT k.inbox_id, k.rfc_id, k.thread_id
     FROM unnest($1::text[], $2::text[], $3::text[]) AS q (org_id, inbox_id, rfc_id)
     JOIN message_ids k USING (org_id, inbox_id, rfc_id)`,
    [wanted.map(({ org }) => org), wanted.map(({ inbox }) => inbox), wanted.map(({ id }) => id)],
    'look_up_message_ids',
  )
  for (const { inbox_id, rfc_id, thread_id } of ids) threads.set(`${inbox_id} ${rfc_id}`, thread_id)
  const before = await db.urgent<{ inbox_id: InboxId; hash: string; message_id: MessageId }>(
    `SELECT s.inbox_id, s.hash, s.message_id
     FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) AS q (org_id, inbox_id, hash, at)
     JOIN seen s USING (org_id, inbox_id, hash) WHERE s.expires_at > q.at`,
    [
      arrivals.map(({ inbox }) => inbox.org_id),
      arrivals.map(({ inbox }) => inbox.inbox_id),
      arrivals.map(({ fingerprint }) => fingerprint),
      arrivals.map(({ at }) => at),
    ],
    'look_up_seen',
  )
  for (const { inbox_id, hash, message_id } of before) seen.set(`${inbox_id} ${hash}`, message_id)
  return {
    threadOf: (inboxId, rfcId) => threads.get(`${inboxId} ${rfcId}`),
    seenAs: (inboxId, fingerprint) => seen.get(`${inboxId} ${fingerprint}`),
    add({ inbox, parsed, fingerprint, messageId }, threadId) {
      const { messageId: rfcId } = parsed.ties
      const key = `${inbox.inbox_id} ${rfcId}`
      if (rfcId !== null && !threads.has(key)) threads.set(key, threadId)
      seen.set(`${inbox.inbox_id} ${fingerprint}`, messageId)
    },
  }
}
