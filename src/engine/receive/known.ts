// What a batch of arrivals must know before it is decided: threads of the ids they name, deliveries seen before.
import { mailboxKey } from '../addresses.ts'
import type { InboxId, MessageId, ThreadId } from '../ids.ts'
import type { Mailbox } from '../messages/address.ts'
import type { Engine } from '../ports.ts'
import type { Arrival } from './rows.ts'
import { signedThreads, type TieRow } from './signed.ts'
import { idsOf, type Knowledge, type Place, type ThreadFacts } from './thread.ts'

export interface Known {
  in(inboxId: InboxId): Knowledge
  seenAs(inboxId: InboxId, fingerprint: string): MessageId | undefined
  /** Later arrivals of the same batch know the earlier ones. */
  add(arrival: Arrival, threadId: ThreadId, place: Place): void
}

const NOTHING: ThreadFacts = {
  hasOutbound: false,
  participants: new Set(),
  keptApartFrom: new Set(),
}

/** One look-up for any number of arrivals, and two more where only a signature says what is answered. */
export async function lookUp(
  parts: Pick<Engine, 'db'>,
  arrivals: readonly Arrival[],
): Promise<Known> {
  const { ties, seen } = await rowsAbout(parts, arrivals)
  const { threads, facts, messages, signed } = await threadsOf(parts, arrivals, ties)
  const merged = new Map<ThreadId, ThreadId>()
  const now = (threadId: ThreadId): ThreadId => {
    const into = merged.get(threadId)
    return into === undefined ? threadId : now(into)
  }
  return {
    in: (inboxId) => ({
      threadOf(rfcId) {
        const threadId = threads.get(`${inboxId} ${rfcId}`)
        return threadId && now(threadId)
      },
      signedThreadOf(evidence) {
        const threadId = signed.get(`${inboxId} ${evidence}`)
        return threadId && now(threadId)
      },
      factsOf(threadId) {
        const { keptApartFrom, ...rest } = facts.get(threadId) ?? NOTHING
        return { ...rest, keptApartFrom: new Set([...keptApartFrom].map(now)) }
      },
      messageOf: (rfcId) => messages.get(`${inboxId} ${rfcId}`) ?? null,
    }),
    seenAs: (inboxId, fingerprint) => seen.get(`${inboxId} ${fingerprint}`),
    add(arrival, threadId, place) {
      const { inbox, parsed, fingerprint, messageId } = arrival
      seen.set(`${inbox.inbox_id} ${fingerprint}`, messageId)
      const merges = place.kind === 'joins' ? place.merges : []
      for (const from of merges) merged.set(from, threadId)
      facts.set(threadId, withMail([threadId, ...merges], facts, peopleOf(arrival)))
      for (const id of idsOf(parsed.ties)) {
        const key = `${inbox.inbox_id} ${id}`
        if (!threads.has(key)) threads.set(key, threadId)
      }
    },
  }
}

const peopleOf = ({ parsed }: Arrival): Mailbox[] => [
  ...(parsed.from ? [parsed.from] : []),
  ...parsed.to,
  ...parsed.cc,
]

function withMail(
  threadIds: readonly ThreadId[],
  facts: ReadonlyMap<ThreadId, ThreadFacts>,
  people: readonly Mailbox[],
): ThreadFacts {
  const before = threadIds.map((id) => facts.get(id) ?? NOTHING)
  return {
    hasOutbound: before.some(({ hasOutbound }) => hasOutbound),
    participants: new Set([
      ...before.flatMap(({ participants }) => [...participants]),
      ...people.map(({ email }) => mailboxKey(email)),
    ]),
    keptApartFrom: new Set(before.flatMap(({ keptApartFrom }) => [...keptApartFrom])),
  }
}

type SeenRow = { inbox_id: InboxId; evidence: string; message_id: MessageId; thread_id: null }

