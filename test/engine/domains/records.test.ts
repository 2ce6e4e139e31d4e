import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Zone } from '../../world/dns.ts'
import { stringsOf } from '../../world/zone.ts'
import {
  type DomainsWorld,
  domainsWorld,
  HOSTNAME,
  recordOf,
  type ShownDomain,
} from './domains-world.ts'

const DOMAIN = 'mail.customer.test'

let world: DomainsWorld
/** All tests are about this one: its keys take half a second to make. */
let added: ShownDomain

beforeAll(async () => {
  world = await domainsWorld()
  added = await world.add(DOMAIN)
})
beforeEach(() => {
  world.names.zones.clear()
  world.publish(added)
})
afterAll(() => world.close())

const there = (name: string, zone: Zone) => void world.names.zones.set(name, zone)

/** What a check says of one record, once all others are published. */
async function checked(purpose: string) {
  const { status, fix } = recordOf(await world.verify(added), purpose)
  return { status, fix }
}

describe('a DKIM key', () => {
  const KEY = `postroom1._domainkey.${DOMAIN}`
  const TARGET = `postroom1.${DOMAIN}._domainkey.mail.operator.test`

  test('behind a CNAME whose target is empty is missing, and the remedy says whose turn it is', async () => {
    world.names.zones.delete(TARGET)
    expect(await checked('dkim')).toMatchObject({
      status: 'missing',
      fix: expect.stringContaining('nothing stands where it points'),
    })
  })

  test('behind a CNAME that leads elsewhere is wrong', async () => {
    there(KEY, { CNAME: 'somewhere.test' })
    const fix = `${KEY} is a CNAME to somewhere.test: let it point to ${TARGET}.`
    expect(await checked('dkim')).toEqual({ status: 'wrong', fix })
    there('somewhere.test', { TXT: [['v=DKIM1; p=MIIBIjANother']] })
    expect(await checked('dkim')).toEqual({ status: 'wrong', fix })
  })

  test('that is another one is wrong', async () => {
    there(KEY, { TXT: [['v=DKIM1; k=rsa; p=MIIBIjANother']] })
    expect(await checked('dkim')).toMatchObject({
      status: 'wrong',
      fix: expect.stringContaining('its key MIIBIjANother… is not this one'),
    })
  })

  test('that a panel cut after 255 characters is told from another one', async () => {
    const [cut = ''] = stringsOf(recordOf(added, 'dkim').target?.value ?? '')
    there(KEY, { TXT: [[cut]] })
    const { fix } = await checked('dkim')
    expect(fix).toContain(`cut off after ${cut.length - 'v=DKIM1; k=rsa; p='.length} characters`)
  })

  test('that is there twice, or revoked, is wrong', async () => {
    there(KEY, { TXT: [['p=a'], ['p=b']] })
    expect((await checked('dkim')).fix).toContain('holds 2 keys')
    there(KEY, { TXT: [['v=DKIM1; p=']] })
    expect((await checked('dkim')).fix).toContain('revoked')
  })

  test('at the name with the domain twice was typed into a panel that adds it', async () => {
    world.names.zones.delete(KEY)
    there(`${KEY}.${DOMAIN}`, { CNAME: TARGET })
    expect((await checked('dkim')).fix).toContain(`There is one at ${KEY}.${DOMAIN}`)
  })
})

