// Which thread a mail belongs to, and which threads it shows to be one. Pure: it is told what is known and decides.
import { mailboxKey } from '../addresses.ts'
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
  /** Addresses of From, To and Cc, in lower case; at least whoever of them writes now. */
  participants: ReadonlySet<string>
  /** Threads that a person took it apart from. */
  keptApartFrom: ReadonlySet<ThreadId>
}

export interface Knowledge {
  /** The thread that a signature of ours leads to: in a Message-ID whose row is missing, or in an address of the envelope. */
  signedThreadOf(evidence: string): ThreadId | undefined
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
 * And threads that a person took apart stay two: such a mail is no stranger's trick, it names its ancestors.
 *
 * @param addresses of the envelope: where no Message-ID ties, a reply token in one of them does
 */
export function placeOfMail(
  ties: Ties,
  author: string | null,
  known: Knowledge,
  addresses: readonly string[] = [],
): Place {
  const byIds = tiesInOrder(ties).flatMap((tie) => found(tie, known))
  const all = byIds.length > 0 ? byIds : addresses.flatMap((one) => signed(one, known))
  const [first] = all
  if (first === undefined) return { kind: 'new' }
  const tied = [...new Set(all.map(({ threadId }) => threadId))]
  const writer = author === null ? undefined : mailboxKey(author)
  const { joined, conflict } = weld(tied, writer, known)
  const [threadId = first.threadId, ...merges] = joined.toSorted()
  return {
    kind: 'joins',
    threadId,
    merges,
    method: first.method,
    evidence: first.evidence,
    conflict,
    newParticipant: !joined.some((id) => tookPart(known.factsOf(id), writer)),
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

interface Found {
  method: MatchMethod
  evidence: string
  threadId: ThreadId
}

/** A mail's own id is no answer to ours, whoever signed it. */
function found([method, evidence]: [MatchMethod, string], known: Knowledge): Found[] {
  const threadId = known.threadOf(evidence)
  if (threadId !== undefined) return [{ method, evidence, threadId }]
  return method === 'referenced_by' ? [] : signed(evidence, known)
}

function signed(evidence: string, known: Knowledge): Found[] {
  const threadId = known.signedThreadOf(evidence)
  return threadId === undefined ? [] : [{ method: 'reply_token', evidence, threadId }]
}

/** Which of the tied threads are one with the first, and whether the author is why another is not. */
function weld(
  [first, ...others]: ThreadId[],
  author: string | undefined,
  known: Knowledge,
): { joined: ThreadId[]; conflict: boolean } {
  const joined = first === undefined ? [] : [first]
  let conflict = false
  for (const other of others) {
    if (joined.some((id) => keptApart(id, other, known))) continue
    if (joined.every((id) => mayWeld(known.factsOf(id), known.factsOf(other), author))) {
      joined.push(other)
    } else {
      conflict = true
    }
  }
  return { joined, conflict }
}

const keptApart = (a: ThreadId, b: ThreadId, { factsOf }: Knowledge) =>
  factsOf(a).keptApartFrom.has(b) || factsOf(b).keptApartFrom.has(a)

function mayWeld(a: ThreadFacts, b: ThreadFacts, author: string | undefined): boolean {
  if (!a.hasOutbound || !b.hasOutbound) return true
  return tookPart(a, author) && tookPart(b, author)
}

const tookPart = ({ participants }: ThreadFacts, author: string | undefined) =>
  author !== undefined && participants.has(author)
