// A mail on its way in, before it is anybody's message: bytes, envelope, peer.
import type { AddressFound } from '../recent-addresses.ts'
import type { MboxForm } from './mbox/entry.ts'

export interface Incoming {
  /** The bytes exactly as received after DATA, without the dot-stuffing; on top the door's own Received line. RFC 5321 §4.4. */
  raw: Buffer
  /** RFC 5321 §2.3.1: what SMTP said, as against the header. */
  envelope: { mail_from: string; rcpt_to: string[] }
  /** Who handed it over; null: ourselves, from one of our inboxes. */
  peer: { ip: string; helo: string; tls: boolean } | null
  /** The inboxes that the envelope's recipients lead to. */
  inboxes: readonly AddressFound[]
  /** Set for mail that did not come now: out of a mailbox file. */
  imported?: Imported
}

export interface Imported {
  /** When it came, then: the message's `created_at`. */
  at: Date
  /** How it stood in its file. */
  form: MboxForm
  /** True: it counts as new. Webhooks tell of it, and its thread is unread. */
  isNews: boolean
}

export interface Received {
  message_id: `msg_${string}`
  inbox_id: `inb_${string}`
  /** True where the same bytes were delivered to this inbox before: nothing new was stored. */
  duplicate: boolean
}

/**
 * A mail that policy does not let in: the sender is told, and nothing is kept. Thrown by the receiver, so that
 * whoever hands mail over needs no other answer; everything else that it throws means "come again".
 */
export class MailRefused extends Error {
  override readonly name = 'MailRefused'
  /** The SMTP reply code, a permanent one. RFC 5321 §4.2.1. */
  readonly code: number

  /** @param text what the sender reads, led by an enhanced code: `5.7.1 …` (RFC 3463) */
  constructor(code: number, text: string) {
    super(text)
    this.code = code
  }
}
