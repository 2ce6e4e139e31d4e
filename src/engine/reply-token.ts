// The signatures by which an answer to our mail is known: in its Message-ID, and in the address that answers go to.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { idSuffix } from '../platform/ids.ts'
import type { InboxId, MessageId, ThreadId } from './ids.ts'

/** Which mail of ours is answered. Without a thread the mail's own suffix names the one that began with it. */
export interface Answered {
  messageId: MessageId
  threadId: ThreadId
}

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const BITS_OF_A_CHARACTER = 0b11111
/** 80 bits. */
const ID_SIGNATURE = 16
/** 50 bits: an address has to stay short, and each guess costs a mail. */
const ADDRESS_SIGNATURE = 10
/** RFC 5321 §4.5.3.1.1. */
const MAX_LOCAL_PART = 64

const ID =
  /^<([0-7][0-9a-hjkmnp-tv-z]{25})(?:\.([0-7][0-9a-hjkmnp-tv-z]{25}))?\.([0-9a-hjkmnp-tv-z]{16})@/
const ADDRESS = /\+t-([0-7][0-9a-hjkmnp-tv-z]{25})([0-9a-hjkmnp-tv-z]{10})@[^@]+$/i

/**
 * A Message-ID that proves to be ours: `<mail.signature@domain>`, and `<mail.thread.signature@domain>` where the mail
 * does not begin its thread. RFC 5322 §3.6.4.
 * @param secret of the organization
 */
export function signedMessageId(
  secret: string,
  inbox: { id: InboxId; domain: string },
  { messageId, threadId }: Answered,
): string {
  const [mail, thread] = [idSuffix(messageId), idSuffix(threadId)]
  const names = mail === thread ? mail : `${mail}.${thread}`
  return `<${names}.${signature(secret, ['id', inbox.id, mail, thread], ID_SIGNATURE)}@${inbox.domain}>`
}

/**
 * Where answers to a mail go: `support+t-…@domain`, for programs that drop In-Reply-To and References.
 * @returns undefined where the local part would exceed 64 octets
 */
export function replyAddress(
  secret: string,
  inbox: { id: InboxId; address: string },
  messageId: MessageId,
): string | undefined {
  const mail = idSuffix(messageId)
  const at = inbox.address.lastIndexOf('@')
  const token = `${mail}${signature(secret, ['address', inbox.id, mail], ADDRESS_SIGNATURE)}`
  const local = `${inbox.address.slice(0, at)}+t-${token}`
  return Buffer.byteLength(local) > MAX_LOCAL_PART ? undefined : local + inbox.address.slice(at)
}

/** Whether reading it is worth a look at the secret. */
export const looksSigned = (evidence: string): boolean =>
  ID.test(evidence) || ADDRESS.test(evidence)

/**
 * The mail that a Message-ID or an address was signed for; undefined where it was not, or for another inbox.
 * Compared in constant time, so that nobody can guess a signature letter by letter.
 */
export function answeredBy(
  secret: string,
  inboxId: InboxId,
  evidence: string,
): Answered | undefined {
  return byId(secret, inboxId, evidence) ?? byAddress(secret, inboxId, evidence)
}

function byId(secret: string, inboxId: InboxId, evidence: string): Answered | undefined {
  const [, mail, thread = mail, given] = ID.exec(evidence) ?? []
  if (mail === undefined || thread === undefined || given === undefined) return undefined
  const right = signature(secret, ['id', inboxId, mail, thread], ID_SIGNATURE)
  return same(given, right) ? { messageId: `msg_${mail}`, threadId: `thr_${thread}` } : undefined
}

/** Letter case is lost on the way at some servers. */
function byAddress(secret: string, inboxId: InboxId, evidence: string): Answered | undefined {
  const [, mail, given] = ADDRESS.exec(evidence.toLowerCase()) ?? []
  if (mail === undefined || given === undefined) return undefined
  const right = signature(secret, ['address', inboxId, mail], ADDRESS_SIGNATURE)
  return same(given, right) ? { messageId: `msg_${mail}`, threadId: `thr_${mail}` } : undefined
}

function signature(secret: string, signed: readonly string[], length: number): string {
  const digest = createHmac('sha256', Buffer.from(secret, 'hex')).update(signed.join(' ')).digest()
  return Array.from(
    digest.subarray(0, length),
    (byte) => ALPHABET[byte & BITS_OF_A_CHARACTER],
  ).join('')
}

const same = (given: string, right: string) =>
  timingSafeEqual(Buffer.from(given), Buffer.from(right))
