import { afterAll, beforeAll, expect, test } from 'vitest'
import { listAudit } from '../../../src/engine/access/audit.ts'
import { resolveDomain } from '../../../src/engine/domains/load.ts'
import { deleteDomain, listDomains, rotateDomain } from '../../../src/engine/domains/operations.ts'
import { recheckDomains } from '../../../src/engine/domains/recheck.ts'
import { rotateKeys } from '../../../src/engine/domains/rotate.ts'
import { createInbox } from '../../../src/engine/inboxes/operations.ts'
import { type DomainsWorld, domainsWorld } from './domains-world.ts'

let world: DomainsWorld
beforeAll(async () => {
  world = await domainsWorld()
})
afterAll(() => world.close())

/** What the audit has about a domain, oldest first. */
async function noted(id: string) {
  const page = { limit: 100, offset: 0 }
  const { data } = await listAudit.run(world.engine, world.owner, page)
  return data.filter(({ ids }) => ids.includes(id)).toReversed()
}

test('who added, checked, rotated and deleted a domain is in the audit', async () => {
  const { engine, owner } = world
  const { id, domain } = await world.verified('kept.test')
  await world.add('kept.test')
  await world.verify(await world.get({ ...(await world.add('kept.test')) }))
  world.clock.advance(1000)
  await rotateDomain.run(engine, owner, { domain_id: id })
  world.clock.advance(1000)
  await deleteDomain.run(engine, owner, { domain_id: id })
  const by = { actor: owner.name, key_id: owner.keyId, agent: false, inbox_id: null, ids: [id] }
  const entries = await noted(id)
  expect(entries.map(({ action }) => action).sort()).toEqual([
    'domain.added',
    'domain.checked',
    'domain.deleted',
    'domain.rotated',
  ])
  for (const entry of entries) expect(entry).toMatchObject(by)
  const detailOf = (action: string) => entries.find((one) => one.action === action)?.detail
  expect(detailOf('domain.added')).toEqual({ domain })
  expect(detailOf('domain.checked')).toEqual({ domain, before: 'pending', status: 'verified' })
  expect(detailOf('domain.rotated')).toEqual({ domain, before: 'postroom1', selector: 'postroom2' })
  expect(detailOf('domain.deleted')).toEqual({ domain })
})

test('a check that takes a domain out of use is noted, one that changes nothing and the daily one are not', async () => {
  const { id } = await world.verified('lost.test')
  const before = (await noted(id)).length
  await world.verify(await world.get(await world.add('lost.test')))
  await recheckDomains(world.engine)
  expect(await noted(id)).toHaveLength(before)
  world.names.zones.set('lost.test', {})
  world.clock.advance(1000)
  await world.verify(await world.add('lost.test'))
  expect((await noted(id)).slice(before)).toMatchObject([
    { action: 'domain.checked', detail: { before: 'verified', status: 'failed' } },
  ])
})

test('of two changes of a key at once one is noted', async () => {
  const { engine, owner } = world
  const { id } = await world.verified('turned.test')
  const known = await resolveDomain(engine, owner, id)
  await Promise.all([1, 2, 3].map(() => rotateKeys(engine, known, owner)))
  const turned = (await noted(id)).filter(({ action }) => action === 'domain.rotated')
  expect(turned).toHaveLength(1)
})

test('what is refused is not noted, nor is what the server makes for itself', async () => {
  const { engine, owner } = world
  const { id, domain } = await world.verified('held.test')
  await createInbox.run(engine, owner, { username: 'help', domain })
  await expect(deleteDomain.run(engine, owner, { domain_id: id })).rejects.toMatchObject({
    status: 409,
  })
  expect((await noted(id)).map(({ action }) => action)).not.toContain('domain.deleted')
  const { data } = await listDomains.run(engine, owner, { limit: 100, offset: 0 })
  const own = data.find((one) => one.domain === engine.settings.mailDomain)
  expect(own).toBeDefined()
  expect(await noted(own?.id ?? '')).toEqual([])
})
