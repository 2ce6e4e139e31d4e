import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  addDomain,
  deleteDomain,
  getDomain,
  listDomains,
} from '../../../src/engine/domains/operations.ts'
import { createInbox, deleteInbox } from '../../../src/engine/inboxes/operations.ts'
import { type DomainsWorld, domainsWorld, HOSTNAME, MAIL_DOMAIN } from './domains-world.ts'

let world: DomainsWorld
beforeAll(async () => {
  world = await domainsWorld()
})
afterAll(() => world.close())

const list = (caller = world.owner) =>
  listDomains.run(world.engine, caller, { limit: 100, offset: 0 })
const remove = (id: string, caller = world.owner) =>
  deleteDomain.run(world.engine, caller, { domain_id: id })

describe('a new domain', () => {
  test('brings the records to set: three DKIM CNAMEs with a TXT alternative, MX, SPF, DMARC', async () => {
    const { dns_records, ...domain } = await world.add('Mail.Example.test')
    expect(domain).toMatchObject({ domain: 'mail.example.test', status: 'pending', created: true })
    expect(
      dns_records.map(({ type, name, value, priority }) => [type, name, value, priority]),
    ).toEqual([
      ...[1, 2, 3].map((n) => [
        'CNAME',
        `postroom${n}._domainkey.mail.example.test`,
        `postroom${n}.mail.example.test._domainkey.${MAIL_DOMAIN}`,
        undefined,
      ]),
      ['MX', 'mail.example.test', HOSTNAME, 10],
      ['TXT', 'mail.example.test', `v=spf1 a:${HOSTNAME} ~all`, undefined],
      ['TXT', '_dmarc.mail.example.test', 'v=DMARC1; p=none', undefined],
    ])
    const [first, second] = dns_records
    expect(first?.alternative).toMatchObject({ type: 'TXT', name: first?.name })
    expect(first?.alternative?.value).toMatch(/^v=DKIM1; k=rsa; p=[A-Za-z0-9+/]{380,}={0,2}$/)
    expect(first?.target).toEqual({ ...first?.alternative, name: first?.value })
    expect(second?.alternative?.value).not.toBe(first?.alternative?.value)
  })

  test('that was there already comes back as it is, also of two at once', async () => {
    const all = await Promise.all(Array.from({ length: 2 }, () => world.add('again.test')))
    expect(new Set(all.map(({ id }) => id)).size).toBe(1)
    expect(new Set(all.map(({ dns_records }) => JSON.stringify(dns_records))).size).toBe(1)
    expect(all.filter(({ created }) => created)).toHaveLength(1)
  })

  test('with letters beyond ASCII is kept in the form that the DNS has', async () => {
    expect((await world.add('bücher.test')).domain).toBe('xn--bcher-kva.test')
  })

  test.each([
    ['', 'is not a domain'],
    ['not a domain', 'is not a domain'],
    ['ada@example.test', 'is not a domain'],
    ['https://example.test/', 'is not a domain'],
    ['-a.test', 'is not a domain'],
    ['a..test', 'is not a domain'],
    ['192.0.2.1', 'is not a domain'],
    ['example.test\r\nx', 'is not a domain'],
    [`${'a'.repeat(64)}.test`, 'is not a domain'],
    ['com', 'belongs to everybody'],
    ['co.uk', 'belongs to everybody'],
    ['shop.localhost', 'exists on this machine or network only'],
    ['printer.local', 'exists on this machine or network only'],
    ['x.onion', 'exists on this machine or network only'],
  ])('called %j is refused', async (domain, words) => {
    const before = await list()
    await expect(addDomain.run(world.engine, world.owner, { domain })).rejects.toMatchObject({
      status: 400,
      details: [{ field: 'domain', message: expect.stringContaining(words) }],
    })
    expect(await list()).toEqual(before)
  })
})

describe('the mail domain', () => {
  test('is a domain of the first organization, its keys in records of its own', async () => {
    const { data } = await list()
    const own = data.find(({ domain }) => domain === MAIL_DOMAIN)
    expect(own?.dns_records.map(({ type }) => type)).toEqual([
      'TXT',
      'TXT',
      'TXT',
      'MX',
      'TXT',
      'TXT',
    ])
    const added = await world.add(MAIL_DOMAIN)
    expect(added).toMatchObject({ id: own?.id, created: false })
    world.publish(added)
    expect((await world.verify(added)).status).toBe('verified')
  })

  test("is nobody else's, nor is anything below it", async () => {
    const other = await world.organization()
    for (const domain of [MAIL_DOMAIN, `acme.${MAIL_DOMAIN}`]) {
      await expect(world.add(domain, other)).rejects.toMatchObject({ status: 409 })
    }
    expect((await list(other)).data).toEqual([])
  })

  test('cannot be deleted', async () => {
    const { id } = await world.add(MAIL_DOMAIN)
    await expect(remove(id)).rejects.toMatchObject({
      status: 409,
      fix: expect.stringContaining('POSTROOM_MAIL_DOMAIN'),
    })
  })
})

describe('deleting a domain', () => {
  test('waits until no inbox is on it, and then takes its keys along', async () => {
    const { id, domain } = await world.verified('closing.test')
    const { engine, owner } = world
    const inbox = await createInbox.run(engine, owner, { username: 'support', domain })
    await expect(remove(id)).rejects.toMatchObject({ status: 409 })
    await deleteInbox.run(engine, owner, { inbox_id: inbox.id })
    await remove(id)
    await expect(getDomain.run(engine, owner, { domain_id: id })).rejects.toMatchObject({
      status: 404,
    })
    const left = await engine.db.query(
      `SELECT domain_id FROM domain_keys WHERE domain_id = $1
       UNION SELECT domain_id FROM directory_domain WHERE domain_id = $1`,
      [id],
    )
    expect(left).toEqual([])
  })
})

describe('inboxes', () => {
  const inboxOn = (domain: string, caller = world.owner) =>
    createInbox.run(world.engine, caller, {
      username: `box${Math.random().toString(36).slice(2)}`,
      domain,
    })

  test('can be made on a verified domain, written in any case', async () => {
    await world.verified('shop.test')
    expect((await inboxOn(' Shop.TEST. ')).domain).toBe('shop.test')
  })

  test('cannot be made on a domain that is not verified, with the way to mend it', async () => {
    const { id } = await world.add('waiting.test')
    await expect(inboxOn('waiting.test')).rejects.toMatchObject({
      status: 400,
      details: [{ field: 'domain', message: expect.stringContaining(`/domains/${id}/verify`) }],
    })
  })

  test('cannot be made on a domain of another organization, nor on an unknown one', async () => {
    await world.verified('mine.test')
    const other = await world.organization()
    for (const domain of ['mine.test', 'unknown.test']) {
      await expect(inboxOn(domain, other)).rejects.toMatchObject({
        status: 400,
        message: `domain: inboxes can be made on ${MAIL_DOMAIN} only, until a domain of yours is verified`,
      })
    }
    await expect(inboxOn('unknown.test')).rejects.toThrow(/mine\.test/)
  })
})
