// Which thread a mail belongs to, and which threads it shows to be one. Pure: it is told what is known and decides.
import type { MessageId, ThreadId } from '../ids.ts'
import type { MatchMethod } from '../messages/message.ts'

export interface Ties {
  messageId: string | null
  inReplyTo: readonly string[]
  /** Oldest first, as on the wire. RFC 5322 §3.6.4. */
  references: readonly string[]
}

export interface ThreadFacts {
  /** True where it holds a mail that was sent by us. */
  hasOutbound: boolean
  /** Addresses of From, To and Cc, in lower case. */
  participants: ReadonlySet<string>
}

export interface Knowledge {
  /** The thread of a Message-ID that this inbox has seen, or has seen mentioned. */
  threadOf(rfcId: string): ThreadId | undefined
  factsOf(threadId: ThreadId): ThreadFacts
  /** The message of that id; null where it was only mentioned, or never heard of. */
  messageOf(rfcId: string): MessageId | null
}

export type Place =
  | { kind: 'new' }
  | {
      kind: 'joins'
      threadId: ThreadId
      method: MatchMethod
      evidence: string
      /** Threads that this mail shows to be the same as `threadId`: they go into it. */
      merges: ThreadId[]
      /** True where it also names a thread that it may not weld to this one. */
      conflict: boolean
      /** True where its author took no part in the conversation so far. */
      newParticipant: boolean
    }

/**
 * Any tie of Message-IDs joins, never the subject: so the same mails make the same threads in whatever order they come.
 * The first tie names the way it was matched: In-Reply-To, then References from right to left, since the right-most is
 * the nearest ancestor, then ids that mention this one. Of joined threads the oldest id stays.
 *
 * One exception: a stranger who learnt Message-IDs must not weld two conversations of ours together. Where two threads
 * already hold mail sent by us, only an author who took part in both joins them; anybody else's mail stays with the first tie.
 */
export function placeOfMail(ties: Ties, author: string | null, known: Knowledge): Place {
  const found = tiesInOrder(ties).flatMap(([method, evidence]) => {
    const threadId = known.threadOf(evidence)
    return threadId === undefined ? [] : [{ method, evidence, threadId }]
  })
  const [first] = found
  if (first === undefined) return { kind: 'new' }
  const tied = [...new Set(found.map(({ threadId }) => threadId))]
  const [joined, apart] = weld(tied, author?.toLowerCase(), known)
  const [threadId = first.threadId, ...merges] = joined.toSorted()
  return {
    kind: 'joins',
    threadId,
    merges,
    method: first.method,
    evidence: first.evidence,
    conflict: apart.length > 0,
    newParticipant: !joined.some((id) => tookPart(known.factsOf(id), author?.toLowerCase())),
  }
}

/** Every id that a mail could be tied by, the strongest tie first. */
export const idsOf = (ties: Ties): string[] => [...new Set(tiesInOrder(ties).map(([, id]) => id))]

function tiesInOrder({ messageId, inReplyTo, references }: Ties): [MatchMethod, string][] {
  return [
    ...inReplyTo.map((id): [MatchMethod, string] => ['in_reply_to', id]),
    ...references.toReversed().map((id): [MatchMethod, string] => ['references', id]),
    ...(messageId === null ? [] : [['referenced_by', messageId] as [MatchMethod, string]]),
  ]
}

/** Splits the tied threads into those that are one with the first, and those that may not be welded to it. */
function weld(
  [first, ...others]: ThreadId[],
  author: string | undefined,
  known: Knowledge,
): [ThreadId[], ThreadId[]] {
  const joined = first === undefined ? [] : [first]
  const apart: ThreadId[] = []
  for (const other of others) {
    const forbidden = joined.some((id) => !mayWeld(known.factsOf(id), known.factsOf(other), author))
    if (forbidden) apart.push(other)
    else joined.push(other)
  }
  return [joined, apart]
}

function mayWeld(a: ThreadFacts, b: ThreadFacts, author: string | undefined): boolean {
  if (!a.hasOutbound || !b.hasOutbound) return true
  return tookPart(a, author) && tookPart(b, author)
}

const tookPart = ({ participants }: ThreadFacts, author: string | undefined) =>
  author !== undefined && participants.has(author)
