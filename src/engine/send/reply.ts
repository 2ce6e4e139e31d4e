// What a reply takes from the message it answers: recipients, subject, threading headers. Pure.
import type { Mailbox } from '../messages/address.ts'
import type { MessageRow } from '../messages/message.ts'

/** Longer chains keep the thread's root and the nearest ancestors; servers cut headers that grow without end. */
const MAX_REFERENCES = 100
/** An id that a mail of ours can carry: printable ASCII (RFC 5322 §3.6.4), and a line it fits in (§2.1.1). */
const USABLE_ID = /^<[!-;=?-~]{1,900}>$/
/** How mail programs of several languages mark an answer, and what was handed on: a thread keeps its own mark. */
const ANSWERED_ALREADY =
  /^(re|aw|sv|vs|antw|antwort|rif|res|odp|ynt|vá|αν|απ|回复|回覆|答复|答覆|返信|답장|회신)(\[\d+\]|\(\d+\))?\s*[:：]/iu
const FORWARDED_ALREADY =
  /^(fwd?|wg|tr|rv|enc|vb|vl|doorst|pd|továbbítva|ilt|πρθ|转发|轉寄|轉發|전달)(\[\d+\]|\(\d+\))?\s*[:：]/iu

type Answered = Pick<
  MessageRow,
  | 'direction'
  | 'from'
  | 'to'
  | 'cc'
  | 'reply_to'
  | 'in_reply_to'
  | 'references'
  | 'message_id_header'
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

/**
 * Who else is on the message: everybody in its To and Cc but ourselves. RFC 5322 §3.6.3. In blind copy nobody is answered:
 * nobody but the author knew.
 * @param isSelf whether an address reaches the inbox that answers
 */
export function othersOnMessage(message: Answered, isSelf: (email: string) => boolean): Mailbox[] {
  if (message.direction === 'outbound') return message.cc
  return [...message.to, ...message.cc].filter(({ email }) => !isSelf(email))
}

/** `Re:` of the subject, unless it says so already, in whatever language. */
export const subjectOfReply = (subject: string) => marked('Re:', subject, ANSWERED_ALREADY)

/** `Fwd:` of the subject, in the same way. */
export const subjectOfForward = (subject: string) => marked('Fwd:', subject, FORWARDED_ALREADY)

function marked(mark: string, subject: string, already: RegExp): string {
  const plain = subject.trim()
  return already.test(plain) ? plain : `${mark} ${plain}`.trim()
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
