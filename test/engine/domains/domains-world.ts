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
import type { Zone } from '../../world/dns.ts'
import { engineWorld } from '../../world/engine.ts'

export type ShownDomain = z.infer<typeof Domain>

/** RFC 1035 §3.3: what one string of a record holds. */
const MAX_STRING = 255

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
    async add(domain = `customer${++made}.test`, caller: Caller = owner): Promise<ShownDomain> {
      return addDomain.run(engine, caller, { domain })
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

export function publishRecord(zones: Map<string, Zone>, record: DnsRecord): void {
  switch (record.type) {
    case 'CNAME':
      put(zones, record.name, { CNAME: record.value })
      if (record.target) put(zones, record.target.name, { TXT: [stringsOf(record.target.value)] })
      return
    case 'MX':
      put(zones, record.name, {
        MX: [{ exchange: record.value, preference: record.priority ?? 0 }],
      })
      return
    case 'TXT':
      put(zones, record.name, { TXT: [stringsOf(record.value)] })
  }
}

export const stringsOf = (value: string): string[] => [
  ...(value.match(new RegExp(`.{1,${MAX_STRING}}`, 'g')) ?? []),
]

const put = (zones: Map<string, Zone>, name: string, more: Zone) =>
  zones.set(name, { ...zones.get(name), ...more })

/** `purpose status` of each record, and the remedy where there is one. */
export const statesOf = ({ dns_records }: ShownDomain) =>
  dns_records.map(({ purpose, status }) => `${purpose} ${status}`)

export function recordOf({ dns_records }: ShownDomain, purpose: string): DnsRecord {
  const found = dns_records.find((record) => record.purpose === purpose)
  if (found === undefined) throw new Error(`no record for ${purpose}`)
  return found
}
