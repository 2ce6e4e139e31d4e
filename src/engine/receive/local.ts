// Mail between our own inboxes: the same way in as mail from outside, without the wire.
import { findAddresses, withoutTag } from '../inboxes/find.ts'
import type { Engine, HandOver, LocalDelivery } from '../ports.ts'
import type { Receiver } from './accept.ts'
import { type Incoming, MailRefused } from './incoming.ts'

/** Fills the port through which sending reaches our own inboxes. */
export function localDelivery(
  parts: Pick<Engine, 'db'>,
  receiver: Pick<Receiver, 'accept'>,
): LocalDelivery {
  return {
    async deliver({ envelope, raw }) {
      const wanted = envelope.to.map(withoutTag)
      const found = await findAddresses(parts, [...new Set(wanted)])
      const open = found.filter(({ is_active }) => is_active)
      const incoming = {
        raw: Buffer.from(raw),
        envelope: { mail_from: envelope.from, rcpt_to: [...envelope.to] },
        peer: null,
        inboxes: open,
      }
      const refusal = open.length > 0 ? await handOver(receiver, incoming) : undefined
      return wanted.map((address): HandOver => {
        const inbox = found.find((one) => one.address === address)
        if (inbox === undefined) return refused('5.1.1 There is no such inbox')
        if (!inbox.is_active) return refused('5.2.1 This inbox is switched off')
        return refusal ?? { kind: 'accepted', code: 250, detail: '2.0.0 Kept in the inbox' }
      })
    },
  }
}

/** The refusal, where there is one: coming again would not help. */
async function handOver(
  receiver: Pick<Receiver, 'accept'>,
  incoming: Incoming,
): Promise<HandOver | undefined> {
  try {
    await receiver.accept(incoming)
    return undefined
  } catch (error) {
    if (error instanceof MailRefused) return refused(error.message, error.code)
    throw error
  }
}

const refused = (detail: string, code = 550): HandOver => ({ kind: 'refused', code, detail })
