// A mailbox of a header, RFC 5322 §3.4: an address and the name beside it.
import { z } from 'zod'

export const Mailbox = z.object({ email: z.string(), name: z.string().optional() })
export type Mailbox = z.infer<typeof Mailbox>

/** Mailboxes once each, by address, in the order of their first mention. */
export function distinct(people: readonly Mailbox[]): Mailbox[] {
  const seen = new Map<string, Mailbox>()
  for (const person of people) {
    const key = person.email.toLowerCase()
    if (!seen.has(key)) seen.set(key, person)
  }
  return [...seen.values()]
}
