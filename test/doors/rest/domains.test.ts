import { afterAll, beforeAll, expect, test } from 'vitest'
import { type HttpWorld, httpWorld, type Json } from '../../world/http.ts'
import { publishRecord } from '../../world/zone.ts'

let world: HttpWorld
let path: string

beforeAll(async () => {
  world = await httpWorld()
  path = `/v1/organizations/${world.owner.orgId}/domains`
})
afterAll(() => world.close())

const add = (domain: string) => world.call('POST', path, { body: { domain } })
const publish = ({ dns_records }: Json) => {
  for (const record of dns_records) publishRecord(world.names.zones, record)
}

test('the mail domain is there before anybody has listed domains', async () => {
  const { status, body } = await world.call('GET', `${path}/postroom.localhost`)
  expect([status, body.domain]).toEqual([200, 'postroom.localhost'])
})

test('a domain is added with its records, and added again it is 200 and the same', async () => {
  const first = await add('shop.test')
  expect(first.status).toBe(201)
  expect(first.body).toMatchObject({
    id: expect.stringMatching(/^dom_[0-9a-z]{26}$/),
    domain: 'shop.test',
    status: 'pending',
    verified_at: null,
  })
  expect(first.body).not.toHaveProperty('created')
  const types = first.body.dns_records.map(({ purpose, type }: Json) => `${purpose} ${type}`)
  expect(types).toEqual(['dkim CNAME', 'dkim CNAME', 'dkim CNAME', 'mx MX', 'spf TXT', 'dmarc TXT'])
  const second = await add('SHOP.test')
  expect([second.status, second.body]).toEqual([200, first.body])
  expect((await world.call('GET', `${path}/${first.body.id}`)).body).toEqual(first.body)
  expect((await world.call('GET', `${path}/shop.test`)).body).toEqual(first.body)
})

test('the check says of each record what is missing, and an inbox can be made once it is there', async () => {
  const { body: added } = await add('store.test')
  const checked = await world.call('POST', `${path}/${added.id}/verify`)
  expect(checked.status).toBe(200)
  expect(checked.body).toMatchObject({ status: 'failed', checked_at: expect.any(String) })
  for (const { status, fix } of checked.body.dns_records) {
    expect([status, typeof fix]).toEqual(['missing', 'string'])
  }
  const inbox = { username: 'help', domain: 'store.test' }
  const early = await world.call('POST', '/v1/agent/inboxes', { body: inbox })
  expect([early.status, early.body.error.details[0].field]).toEqual([400, 'domain'])
  publish(added)
  const { body } = await world.call('POST', `${path}/${added.id}/verify`, { body: {} })
  expect(body).toMatchObject({ status: 'verified', verified_at: expect.any(String) })
  const made = await world.call('POST', '/v1/agent/inboxes', { body: inbox })
  expect([made.status, made.body.address]).toEqual([201, 'help@store.test'])
  const rotated = await world.call('POST', `${path}/${added.id}/rotate`)
  expect([rotated.status, rotated.body.status]).toEqual([200, 'verified'])
  const kept = await world.call('DELETE', `${path}/${added.id}`)
  expect([kept.status, kept.body.error.code]).toEqual([409, 'conflict'])
})

test('domains are listed in pages, newest first, the mail domain among them', async () => {
  await world.call('GET', path)
  await add('newest.test')
  const { body } = await world.call('GET', `${path}?limit=1`)
  expect(body.data.map(({ domain }: Json) => domain)).toEqual(['newest.test'])
  const rest = await world.call('GET', `${path}?cursor=${body.pagination.next_cursor}`)
  expect(rest.body.data.map(({ domain }: Json) => domain)).toContain('postroom.localhost')
})

test('a domain without inboxes is deleted with 204', async () => {
  const { body } = await add('away.test')
  expect((await world.call('DELETE', `${path}/${body.id}`)).status).toBe(204)
  expect((await world.call('GET', `${path}/${body.id}`)).status).toBe(404)
})

test.each([
  [{}, 'domain'],
  [{ domain: 7 }, 'domain'],
  [{ domain: 'not a domain' }, 'domain'],
  [{ domain: 'com' }, 'domain'],
  [{ domain: 'a.test', status: 'verified' }, 'status'],
])('%j is 400 and names the field', async (body, field) => {
  const answer = await world.call('POST', path, { body })
  expect(answer.status).toBe(400)
  expect(answer.body.error).toMatchObject({ code: 'validation_failed' })
  expect(answer.body.error.details.map((detail: Json) => detail.field)).toEqual([field])
})

test('an agent can neither see nor change domains', async () => {
  const { body } = await add('people.test')
  const key = world.keys.agent
  for (const [method, at] of [
    ['GET', path],
    ['POST', path],
    ['GET', `${path}/${body.id}`],
    ['DELETE', `${path}/${body.id}`],
    ['POST', `${path}/${body.id}/verify`],
    ['POST', `${path}/${body.id}/rotate`],
  ] as const) {
    const asked = method === 'POST' && at === path ? { body: { domain: 'x.test' } } : {}
    const answer = await world.call(method, at, { key, ...asked })
    expect([method, at, answer.status]).toEqual([method, at, 403])
    expect(answer.body.error.message).toContain('org:admin')
  }
})
