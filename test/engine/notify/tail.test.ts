import { setImmediate } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { adoptEvents, type EventName, newEvent } from '../../../src/engine/events.ts'
import { updateInbox } from '../../../src/engine/inboxes/operations.ts'
import { webhookTail } from '../../../src/engine/notify/tail.ts'
import { openDatabase } from '../../../src/platform/database.ts'
import { databaseUrl } from '../../world/template.ts'
import { type NotifyWorld, notifyWorld, simpleMail, type TestInbox, told } from './notify-world.ts'

let world: NotifyWorld
beforeAll(async () => {
  world = await notifyWorld()
})
afterEach(() => world.quit())
afterAll(() => world.close())

const EVENT = `INSERT INTO events (org_id, id, event, inbox_id, data, created_at)
  VALUES ($1, $2, $3, $4, $5, $6)`

function documentEvent(inbox: TestInbox, name: string, event: EventName = 'document.ready') {
  const about = { orgId: world.owner.orgId, inboxId: inbox.id, data: { name } }
  const row = newEvent(event, about, world.clock.now())
  return [row.org_id, row.id, row.event, row.inbox_id, JSON.stringify(row.data), row.created_at]
}

const names = (bodies: string[]) => bodies.map((body) => JSON.parse(body).data.name)
const bodiesOf = async (inbox: TestInbox) => {
  const rows = await world.engine.db.query<{ body: string }>(
    'SELECT body FROM webhook_deliveries WHERE org_id = $1 AND inbox_id = $2 ORDER BY id',
    [world.owner.orgId, inbox.id],
  )
  return rows.map(({ body }) => body)
}

/** One look, once no other transaction of the server, a neighbour's too, could still put an event before ours. */
async function look(): Promise<string> {
  const tail = webhookTail(world.engine)
  for (;;) {
    const found = await tail.step()
    if (found !== 'held') return found
    await setImmediate()
  }
}

test('an inbox without an endpoint is told nothing, also not later about what was', async () => {
  const endpoint = await world.endpoint()
  const inbox = await world.inbox()
  const worker = world.worker()
  await world.mail(inbox)
  await worker.settle()
  const change = { inbox_id: inbox.id, webhook_url: endpoint.url }
  await updateInbox.run(world.engine, world.owner, change)
  await worker.settle()
  expect(endpoint.posts).toEqual([])
  expect(await world.deliveries(inbox)).toEqual([])
})

test('many events are read in batches, each told once, in the order of the log', async () => {
  const inbox = await world.inbox('http://127.0.0.1:9/hook')
  const { db } = world.engine
  for (let n = 0; n < 120; n++) await db.query(EVENT, documentEvent(inbox, `document ${n}`))
  const tail = webhookTail(world.engine)
  const steps = []
  while (steps.at(-1) !== 'end') steps.push(await tail.step())
  expect(steps.filter((step) => step === 'more').length).toBeGreaterThanOrEqual(2)
  expect(names(await bodiesOf(inbox))).toEqual(
    Array.from({ length: 120 }, (_, n) => `document ${n}`),
  )
})

test('events that nobody is told of are passed over by the hundred, and the others among them told in order', async () => {
  const told = await world.inbox('http://127.0.0.1:9/hook')
  const silent = await world.inbox()
  const { db } = world.engine
  const tail = webhookTail(world.engine)
  while ((await look()) !== 'end');
  for (let n = 0; n < 1_300; n++) {
    await db.query(EVENT, documentEvent(n % 50 === 7 ? told : silent, `document ${n}`))
  }
  const steps = []
  while (steps.at(-1) !== 'end') steps.push(await look())
  expect(steps.length).toBeLessThanOrEqual(4)
  expect(names(await bodiesOf(told))).toEqual(
    Array.from({ length: 26 }, (_, n) => `document ${50 * n + 7}`),
  )
  expect(await bodiesOf(silent)).toEqual([])
  expect(await tail.step()).toBe('end')
})

test.each([
  ['a batch ends between', 49, []],
  [
    'the mail is larger than what goes into one batch',
    0,
    [Buffer.alloc(5_000_000, 'a\n').toString()],
  ],
])(
  'what an endpoint is told of one mail is one job in order, also where %s',
  async (_, before, more) => {
    const { db } = world.engine
    const tail = webhookTail(world.engine)
    while ((await tail.step()) !== 'end');
    await db.query('DELETE FROM jobs')
    const [silent, inbox] = [await world.inbox(), await world.inbox('http://127.0.0.1:9/hook')]
    for (let n = 0; n < before; n++) await db.query(EVENT, documentEvent(silent, `document ${n}`))
    await world.mail(inbox, [...simpleMail(inbox), ...more])
    while ((await tail.step()) !== 'end');
    const ids = (await world.deliveries(inbox)).toReversed()
    expect(ids.map(({ event }) => event)).toEqual(['thread.created', 'email.received'])
    expect(await db.query('SELECT payload FROM jobs')).toEqual([
      { payload: { delivery_ids: ids.map(({ id }) => id) } },
    ])
  },
)

