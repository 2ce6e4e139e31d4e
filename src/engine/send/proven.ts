// Who is proven in a thread: the people there of whom it is known that they are who they say.
import { mailboxKey } from '../addresses.ts'
import type { OrgId, ThreadId } from '../ids.ts'
import { NOT_GONE } from '../messages/waiting.ts'
import type { Engine } from '../ports.ts'

/** Flags under which DMARC (RFC 7489 §6.6.1: one author domain) says nothing about the address that is shown. */
const UNSURE_AUTHOR = ['multiple_from', 'several_senders', 'no_sender']

/**
 * The addresses, as `mailboxKey` has them, that are proven in a thread: the single author of inbound mail with DMARC pass,
 * a recipient of ours who answered among them, and whoever a person wrote to there. Cc and Reply-To of mail
 * that came in prove nothing: anybody can put anybody there.
 */
export async function provenIn(
  { db }: Pick<Engine, 'db'>,
  orgId: OrgId,
  threadId: ThreadId,
): Promise<Set<string>> {
  const rows = await db.query<{ email: string }>(
    `SELECT "from" ->> 'email' AS email FROM messages
     WHERE org_id = $1 AND thread_id = $2 AND direction = 'inbound'
       AND authentication ->> 'dmarc' = 'pass' AND "from" IS NOT NULL
       AND NOT sender_flags && $3::text[]
     UNION
     SELECT recipient FROM messages, jsonb_array_elements_text(envelope -> 'rcpt_to') AS recipient
     WHERE org_id = $1 AND thread_id = $2 AND direction = 'outbound' AND NOT by_agent
       AND status <> ALL($4)`,
    [orgId, threadId, UNSURE_AUTHOR, NOT_GONE],
    'proven_in_thread',
  )
  return new Set(rows.map(({ email }) => mailboxKey(email)))
}
