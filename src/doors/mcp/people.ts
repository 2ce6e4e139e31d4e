// People in results: "Name <a@b.example>", the form in which they can be written to again.
import type { Mailbox } from '../../engine/messages/address.ts'
import type { Fence } from './fence.ts'

/** A name that needs no quotes. RFC 5322 §3.2.3 atext and spaces, and every letter since RFC 6532. */
const PLAIN = /^[\p{L}\p{M}\p{N} .!#$%&'*+/=?^_`{|}~-]+$/u

export function person(fence: Fence, { email, name }: Mailbox): string {
  const address = fence.short(email)
  const shown = name === undefined ? '' : fence.short(name)
  if (shown === '' || shown === address) return address
  return `${PLAIN.test(shown) ? shown : `"${shown.replace(/["\\]/g, '\\$&')}"`} <${address}>`
}

export const people = (fence: Fence, all: readonly Mailbox[]) =>
  all.map((mailbox) => person(fence, mailbox))
