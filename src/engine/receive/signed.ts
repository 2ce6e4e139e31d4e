// Answers that are known by a signature of ours alone: the Message-ID they name has no row, or they name none.
import type { InboxId, MessageId, OrgId, ThreadId } from '../ids.ts'
import { withoutTag } from '../inboxes/find.ts'
import type { Mailbox } from '../messages/address.ts'
import type { Engine } from '../ports.ts'
import { type Answered, answeredBy, looksSigned } from '../reply-token.ts'
import type { Arrival } from './rows.ts'
import { idsOf } from './thread.ts'

/** A thread that evidence (a Message-ID, a signed address) leads to in an inbox, and what is known of it. */
export interface TieRow {
  inbox_id: InboxId
  evidence: string
  thread_id: ThreadId
  message_id: MessageId | null
  has_outbound: boolean
  /** Null: another row says it of this thread. */
  participants: Mailbox[] | null
  kept_apart_from: ThreadId[]
}

interface Claim {
  orgId: OrgId
  inboxId: InboxId
  evidence: string
}

/** What the rows say of a Message-ID in an inbox. */
export interface Rows {
  /** It has one. */
  isKnown(inboxId: InboxId, rfcId: string): boolean
  /** It has one that names its message. */
  isSeen(inboxId: InboxId, rfcId: string): boolean
}

/**
 * The threads, and the mails, that signatures lead to. A mail that a Message-ID ties already needs none, so that most
 * batches ask nothing; a report does, where only its own mention of our mail is known.
 */
export async function signedThreads(
  { db }: Pick<Engine, 'db'>,
  arrivals: readonly Arrival[],
  rows: Rows,
): Promise<TieRow[]> {
  const claims = arrivals.flatMap((arrival) => claimsOf(arrival, rows))
  if (claims.length === 0) return []
  const secrets = await secretsOf({ db }, claims)
  const proven = claims.flatMap((claim): (Claim & Answered)[] => {
    const secret = secrets.get(claim.orgId)
    const answered = secret && answeredBy(secret, claim.inboxId, claim.evidence)
    return answered ? [{ ...claim, ...answered }] : []
  })
  return proven.length === 0 ? [] : threadsOf({ db }, proven)
}

function claimsOf({ inbox, parsed, incoming }: Arrival, { isKnown, isSeen }: Rows): Claim[] {
  const { org_id: orgId, inbox_id: inboxId, address } = inbox
  const unknown = idsOf(parsed.ties).filter((id) => !isKnown(inboxId, id))
  const tied = unknown.length < idsOf(parsed.ties).length
  const addresses = tied ? [] : incoming.envelope.rcpt_to.filter((to) => withoutTag(to) === address)
  const reported = parsed.bounce?.original_message_id ?? null
  const bounced = reported !== null && !isSeen(inboxId, reported) ? [reported] : []
  return [...new Set([...unknown, ...bounced, ...addresses])]
    .filter(looksSigned)
    .map((evidence) => ({ orgId, inboxId, evidence }))
}

async function secretsOf({ db }: Pick<Engine, 'db'>, claims: readonly Claim[]) {
  const rows = await db.urgent<{ id: OrgId; reply_secret: string }>(
    'SELECT id, reply_secret FROM organizations WHERE id = ANY($1)',
    [[...new Set(claims.map(({ orgId }) => orgId))]],
    'reply_secrets',
  )
  return new Map(rows.map(({ id, reply_secret }) => [id, reply_secret]))
}

/** Where the mail is now that was answered; where its row is gone, the thread that it was sent in. */
function threadsOf({ db }: Pick<Engine, 'db'>, proven: readonly (Claim & Answered)[]) {
  return db.urgent<TieRow>(
    `SELECT q.inbox_id, q.evidence, t.*
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
       AS q (org_id, inbox_id, evidence, message_id, thread_id),
     LATERAL (
       SELECT id AS thread_id, has_outbound, participants,
         (SELECT m.id FROM messages m WHERE m.org_id = q.org_id AND m.inbox_id = q.inbox_id AND m.id = q.message_id)
           AS message_id,
         kept_apart_now(org_id, kept_apart_from) AS kept_apart_from
       FROM threads t WHERE t.org_id = q.org_id AND t.inbox_id = q.inbox_id AND t.id = coalesce(
         (SELECT m.thread_id FROM messages m WHERE m.org_id = q.org_id AND m.id = q.message_id),
         (SELECT r.into_id FROM thread_redirects r WHERE r.org_id = q.org_id AND r.id = q.thread_id),
         q.thread_id) LIMIT 1
     ) AS t`,
    [
      proven.map(({ orgId }) => orgId),
      proven.map(({ inboxId }) => inboxId),
      proven.map(({ evidence }) => evidence),
      proven.map(({ messageId }) => messageId),
      proven.map(({ threadId }) => threadId),
    ],
    'signed_threads',
  )
}
