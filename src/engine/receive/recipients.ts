// Whether mail for an address is taken: asked for every RCPT, answered for many with one look-up.
import { type AddressFound, findAddresses, withoutTag } from '../inboxes/find.ts'
import type { Engine } from '../ports.ts'
import { gather } from './gather.ts'

export type RecipientAnswer =
  | { kind: 'taken'; inbox: AddressFound }
  | { kind: 'unknown' }
  | { kind: 'switched_off' }

/** Makes the question of a RCPT command. RFC 5321 §3.3: an unknown mailbox is refused here, not bounced later. */
export function createRecipientCheck(
  parts: Pick<Engine, 'db'>,
): (address: string) => Promise<RecipientAnswer> {
  const lookUp = gather(async (addresses: string[]) => {
    const found = await findAddresses(parts, [...new Set(addresses)])
    return addresses.map((address) => found.find((one) => one.address === address))
  })
  return async (address) => {
    const inbox = await lookUp(withoutTag(address))
    if (inbox === undefined) return { kind: 'unknown' }
    return inbox.is_active ? { kind: 'taken', inbox } : { kind: 'switched_off' }
  }
}
