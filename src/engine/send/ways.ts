// Through which way out each recipient's mail goes: an inbox of ours, the world, or nowhere in dry-run.
import { withoutTag } from '../inboxes/find.ts'
import type { Engine, HandOver, LocalDelivery, MailTransport, OutgoingMail } from '../ports.ts'
import type { Ledger, MailUnderWay } from './ledger.ts'
import type { Way } from './outcome.ts'

export interface WaysOut {
  local: LocalDelivery
  /** Null in dry-run: nothing leaves. */
  world: MailTransport | null
  /** The bytes with the DKIM signature of the sender's domain, where it has one. RFC 6376. */
  sign?(mail: { orgId: MailUnderWay['org_id']; from: string; raw: Uint8Array }): Promise<Uint8Array>
}

export interface Leg {
  way: Way | 'dry-run'
  to: string[]
  handOver(mail: OutgoingMail): Promise<HandOver[]>
}

/** The legs of one attempt, at most two: our own inboxes first, since they do not depend on the world. */
export async function legsOf(
  { settings, ledger }: Pick<Engine, 'settings'> & { ledger: Ledger },
  ways: WaysOut,
  message: MailUnderWay,
  open: readonly string[],
): Promise<Leg[]> {
  const ours = new Set((await ledger.inboxes(open)).map(({ address }) => address))
  const near = open.filter((email) => ours.has(withoutTag(email)))
  const far = open.filter((email) => !ours.has(withoutTag(email)))
  const local: Leg = { way: 'local', to: near, handOver: (mail) => ways.local.deliver(mail) }
  return [local, legOutside(settings, ways, message, far)].filter(({ to }) => to.length > 0)
}

function legOutside(
  { outbound }: Engine['settings'],
  { world, sign }: WaysOut,
  { org_id: orgId, delivery }: MailUnderWay,
  to: string[],
): Leg {
  // What was kept once never goes out later by itself, also where OUTBOUND has changed meanwhile.
  if (world === null || delivery === 'dry-run') {
    return { way: 'dry-run', to, handOver: () => Promise.resolve([]) }
  }
  return {
    way: outbound === 'mx' ? 'mx' : 'relay',
    to,
    async handOver({ envelope, raw }) {
      const signed = await sign?.({ orgId, from: envelope.from, raw })
      return world.send({ envelope, raw: signed ?? raw })
    },
  }
}
