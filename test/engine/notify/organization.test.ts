import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { addDomain, verifyDomain } from '../../../src/engine/domains/operations.ts'
import { expectGolden, masked } from '../../golden/golden.ts'
import { PROVEN, proofsOf } from '../../world/signatures.ts'
import { publishRecord } from '../../world/zone.ts'
import { type NotifyWorld, notifyWorld, told } from './notify-world.ts'

let world: NotifyWorld
beforeAll(async () => {
  world = await notifyWorld()
})
afterEach(() => world.quit())
afterAll(() => world.close())

async function verified(domain: string): Promise<void> {
  const { engine, owner, names } = world
  const { id, dns_records } = await addDomain.run(engine, owner, { domain })
  for (const record of dns_records) publishRecord(names.zones, record)
  await verifyDomain.run(engine, owner, { domain_id: id })
}

test('a domain that is verified is told to every endpoint of the organization, to each once', async () => {
  const [first, second] = [await world.endpoint(), await world.endpoint()]
  await world.inbox(first.url)
  await world.inbox(first.url)
  await world.inbox(second.url)
  await world.inbox()
  await verified('shop.test')
  await world.worker().settle()
  for (const endpoint of [first, second]) {
    expect(told(endpoint, 'domain.verified')).toHaveLength(1)
  }
  const [post] = told(second, 'domain.verified')
  const body = JSON.parse(post?.body ?? '{}')
  expectGolden('webhooks/domain.verified.json', masked(JSON.stringify(body, null, 2)))
})

test('it is signed with the secret of the oldest inbox of that endpoint', async () => {
  const endpoint = await world.endpoint()
  const oldest = await world.inbox(endpoint.url)
  await world.inbox(endpoint.url)
  await verified('store.test')
  await world.worker().settle()
  const [post] = told(endpoint, 'domain.verified')
  if (post === undefined) throw new Error('nothing was told')
  // The clock is held, so the time of Standard Webhooks is not ours.
  expect({ ...proofsOf(post, oldest.secret), standard: true }).toEqual(PROVEN)
})
