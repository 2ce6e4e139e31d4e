import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { recheckDomains } from '../../../src/engine/domains/recheck.ts'
import { stringsOf } from '../../world/zone.ts'
import {
  type DomainsWorld,
  domainsWorld,
  HOSTNAME,
  recordOf,
  type ShownDomain,
  statesOf,
} from './domains-world.ts'

const ALL_VERIFIED = ['dkim', 'dkim', 'dkim', 'mx', 'spf', 'dmarc'].map((one) => `${one} verified`)
const DAY_MS = 86_400_000

let world: DomainsWorld
beforeAll(async () => {
  world = await domainsWorld()
})
afterAll(() => world.close())

describe('a domain', () => {
  test('is pending until it is checked, and each record says so', async () => {
    const added = await world.add()
    expect(added).toMatchObject({ status: 'pending', checked_at: null, verified_at: null })
    expect(new Set(added.dns_records.map(({ status }) => status))).toEqual(new Set(['pending']))
    expect(added.dns_records.every(({ fix }) => fix !== null)).toBe(true)
  })

  test('whose records are all there is verified, and one event says so', async () => {
    const before = (await world.events()).length
    const checked = await world.verified()
    expect(checked.status).toBe('verified')
    expect(statesOf(checked)).toEqual(ALL_VERIFIED)
    expect(checked.dns_records.map(({ fix }) => fix)).toEqual([null, null, null, null, null, null])
    expect(checked.checked_at).toBe(world.clock.now().toISOString())
    await world.verify(checked)
    expect((await world.events()).slice(before)).toEqual([
      {
        event: 'domain.verified',
        inbox_id: null,
        data: { domain_id: checked.id, domain: checked.domain, status: 'verified' },
      },
    ])
  })

  test('of which nothing is published has failed, with a remedy for each record', async () => {
    const checked = await world.verify(await world.add())
    expect(checked.status).toBe('failed')
    expect(new Set(checked.dns_records.map(({ status }) => status))).toEqual(new Set(['missing']))
    for (const { fix, name } of checked.dns_records) {
      expect(fix).toMatch(/^Publish /)
      expect(fix).toContain(name)
    }
  })

  test('whose server has got another name since has a record to change', async () => {
    const checked = await world.verified()
    world.engine.settings.smtpHostname = 'mx2.operator.test'
    expect(recordOf(await world.get(checked), 'mx')).toMatchObject({
      value: 'mx2.operator.test',
      status: 'pending',
    })
    expect((await world.verify(checked)).status).toBe('failed')
    world.engine.settings.smtpHostname = HOSTNAME
  })

  test('may hold the keys as TXT records in place of CNAMEs', async () => {
    const added = await world.add()
    world.publish(added)
    for (const { alternative } of added.dns_records) {
      if (alternative === undefined) continue
      world.names.zones.set(alternative.name, { TXT: [stringsOf(alternative.value)] })
    }
    const checked = await world.verify(added)
    expect(statesOf(checked)).toEqual(ALL_VERIFIED)
  })

  test('is asked about anew each time: what was remembered does not count', async () => {
    const added = await world.add()
    await world.verify(added)
    world.publish(added)
    expect((await world.verify(added)).status).toBe('verified')
  })
})

describe('when the DNS does not answer', () => {
  test('a record is unknown, and the domain stays what it was', async () => {
    const verified = await world.verified()
    for (const name of [verified.domain, `_dmarc.${verified.domain}`]) {
      world.names.zones.set(name, { fails: 'SERVFAIL' })
    }
    const checked = await world.verify(verified)
    expect(statesOf(checked).slice(3)).toEqual(['mx unknown', 'spf unknown', 'dmarc unknown'])
    expect(recordOf(checked, 'mx').fix).toContain('DNS_SERVERS')
    expect(checked.status).toBe('verified')
    const pending = await world.add()
    world.names.zones.set(pending.domain, { fails: 'SERVFAIL' })
    for (const name of [
      '_dmarc',
      'postroom1._domainkey',
      'postroom2._domainkey',
      'postroom3._domainkey',
    ]) {
      world.names.zones.set(`${name}.${pending.domain}`, { fails: 'REFUSED' })
    }
    expect((await world.verify(pending)).status).toBe('pending')
  })
})

test('a domain stays in use while the DNS does not tell what its records lead to', async () => {
  const verified = await world.verified()
  const zone = world.names.zones.get(verified.domain)
  world.names.zones.set(verified.domain, {
    ...zone,
    MX: [{ exchange: 'in.away.test', preference: 10 }],
    TXT: [['v=spf1 include:spf.away.test -all']],
  })
  for (const name of ['in.away.test', 'spf.away.test']) {
    world.names.zones.set(name, { fails: 'SERVFAIL' })
  }
  const checked = await world.verify(verified)
  expect(statesOf(checked).slice(3)).toEqual(['mx unknown', 'spf unknown', 'dmarc verified'])
  expect(checked.status).toBe('verified')
})

describe('the daily check', () => {
  async function breakMx({ domain }: ShownDomain) {
    const zone = world.names.zones.get(domain)
    world.names.zones.set(domain, { ...zone, MX: [] })
    return () => void world.names.zones.set(domain, { ...zone })
  }

  test('is patient for three days, where somebody who asks is told at once', async () => {
    const verified = await world.verified()
    await breakMx(verified)
    const statuses = []
    for (let day = 0; day < 4; day++) {
      await recheckDomains(world.engine)
      statuses.push((await world.get(verified)).status)
      world.clock.advance(DAY_MS)
    }
    expect(statuses).toEqual(['verified', 'verified', 'verified', 'failed'])
    const asked = await world.verified()
    await breakMx(asked)
    expect((await world.verify(asked)).status).toBe('failed')
  })

  test('forgets an hour without a record once it is back', async () => {
    const verified = await world.verified()
    for (let times = 0; times < 3; times++) {
      const mend = await breakMx(verified)
      await recheckDomains(world.engine)
      mend()
      world.clock.advance(2 * DAY_MS)
      await recheckDomains(world.engine)
    }
    expect((await world.get(verified)).status).toBe('verified')
  })

  test('brings a domain back that was mended, with an event', async () => {
    const verified = await world.verified()
    const mend = await breakMx(verified)
    await world.verify(verified)
    const before = (await world.events()).length
    mend()
    await recheckDomains(world.engine)
    expect((await world.get(verified)).status).toBe('verified')
    expect((await world.events()).slice(before)).toHaveLength(1)
  })
})

describe('two organizations with one domain', () => {
  test('the one whose keys are published holds it', async () => {
    const other = await world.organization()
    const squatted = await world.add('contested.test', other)
    const owned = await world.verified('contested.test')
    expect(owned.status).toBe('verified')
    const theirs = await world.verify(squatted, other)
    expect(theirs.status).toBe('failed')
  })

  test('where both are published the first holds it until its own records are gone', async () => {
    const other = await world.organization()
    const first = await world.add('moved.test')
    const second = await world.add('moved.test', other)
    world.publish(first)
    await world.verify(first)
    world.publish(second)
    await expect(world.verify(second, other)).rejects.toMatchObject({
      status: 409,
      message: expect.stringContaining('in use by another organization'),
    })
    expect((await world.get(second, other)).status).toBe('pending')
    expect((await world.verify(first)).status).toBe('failed')
    expect((await world.verify(second, other)).status).toBe('verified')
  })
})
