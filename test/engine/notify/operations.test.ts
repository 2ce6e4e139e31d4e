import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { NotFound } from '../../../src/engine/errors.ts'
import { listDeliveries } from '../../../src/engine/notify/operations.ts'
import { type NotifyWorld, notifyWorld, type TestInbox } from './notify-world.ts'

let world: NotifyWorld
let inbox: TestInbox
beforeAll(async () => {
  world = await notifyWorld()
  const endpoint = await world.endpoint()
  endpoint.answer((response, { body }) => {
    response.writeHead(body.includes('thread.created') ? 500 : 200).end()
  })
  inbox = await world.inbox(endpoint.url)
  for (let n = 0; n < 3; n++) {
    await world.mail(inbox)
    world.clock.advance(1_000)
  }
  await world.worker().settle()
})
afterEach(() => world.quit())
afterAll(() => world.close())

const list = (filter: Record<string, unknown> = {}) =>
  listDeliveries.run(
    world.engine,
    world.owner,
    listDeliveries.input.parse({ inbox_id: inbox.address, ...filter }),
  )

test('deliveries are listed newest first and have the shape they promise', async () => {
  const page = await list()
  expect(listDeliveries.output.parse(page)).toEqual(page)
  expect(page.pagination).toMatchObject({ total: 6, limit: 20, offset: 0 })
  const ids = page.data.map(({ id }) => id)
  expect(ids).toEqual(ids.toSorted().toReversed())
})

test('status and event narrow the list, and the total with it', async () => {
  const pending = await list({ status: 'pending' })
  expect(pending.pagination.total).toBe(3)
  expect(new Set(pending.data.map(({ event }) => event))).toEqual(new Set(['thread.created']))
  expect((await list({ event: 'email.received' })).data.map(({ status }) => status)).toEqual(
    Array(3).fill('delivered'),
  )
  expect((await list({ event: 'email.received', status: 'failed' })).data).toEqual([])
})

test('the cursor leads through all pages', async () => {
  const seen: string[] = []
  let cursor: string | undefined
  do {
    const { data, pagination } = await list({ limit: 4, cursor })
    seen.push(...data.map(({ id }) => id))
    cursor = pagination.next_cursor
  } while (cursor)
  expect(seen).toEqual((await list()).data.map(({ id }) => id))
})

test('a filter that means nothing is refused by name', () => {
  const wrong = { inbox_id: inbox.id, status: 'lost', colour: 'red' }
  const { error } = listDeliveries.input.safeParse(wrong)
  expect(error?.message).toContain('status')
  expect(error?.message).toContain('colour')
})

test('an inbox that the key does not see has no deliveries to show', async () => {
  const blind = { ...world.owner, inboxIds: [] }
  const input = listDeliveries.input.parse({ inbox_id: inbox.id })
  await expect(listDeliveries.run(world.engine, blind, input)).rejects.toThrow(NotFound)
  const foreign = { ...world.owner, orgId: 'org_other' as const }
  await expect(listDeliveries.run(world.engine, foreign, input)).rejects.toThrow(NotFound)
})

test('listing needs inbox:read', () => {
  expect(listDeliveries).toMatchObject({ scope: 'inbox:read', reads: true })
})
