// What a reply takes from the message it answers: recipients, subject, threading headers. Pure.
import type { Mailbox } from '../messages/address.ts'
import type { MessageRow } from '../messages/message.ts'

/** Longer chains keep the thread's root and the nearest ancestors; servers cut headers that grow without end. */
const MAX_REFERENCES = 100
/** An id that a mail of ours can carry: printable ASCII (RFC 5322 §3.6.4), and a line it fits in (§2.1.1). */
const USABLE_ID = /^<[!-;=?-~]{1,900}>$/
const ANSWERED_ALREADY = /^re(\[\d+\])?\s*:/i

type Answered = Pick<
  MessageRow,
  'direction' | 'from' | 'to' | 'reply_to' | 'in_reply_to' | 'references' | 'message_id_header'
>

/**
 * Who is answered: the author of a mail that came in, at the addresses it asks replies to be sent to
 * (RFC 5322 §3.6.2); where the mail is ours, the people it was written to.
 */
export function recipientsOfReply(message: Answered): Mailbox[] {
  if (message.direction === 'outbound') return message.to
  if (message.reply_to.length > 0) return message.reply_to
  return message.from === null ? [] : [message.from]
}

/** `Re:` of the subject, never doubled. */
export function subjectOfReply(subject: string): string {
  const plain = subject.trim()
  return ANSWERED_ALREADY.test(plain) ? plain : `Re: ${plain}`.trim()
}

export interface ThreadingHeaders {
  inReplyTo: string | null
  references: string[]
}

/**
 * RFC 5322 §3.6.4: the parent's References (its In-Reply-To where it has none) and its Message-ID.
 * @param ownId set where the mail shall name itself too: a relay may overwrite our Message-ID, and
 *   the answer to the mail then still names the id that we know, since it copies References
 */
export function threadingHeaders(
  parent: Answered | undefined,
  ownId: string | undefined,
): ThreadingHeaders {
  const inReplyTo = parent?.message_id_header ?? null
  const before = parent?.references.length ? parent.references : [parent?.in_reply_to ?? '']
  const chain = [...before, inReplyTo ?? '', ownId ?? ''].filter((id) => USABLE_ID.test(id))
  return {
    inReplyTo: inReplyTo !== null && USABLE_ID.test(inReplyTo) ? inReplyTo : null,
    references: shortened([...new Set(chain)]),
  }
}

function shortened(ids: string[]): string[] {
  if (ids.length <= MAX_REFERENCES) return ids
  return [...ids.slice(0, 1), ...ids.slice(1 - MAX_REFERENCES)]
}
