// A mailbox of a header, RFC 5322 §3.4: an address and the name beside it.
import { z } from 'zod'

export const Mailbox = z.object({ email: z.string(), name: z.string().optional() })
export type Mailbox = z.infer<typeof Mailbox>

/** Behind the plus of an address that answers to our mail go to: what `replyAddress` makes. */
const REPLY_TAG = /\+t-[0-9a-hjkmnp-tv-z]{36}@/i

/** The mailbox itself, where it is written with the tag that leads an answer to its thread. */
export const withoutReplyTag = (mailbox: Mailbox): Mailbox =>
  REPLY_TAG.test(mailbox.email)
    ? { ...mailbox, email: mailbox.email.replace(REPLY_TAG, '@') }
    : mailbox

/** Mailboxes once each, by address, in the order of their first mention. */
export function distinct(people: readonly Mailbox[]): Mailbox[] {
  const seen = new Map<string, Mailbox>()
  for (const person of people) {
    const key = person.email.toLowerCase()
    if (!seen.has(key)) seen.set(key, person)
  }
  return [...seen.values()]
}