describe('MX', () => {
  const mx = (exchange: string, preference = 10) => ({ exchange, preference })
  const withMx = (...MX: ReturnType<typeof mx>[]) => {
    there(DOMAIN, { MX, TXT: [[`v=spf1 a:${HOSTNAME} ~all`]] })
    return checked('mx')
  }

  test('of another server is wrong, and a domain of its own is proposed', async () => {
    const { status, fix } = await withMx(mx('aspmx.google.test'))
    expect(status).toBe('wrong')
    expect(fix).toContain('goes to aspmx.google.test')
    expect(fix).toContain(`mail.${DOMAIN}`)
  })

  test('must lead to us first', async () => {
    const second = await withMx(mx('other.test', 5), mx(HOSTNAME, 10))
    expect(second).toMatchObject({ status: 'wrong', fix: expect.stringContaining('other.test') })
    expect((await withMx(mx('other.test', 10), mx(HOSTNAME, 10))).status).toBe('wrong')
    const backup = await withMx(mx('other.test', 20), mx(`${HOSTNAME.toUpperCase()}.`, 10))
    expect(backup.status).toBe('verified')
  })

  test('may name this server by another name of it', async () => {
    there(HOSTNAME, { A: ['192.0.2.7'] })
    there('in.customer.test', { A: ['192.0.2.7'] })
    expect((await withMx(mx('in.customer.test'))).status).toBe('verified')
    there('in.customer.test', { A: ['192.0.2.8'] })
    expect((await withMx(mx('in.customer.test'))).status).toBe('wrong')
  })

  test.each(['SERVFAIL', 'REFUSED'] as const)(
    'of a host whose address, or ours, is not told (%s) is unknown',
    async (fails) => {
      there(HOSTNAME, { A: ['192.0.2.7'] })
      there('in.customer.test', { fails })
      const theirs = await withMx(mx('in.customer.test'))
      expect(theirs.status).toBe('unknown')
      expect(theirs.fix).toContain('no answer about in.customer.test')
      there('in.customer.test', { A: ['192.0.2.8'] })
      there(HOSTNAME, { fails })
      expect((await withMx(mx('in.customer.test'))).status).toBe('unknown')
    },
  )

  test('is right or wrong where what the DNS tells is enough to know', async () => {
    there(HOSTNAME, { A: ['192.0.2.7'], fails: 'SERVFAIL' })
    there('in.customer.test', { A: ['192.0.2.7'] })
    expect((await withMx(mx('in.customer.test'))).status).toBe('verified')
    there(HOSTNAME, { A: ['192.0.2.7'] })
    there('other.test', { A: ['192.0.2.8'] })
    there('in.customer.test', { fails: 'SERVFAIL' })
    expect((await withMx(mx('other.test'), mx('in.customer.test'))).status).toBe('wrong')
  })

  test('that refuses all mail is wrong', async () => {
    expect((await withMx(mx('.', 0))).fix).toContain('no mail here')
  })

  test('cannot be right while this server has no public name', async () => {
    const { settings } = world.engine
    settings.smtpHostname = 'f00'
    expect((await checked('mx')).fix).toContain('Set SMTP_HOSTNAME')
    settings.smtpHostname = HOSTNAME
  })
})

