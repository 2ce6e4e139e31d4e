// Which thread a mail belongs to. Pure: it is told what is known and decides.
import type { ThreadId } from '../ids.ts'
import type { MatchMethod } from '../messages/message.ts'

export interface Ties {
  messageId: string | null
  inReplyTo: readonly string[]
  /** Oldest first, as on the wire. RFC 5322 §3.6.4. */
  references: readonly string[]
}

export type Place =
  | { kind: 'joins'; threadId: ThreadId; method: MatchMethod; evidence: string }
  | { kind: 'new' }

/**
 * In-Reply-To first, then References from right to left, since the right-most is the nearest ancestor;
 * never the subject. A second mail with a known Message-ID stands beside the first.
 * @param known the thread of a Message-ID that this inbox has seen
 */
export function placeOfMail(ties: Ties, known: (rfcId: string) => ThreadId | undefined): Place {
  return (
    join('in_reply_to', ties.inReplyTo, known) ??
    join('references', ties.references.toReversed(), known) ??
    join('referenced_by', ties.messageId === null ? [] : [ties.messageId], known) ?? { kind: 'new' }
  )
}

function join(
  method: MatchMethod,
  ids: readonly string[],
  known: (rfcId: string) => ThreadId | undefined,
): Place | undefined {
  for (const evidence of ids) {
    const threadId = known(evidence)
    if (threadId !== undefined) return { kind: 'joins', threadId, method, evidence }
  }
  return undefined
}

/** Every id that a mail could be tied by. */
export const idsOf = ({ messageId, inReplyTo, references }: Ties): string[] => [
  ...new Set([...(messageId === null ? [] : [messageId]), ...inReplyTo, ...references]),
]
