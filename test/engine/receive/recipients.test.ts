/** Who mail is taken for, from memory too: a change made here counts at once, one made elsewhere within a second. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { updateOrganization } from '../../../src/engine/access/organization.ts'
import { createInbox, deleteInbox, updateInbox } from '../../../src/engine/inboxes/operations.ts'
import { createRecipientCheck } from '../../../src/engine/receive/recipients.ts'
import { heldClock } from '../../world/clock.ts'
import { type EngineWorld, engineWorld } from '../../world/engine.ts'

const time = heldClock('2026-11-24T08:00:00Z')
let world: EngineWorld
beforeAll(async () => {
  world = await engineWorld({ clock: time })
})
afterAll(() => world.close())

async function known(username: string) {
  const { engine, owner } = world
  const { id, address } = await createInbox.run(engine, owner, { username })
  const check = createRecipientCheck(engine)
  expect(await check(address)).toMatchObject({ kind: 'taken', inbox: { inbox_id: id } })
  return { id, ask: async () => (await check(address)).kind, check, address }
}

describe('an inbox that was found a moment ago', () => {
  it('is taken without asking the database', async () => {
    const { ask } = await known('often')
    const { query } = world.engine.db
    world.engine.db.query = () => Promise.reject(new Error('asked'))
    expect(await ask()).toBe('taken')
    world.engine.db.query = query
  })

  it('is unknown as soon as it is deleted', async () => {
    const { id, ask } = await known('short')
    await deleteInbox.run(world.engine, world.owner, { inbox_id: id })
    expect(await ask()).toBe('unknown')
  })

  it('is refused as soon as it is switched off', async () => {
    const { id, ask } = await known('off')
    await updateInbox.run(world.engine, world.owner, { inbox_id: id, is_active: false })
    expect(await ask()).toBe('switched_off')
  })

  it('follows what its organization says of DMARC', async () => {
    const { check, address } = await known('strict')
    const change = { org_id: world.owner.orgId, dmarc_policy: 'reject' as const }
    await updateOrganization.run(world.engine, world.owner, change)
    expect(await check(address)).toMatchObject({ inbox: { dmarc_policy: 'reject' } })
  })

  it('is asked for again after a second: another process may have changed it', async () => {
    const { id, ask } = await known('elsewhere')
    await world.engine.db.query('UPDATE inboxes SET is_active = false WHERE id = $1', [id])
    expect(await ask()).toBe('taken')
    time.advance(1_000)
    expect(await ask()).toBe('switched_off')
  })
})

it('an address that is nobody’s is asked for each time: it may be somebody’s a moment later', async () => {
  const check = createRecipientCheck(world.engine)
  const address = `late@${world.engine.settings.mailDomain}`
  expect(await check(address)).toEqual({ kind: 'unknown' })
  await createInbox.run(world.engine, world.owner, { username: 'late' })
  expect(await check(address)).toMatchObject({ kind: 'taken' })
})