test('two processes that tail at once double nothing', async () => {
  const endpoint = await world.endpoint()
  const inbox = await world.inbox(endpoint.url)
  const { db } = world.engine
  for (let n = 0; n < 60; n++) await db.query(EVENT, documentEvent(inbox, `document ${n}`))
  await Promise.all([world.worker().settle(), world.worker().settle(), world.worker().settle()])
  expect(names(endpoint.posts.map(({ body }) => body)).toSorted()).toEqual(
    Array.from({ length: 60 }, (_, n) => `document ${n}`).toSorted(),
  )
})

test('a log that was brought here from another server is read on where it was left', async () => {
  const inbox = await world.inbox('http://127.0.0.1:9/hook')
  const { db } = world.engine
  const write = (name: string) => db.query(EVENT, documentEvent(inbox, name))
  while ((await look()) !== 'end');
  await write('told there')
  while ((await look()) !== 'end');
  await write('left there')
  // That server had come much further.
  for (const table of ['events', 'cursors']) {
    await db.query(
      `UPDATE ${table} SET xid = (xid::text::bigint + 1000000000)::text::xid8 WHERE xid > '0'`,
    )
  }
  world.clock.advance(1_000)
  await write('here, before anybody looked')
  await adoptEvents(world.engine)
  await write('here')
  while ((await look()) !== 'end');
  expect(names(await bodiesOf(inbox))).toEqual([
    'told there',
    'left there',
    'here, before anybody looked',
    'here',
  ])
  const places = () => db.query('SELECT id, xid::text, seq FROM events ORDER BY id')
  const before = await places()
  await adoptEvents(world.engine)
  expect(await places()).toEqual(before)
})

test('the deliveries, their jobs and the cursor are one commit', async () => {
  const inbox = await world.inbox('http://127.0.0.1:9/hook')
  const { db } = world.engine
  await db.query(EVENT, documentEvent(inbox, 'all or nothing'))
  const place = () => db.query("SELECT xid::text, seq FROM cursors WHERE name = 'notify'")
  const before = await place()
  await db.query('ALTER TABLE jobs ADD CONSTRAINT no_more CHECK (false) NOT VALID')
  try {
    await expect(look()).rejects.toThrow(/no_more/)
  } finally {
    await db.query('ALTER TABLE jobs DROP CONSTRAINT no_more')
  }
  expect(await bodiesOf(inbox)).toEqual([])
  expect(await place()).toEqual(before)
  await look()
  expect(names(await bodiesOf(inbox))).toEqual(['all or nothing'])
  expect(await place()).not.toEqual(before)
})

test('a mail is told with the bytes it was told with first, whatever became of it', async () => {
  const endpoint = await world.endpoint()
  endpoint.answer((response) => response.writeHead(500).end())
  const inbox = await world.inbox(endpoint.url)
  const worker = world.worker()
  await world.mail(inbox)
  await worker.settle()
  await world.engine.db.query("UPDATE messages SET subject = 'another' WHERE org_id = $1", [
    world.owner.orgId,
  ])
  world.clock.advance(60_000)
  await worker.settle()
  const [first, second] = told(endpoint, 'email.received')
  expect(second?.body).toBe(first?.body)
})

const server = process.env.TEST_DATABASE_URL
// The embedded database has one connection: no transaction can stay open beside another.
test.skipIf(!server)(
  'an event that commits late is told too, since its place is held',
  async () => {
    const inbox = await world.inbox('http://127.0.0.1:9/hook')
    await connected(async (late, early) => {
      await late.query('BEGIN')
      await late.query(EVENT, documentEvent(inbox, 'begun first, committed last'))
      await early.query(EVENT, documentEvent(inbox, 'begun last, committed first'))
      const tail = webhookTail(world.engine)
      while ((await tail.step()) === 'more');
      expect(await tail.step()).toBe('held')
      expect(await bodiesOf(inbox)).toEqual([])
      await late.query('COMMIT')
      await world.worker().settle()
    })
    expect(names(await bodiesOf(inbox))).toEqual([
      'begun first, committed last',
      'begun last, committed first',
    ])
  },
)

test.skipIf(!server)('two connections that tail at once double nothing', async () => {
  const endpoint = await world.endpoint()
  const inbox = await world.inbox(endpoint.url)
  const other = await openDatabase({ url: await ourUrl(), dataDir: '', log: world.engine.log })
  for (let n = 0; n < 120; n++) {
    await other.query(EVENT, documentEvent(inbox, `document ${n}`))
  }
  await Promise.all([
    world.worker().settle(),
    world.worker({ engine: { db: other } }).settle(),
    world.worker({ engine: { db: other } }).settle(),
  ])
  expect(new Set(names(endpoint.posts.map(({ body }) => body))).size).toBe(120)
  expect(endpoint.posts).toHaveLength(120)
  await world.quit()
  await other.close()
})

async function ourUrl(): Promise<string> {
  const [row] = await world.engine.db.query<{ name: string }>('SELECT current_database() AS name')
  return databaseUrl(server ?? '', row?.name ?? '')
}

async function connected(use: (late: pg.Client, early: pg.Client) => Promise<void>) {
  const connectionString = await ourUrl()
  const clients = [
    new pg.Client({ connectionString }),
    new pg.Client({ connectionString }),
  ] as const
  for (const client of clients) await client.connect()
  try {
    await use(...clients)
  } finally {
    for (const client of clients) await client.end()
  }
}
