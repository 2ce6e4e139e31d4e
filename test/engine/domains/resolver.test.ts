import { afterAll, beforeAll, expect, test } from 'vitest'
import { dnsOver } from '../../../src/drains/dns.ts'
import { rememberingDns } from '../../../src/drains/dns-cache.ts'
import { signedMail } from '../../../src/engine/domains/sign.ts'
import { verifiedByPython } from '../../world/dkim-verify.ts'
import { startUnbound, type Unbound } from '../../world/unbound.ts'
import { type DomainsWorld, domainsWorld, statesOf } from './domains-world.ts'

const tools = process.env.DNS_TOOLS

let world: DomainsWorld
beforeAll(async () => {
  world = await domainsWorld()
})
afterAll(() => world.close())

/** The engine as it runs, with unbound as the resolver of `DNS_SERVERS`. */
async function withUnbound<Result>(work: (unbound: Unbound) => Promise<Result>): Promise<Result> {
  const unbound = await startUnbound(tools ?? '', world.names.zones)
  world.engine.dns = rememberingDns(dnsOver({ servers: [unbound.address] }))
  try {
    return await work(unbound)
  } finally {
    await unbound.close()
  }
}

test.skipIf(tools === undefined)(
  "Debian's unbound shows first nothing and then all records, and python3-dkim finds the key through it",
  async () => {
    const added = await world.add('customer.test')
    const early = await withUnbound(() => world.verify(added))
    expect(new Set(statesOf(early).map((state) => state.split(' ')[1]))).toEqual(
      new Set(['missing']),
    )
    world.publish(added)
    await withUnbound(async ({ address }) => {
      const checked = await world.verify(added)
      expect(checked.dns_records.map(({ status, fix }) => [status, fix])).toEqual(
        Array.from({ length: 6 }, () => ['verified', null]),
      )
      const raw = Buffer.from('From: ada@customer.test\r\nSubject: Hello\r\n\r\nHello\r\n')
      const mail = { orgId: world.owner.orgId, from: 'ada@customer.test', raw }
      const said = await verifiedByPython(
        tools ?? '',
        address,
        await signedMail(world.engine, mail),
      )
      expect(said).toMatch(/^pass d=customer\.test s=postroom1/)
    })
  },
)
