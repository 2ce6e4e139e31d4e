// A mail on its way in, before it is anybody's message: bytes, envelope, peer.
import type { AddressFound } from '../inboxes/find.ts'

export interface Incoming {
  /** The bytes exactly as received after DATA, without the dot-stuffing. */
  raw: Buffer
  /** RFC 5321 §2.3.1: what SMTP said, as against the header. */
  envelope: { mail_from: string; rcpt_to: string[] }
  peer: { ip: string; helo: string; tls: boolean }
  /** The inboxes that the envelope's recipients lead to. */
  inboxes: readonly AddressFound[]
}

export interface Received {
  message_id: `msg_${string}`
  inbox_id: `inb_${string}`
  /** True where the same bytes were delivered to this inbox before: nothing new was stored. */
  duplicate: boolean
}
