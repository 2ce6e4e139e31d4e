/** Organizations with domains, a real name server that their records are published on, and a held clock. */
import type { z } from 'zod'
import { callerOf } from '../../../src/engine/access/authenticate.ts'
import { makeKey } from '../../../src/engine/access/keys.ts'
import { type Caller, SCOPES } from '../../../src/engine/caller.ts'
import type { DnsRecord, Domain } from '../../../src/engine/domains/domain.ts'
import { addDomain, getDomain, verifyDomain } from '../../../src/engine/domains/operations.ts'
import type { Settings } from '../../../src/engine/ports.ts'
import { newId } from '../../../src/platform/ids.ts'
import { heldClock } from '../../world/clock.ts'
import { engineWorld } from '../../world/engine.ts'
import { publishRecord } from '../../world/zone.ts'

export type ShownDomain = z.infer<typeof Domain>

const USUAL = 'customer.test'
const AS_NEW = [
  `UPDATE domains SET status = 'pending', findings = '{}', checked_at = NULL, verified_at = NULL,
     failing_since = NULL WHERE id = $1`,
  `UPDATE domain_keys SET published_at = NULL, retired_at = NULL, signs = (selector = 'postroom1')
   WHERE domain_id = $1`,
  'DELETE FROM directory_domain WHERE domain_id = $1',
]

export const HOSTNAME = 'mx.operator.test'
export const MAIL_DOMAIN = 'mail.operator.test'

export async function domainsWorld(settings: Partial<Settings> = {}) {
  const clock = heldClock('2026-03-01T12:00:00Z')
  const world = await engineWorld({
    clock,
    settings: { mailDomain: MAIL_DOMAIN, smtpHostname: HOSTNAME, outbound: 'mx', ...settings },
  })
  const { engine, owner, names } = world
  let made = 0

  return {
    ...world,
    clock,
    /** Without a name it is the same one each time, as if it were new: three keys take half a second to make. */
    async add(domain?: string, caller: Caller = owner) {
      const added = await addDomain.run(engine, caller, { domain: domain ?? USUAL })
      if (domain !== undefined) return added
      for (const name of names.zones.keys()) if (name.includes(USUAL)) names.zones.delete(name)
      for (const statement of AS_NEW) await engine.db.query(statement, [added.id])
      return { ...(await getDomain.run(engine, caller, { domain_id: added.id })), created: true }
    },
    get: ({ id }: ShownDomain, caller: Caller = owner) =>
      getDomain.run(engine, caller, { domain_id: id }),
    verify: ({ id }: ShownDomain, caller: Caller = owner) =>
      verifyDomain.run(engine, caller, { domain_id: id }),
    /** Puts the records into the DNS as their owner would, CNAMEs with what stands behind them. */
    publish({ dns_records }: Pick<ShownDomain, 'dns_records'>): void {
      for (const record of dns_records) publishRecord(names.zones, record)
    },
    /** A domain whose records are all there. */
    async verified(domain?: string, caller: Caller = owner): Promise<ShownDomain> {
      const added = await this.add(domain, caller)
      this.publish(added)
      return this.verify(added, caller)
    },
    async organization(): Promise<Caller> {
      const id = newId('org', clock.now())
      const data = { id, name: id, slug: `org${++made}`, created_at: clock.now() }
      await engine.db.prisma.organizations.create({ data })
      const wish = { name: 'key', scopes: SCOPES, inboxIds: null, agent: false }
      const { key } = await makeKey(engine, id, { ...wish, interactive: false, expiresAt: null })
      return callerOf(engine, key)
    },
    events: () =>
      engine.db.query<{ event: string; inbox_id: string | null; data: Record<string, unknown> }>(
        "SELECT event, inbox_id, data FROM events WHERE event = 'domain.verified' ORDER BY seq",
      ),
  }
}

export type DomainsWorld = Awaited<ReturnType<typeof domainsWorld>>

/** `purpose status` of each record, and the remedy where there is one. */
export const statesOf = ({ dns_records }: ShownDomain) =>
  dns_records.map(({ purpose, status }) => `${purpose} ${status}`)

export function recordOf({ dns_records }: ShownDomain, purpose: string): DnsRecord {
  const found = dns_records.find((record) => record.purpose === purpose)
  if (found === undefined) throw new Error(`no record for ${purpose}`)
  return found
}