// LIMIT 1 keeps each look-up one walk down its primary key: joined freely, and without statistics, the planner reads
// the whole inbox once an id (2 s a batch after 1,000 mails). A mail may name a hundred ids of one thread, and a thread
// have a thousand participants: each thread says once who of the authors took part, and who is written in more than ASCII.
const ABOUT_ARRIVALS = `
  SELECT q.inbox_id, q.rfc_id AS evidence, k.message_id, t.id AS thread_id, t.has_outbound,
    CASE WHEN row_number() OVER (PARTITION BY q.org_id, t.id) = 1 THEN (
      SELECT coalesce(jsonb_agg(person), '[]') FROM jsonb_array_elements(t.participants) AS person
      WHERE lower(person ->> 'email') = ANY($8) OR octet_length(person ->> 'email') > length(person ->> 'email')
    ) END AS participants,
    t.kept_apart_from
  FROM unnest($1::text[], $2::text[], $3::text[]) AS q (org_id, inbox_id, rfc_id),
  LATERAL (
    SELECT thread_id, message_id FROM message_ids k
    WHERE k.org_id = q.org_id AND k.inbox_id = q.inbox_id AND k.rfc_id = q.rfc_id LIMIT 1
  ) AS k,
  LATERAL (
    SELECT id, has_outbound, participants,
      CASE WHEN kept_apart_from = '{}' THEN '{}' ELSE kept_apart_now(org_id, kept_apart_from) END AS kept_apart_from
    FROM threads t
    WHERE t.org_id = q.org_id AND t.id = coalesce(
      (SELECT into_id FROM thread_redirects r WHERE r.org_id = q.org_id AND r.id = k.thread_id),
      k.thread_id) LIMIT 1
  ) AS t
  UNION ALL
  SELECT q.inbox_id, q.hash, s.message_id, NULL, NULL, NULL, NULL
  FROM unnest($4::text[], $5::text[], $6::text[], $7::timestamptz[]) AS q (org_id, inbox_id, hash, at),
  LATERAL (
    SELECT message_id FROM seen s
    WHERE s.org_id = q.org_id AND s.inbox_id = q.inbox_id AND s.hash = q.hash AND s.expires_at > q.at LIMIT 1
  ) AS s`

/** The ids that are known with their threads, and the deliveries that were seen before. */
async function rowsAbout({ db }: Pick<Engine, 'db'>, arrivals: readonly Arrival[]) {
  const named = arrivals.flatMap(({ inbox, parsed }) =>
    idsOf(parsed.ties).map((id) => ({ org: inbox.org_id, inbox: inbox.inbox_id, id })),
  )
  const rows = await db.urgent<TieRow | SeenRow>(
    ABOUT_ARRIVALS,
    [
      named.map(({ org }) => org),
      named.map(({ inbox }) => inbox),
      named.map(({ id }) => id),
      arrivals.map(({ inbox }) => inbox.org_id),
      arrivals.map(({ inbox }) => inbox.inbox_id),
      arrivals.map(({ fingerprint }) => fingerprint),
      arrivals.map(({ at }) => at),
      authorsOf(arrivals),
    ],
    'look_up_arrivals',
  )
  const isSeen = (row: TieRow | SeenRow): row is SeenRow => row.thread_id === null
  const seen = rows.filter(isSeen)
  return {
    ties: rows.filter((row): row is TieRow => !isSeen(row)),
    seen: new Map(
      seen.map((row): [string, MessageId] => [`${row.inbox_id} ${row.evidence}`, row.message_id]),
    ),
  }
}

const authorsOf = (arrivals: readonly Arrival[]): string[] => [
  ...new Set(arrivals.flatMap(({ parsed: { from } }) => (from ? [mailboxKey(from.email)] : []))),
]

async function threadsOf(
  { db }: Pick<Engine, 'db'>,
  arrivals: readonly Arrival[],
  rows: readonly TieRow[],
) {
  const threads = new Map(rows.map(byEvidence))
  const messages = new Map(rows.map((row) => [byEvidence(row)[0], row.message_id]))
  const bySignature = await signedThreads({ db }, arrivals, {
    isKnown: (inboxId, rfcId) => threads.has(`${inboxId} ${rfcId}`),
    isSeen: (inboxId, rfcId) => (messages.get(`${inboxId} ${rfcId}`) ?? null) !== null,
  })
  for (const row of bySignature) messages.set(byEvidence(row)[0], row.message_id)
  return {
    threads,
    signed: new Map(bySignature.map(byEvidence)),
    facts: new Map([...rows, ...bySignature].flatMap(factsOf)),
    messages,
  }
}

const byEvidence = ({ inbox_id, evidence, thread_id }: TieRow): [string, ThreadId] => [
  `${inbox_id} ${evidence}`,
  thread_id,
]

const factsOf = (row: TieRow): [ThreadId, ThreadFacts][] =>
  row.participants === null
    ? []
    : [
        [
          row.thread_id,
          {
            hasOutbound: row.has_outbound,
            participants: new Set(row.participants.map(({ email }) => mailboxKey(email))),
            keptApartFrom: new Set(row.kept_apart_from),
          },
        ],
      ]
