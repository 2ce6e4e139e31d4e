// Whether mail for an address is taken: asked for every RCPT, answered for many with one look-up, or from memory.
import { setImmediate as round } from 'node:timers/promises'
import { readAddress } from '../addresses.ts'
import { gather, type Linger } from '../gather.ts'
import { findAddresses, withoutTag } from '../inboxes/find.ts'
import type { Engine } from '../ports.ts'
import { type AddressFound, recentOf } from '../recent-addresses.ts'

export type RecipientAnswer =
  | { kind: 'taken'; inbox: AddressFound }
  | { kind: 'unknown' }
  | { kind: 'switched_off' }

/** What other connections ask in the same round of the event loop is one question with it. */
const inOneRound: Linger = () => round()

/** Looked up for what can be no address of ours: to tell the two apart by time is not for a sender. */
const NOBODY = ''

/**
 * Makes the question of a RCPT command. RFC 5321 §3.3: an unknown mailbox is refused here, not bounced later.
 * Local parts are dot-atoms without % and !; a domain may be written in letters or as xn-- (RFC 5891 §5).
 */
export function createRecipientCheck(
  parts: Pick<Engine, 'db' | 'clock' | 'settings'>,
): (address: string) => Promise<RecipientAnswer> {
  const lookUp = gather(
    async (addresses: string[]) => {
      const recent = recentOf(parts)
      const found = await findAddresses(parts, [...new Set(addresses)])
      recent.add(found, parts.clock.now())
      return addresses.map((address) => found.find((one) => one.address === address))
    },
    undefined,
    inOneRound,
  )
  return async (address) => {
    const mailbox = mailboxOf(address, parts.settings.mailDomain)
    const inbox = recentOf(parts).get(mailbox, parts.clock.now()) ?? (await lookUp(mailbox))
    if (inbox === undefined) return { kind: 'unknown' }
    return inbox.is_active ? { kind: 'taken', inbox } : { kind: 'switched_off' }
  }
}

function mailboxOf(address: string, mailDomain: string): string {
  // RFC 5321 §4.5.1: the one name that is understood without a domain.
  if (address.toLowerCase() === 'postmaster') return `postmaster@${mailDomain}`
  const read = readAddress({ email: address })
  return typeof read === 'string' ? NOBODY : withoutTag(read.email)
}
