// Through which way out each recipient's mail goes: an inbox of ours, the world, or nowhere in dry-run.
import { withoutTag } from '../inboxes/find.ts'
import type { Engine, HandOver, LocalDelivery, MailTransport, OutgoingMail } from '../ports.ts'
import type { Ledger, MailUnderWay } from './ledger.ts'
import type { Way } from './outcome.ts'
import { handOutside } from './outside.ts'

export interface WaysOut {
  local: LocalDelivery
  /** Null in dry-run: nothing leaves. */
  world: MailTransport | null
  /** The bytes with the DKIM signature of the sender's domain, where it has one. RFC 6376. */
  sign?(mail: { orgId: MailUnderWay['org_id']; from: string; raw: Uint8Array }): Promise<Uint8Array>
}

export interface Leg {
  /** `waits`: handed to nobody, since nothing may leave from the sender's domain. */
  way: Way | 'dry-run' | 'waits'
  to: string[]
  handOver(mail: OutgoingMail): Promise<HandOver[]>
}

interface Leaving {
  message: MailUnderWay
  /** Why nothing may leave from the sender's domain; undefined where all is well. */
  waitsFor: string | undefined
}

/** The legs of one attempt, at most two: our own inboxes first, since they do not depend on the world. */
export async function legsOf(
  { settings, ledger }: Pick<Engine, 'settings'> & { ledger: Ledger },
  ways: WaysOut,
  { message, waitsFor }: Leaving,
  open: readonly string[],
): Promise<Leg[]> {
  const ours = new Set((await ledger.inboxes(open)).map(({ address }) => address))
  const near = open.filter((email) => ours.has(withoutTag(email)))
  const far = open.filter((email) => !ours.has(withoutTag(email)))
  const local: Leg = { way: 'local', to: near, handOver: (mail) => ways.local.deliver(mail) }
  const outside = legOutside(settings, ways, { message, waitsFor }, far)
  return [local, outside].filter(({ to }) => to.length > 0)
}

function legOutside(
  { outbound }: Engine['settings'],
  { world, sign }: WaysOut,
  { message: { org_id: orgId, delivery }, waitsFor }: Leaving,
  to: string[],
): Leg {
  const toNobody = () => Promise.resolve([])
  // What was kept once never goes out later by itself, also where OUTBOUND has changed meanwhile.
  if (world === null || delivery === 'dry-run') return { way: 'dry-run', to, handOver: toNobody }
  if (waitsFor !== undefined) return { way: 'waits', to, handOver: toNobody }
  const way = outbound === 'mx' ? 'mx' : 'relay'
  return { way, to, handOver: (mail) => handOutside({ world, sign, way, orgId }, mail) }
}