describe('SPF', () => {
  const withSpf = (...records: string[]) => {
    const MX = [{ exchange: HOSTNAME, preference: 10 }]
    there(DOMAIN, { MX, TXT: [...records, 'unrelated'].map((text) => [text]) })
    return checked('spf')
  }

  test('that others put there is kept: the remedy is their record with our term', async () => {
    const { status, fix } = await withSpf('v=spf1 include:_spf.google.test ip4:192.0.2.1 -all')
    expect(status).toBe('wrong')
    expect(fix).toContain(`"v=spf1 include:_spf.google.test ip4:192.0.2.1 a:${HOSTNAME} -all"`)
  })

  test.each([
    [`v=spf1 mx a:${HOSTNAME.toUpperCase()} ?all`, 'verified'],
    ['v=spf1 include:spf.customer.test -all', 'verified'],
    ['v=spf1 redirect=spf.customer.test', 'verified'],
    [`v=spf1 -all a:${HOSTNAME}`, 'wrong'],
    [`v=spf1 -a:${HOSTNAME} ~all`, 'wrong'],
    ['v=spf1 include:loop.test -all', 'wrong'],
    ['v=spf10 whatever', 'missing'],
  ])('%s is %s', async (record, status) => {
    there('spf.customer.test', { TXT: [[`v=spf1 +a:${HOSTNAME} -all`]] })
    there('loop.test', { TXT: [['v=spf1 include:loop.test -all']] })
    expect((await withSpf(record)).status).toBe(status)
  })

  test('is right where the addresses of this server pass by another term', async () => {
    there(HOSTNAME, { A: ['192.0.2.7'], AAAA: ['2001:db8::7'] })
    const both = await withSpf('v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all')
    expect(both.status).toBe('verified')
    expect((await withSpf('v=spf1 ip4:192.0.2.0/24 -all')).status).toBe('wrong')
  })

  test.each(['include:spf.customer.test -all', 'redirect=spf.customer.test', 'include:inner.test'])(
    'of which the DNS does not tell a part (%s) is unknown',
    async (terms) => {
      there('spf.customer.test', { fails: 'SERVFAIL' })
      there('inner.test', { TXT: [['v=spf1 include:spf.customer.test -all']] })
      const { status, fix } = await withSpf(`v=spf1 ${terms}`)
      expect(status).toBe('unknown')
      expect(fix).toContain('no answer about spf.customer.test')
    },
  )

  test('is right where the part that the DNS tells is enough', async () => {
    there('spf.customer.test', { fails: 'SERVFAIL' })
    const both = await withSpf(`v=spf1 include:spf.customer.test a:${HOSTNAME} -all`)
    expect(both.status).toBe('verified')
  })

  test('is unknown while the addresses of this server are, or what they would pass by', async () => {
    there(HOSTNAME, { fails: 'SERVFAIL' })
    expect((await withSpf('v=spf1 ip4:192.0.2.0/24 -all')).status).toBe('unknown')
    there(HOSTNAME, { A: ['192.0.2.7'] })
    there('hosts.test', { fails: 'SERVFAIL' })
    const { status, fix } = await withSpf('v=spf1 a:hosts.test -all')
    expect(status).toBe('unknown')
    expect(fix).toContain('no answer about hosts.test')
  })

  test('written in two records is void, and the remedy joins them', async () => {
    const { fix } = await withSpf('v=spf1 include:a.test ~all', 'v=spf1 include:b.test -all')
    expect(fix).toContain(`"v=spf1 include:a.test include:b.test a:${HOSTNAME} ~all"`)
  })

  test.each([
    ['email-smtp.eu-west-1.amazonaws.com', 'include:amazonses.com'],
    ['smtp.sendgrid.net', 'include:sendgrid.net'],
    ['smtp-relay.gmail.com', 'include:_spf.google.com'],
    ['relay.example.test', 'a:relay.example.test'],
    ['192.0.2.9', 'ip4:192.0.2.9'],
    ['[2001:db8::9]', 'ip6:2001:db8::9'],
    ['127.0.0.1', `a:${HOSTNAME}`],
    ['postfix', `a:${HOSTNAME}`],
    ['172.20.0.3', `a:${HOSTNAME}`],
    ['[::1]', `a:${HOSTNAME}`],
  ])('for mail through the relay %s names %s', async (relayHost, term) => {
    Object.assign(world.engine.settings, { outbound: 'relay', relayHost })
    expect(recordOf(await world.get(added), 'spf').value).toBe(`v=spf1 ${term} ~all`)
    Object.assign(world.engine.settings, { outbound: 'mx', relayHost: undefined })
  })
})

describe('DMARC', () => {
  const POLICY = `_dmarc.${DOMAIN}`

  test.each([
    ['v=DMARC1; p=reject; rua=mailto:x@customer.test', 'verified'],
    ['v=DMARC1;p=quarantine', 'verified'],
    ['v=DMARC1; rua=mailto:x@customer.test', 'wrong'],
    ['v=DMARC1; p=nothing', 'wrong'],
    ['v=spf1 -all', 'missing'],
  ])('%s is %s', async (text, status) => {
    there(POLICY, { TXT: [[text]] })
    expect((await checked('dmarc')).status).toBe(status)
  })

  test('twice is void', async () => {
    there(POLICY, { TXT: [['v=DMARC1; p=none'], ['v=DMARC1; p=reject']] })
    expect((await checked('dmarc')).fix).toContain('several records')
  })

  test('of the domain above counts for one below it', async () => {
    world.names.zones.delete(POLICY)
    there('_dmarc.customer.test', { TXT: [['v=DMARC1; p=none']] })
    expect((await checked('dmarc')).status).toBe('verified')
  })
})
