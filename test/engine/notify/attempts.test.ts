import { createHmac } from 'node:crypto'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { deleteInbox, updateInbox } from '../../../src/engine/inboxes/operations.ts'
import { LEASE_MS } from '../../../src/engine/jobs/lease.ts'
import { heldClock } from '../../world/clock.ts'
import { type NotifyWorld, notifyWorld, told } from './notify-world.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND

/** On a busy machine no POST of the test ends by its deadline. */
const patient = () => ({ settings: { ...world.engine.settings, webhookTimeoutSeconds: 600 } })

let world: NotifyWorld
beforeAll(async () => {
  world = await notifyWorld()
})
afterEach(() => world.quit())
afterAll(() => world.close())

test('a mail is told with all signatures, once, and thread.created before it', async () => {
  const endpoint = await world.endpoint()
  const inbox = await world.inbox(endpoint.url)
  const worker = world.worker()
  await world.mail(inbox)
  await worker.settle()
  await worker.settle()

  const events = endpoint.posts.map(({ body }) => JSON.parse(body).event)
  expect(events).toEqual(['thread.created', 'email.received'])
  const [post] = told(endpoint, 'email.received')
  const hex = createHmac('sha256', inbox.secret)
    .update(post?.body ?? '')
    .digest('hex')
  const headers = post?.headers ?? {}
  const key = Buffer.from(inbox.secret.slice('whsec_'.length), 'base64')
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${post?.body}`
  expect(headers).toMatchObject({
    'content-type': 'application/json',
    'user-agent': 'Postroom',
    'x-aithreads-signature': `sha256=${hex}`,
    'x-agentsend-signature': hex,
    'webhook-id': expect.stringMatching(/^evt_/),
    'webhook-timestamp': String(world.clock.now().getTime() / SECOND),
    'webhook-signature': `v1,${createHmac('sha256', key).update(signed).digest('base64')}`,
  })
  const deliveries = await world.deliveries(inbox)
  expect(deliveries.map(({ event }) => event)).toEqual(['email.received', 'thread.created'])
  expect(deliveries[0]).toMatchObject({
    status: 'delivered',
    next_attempt_at: null,
    url: endpoint.url,
    attempts: [{ number: 1, status: 'succeeded', http_status: 200, reason: null, answer: 'ok' }],
  })
})

test('a failing endpoint is tried at the exact schedule with the same bytes and id, then given up', async () => {
  const endpoint = await world.endpoint()
  endpoint.answer((response) => response.writeHead(500).end('no'.repeat(2_000)))
  const inbox = await world.inbox(endpoint.url)
  const worker = world.worker()
  const began = world.clock.now().getTime()
  await world.mail(inbox)
  await worker.settle()
  for (const wait of [60, 300, 1800, 7200]) {
    const before = endpoint.posts.length
    world.clock.advance(wait * SECOND - 1)
    await worker.settle()
    expect(endpoint.posts).toHaveLength(before)
    world.clock.advance(1)
    await worker.settle()
    expect(endpoint.posts).toHaveLength(before + 2)
  }
  world.clock.advance(30 * 24 * 60 * MINUTE)
  await worker.settle()

  const posts = told(endpoint, 'email.received')
  expect(posts).toHaveLength(5)
  expect(new Set(posts.map(({ body }) => body)).size).toBe(1)
  expect(new Set(posts.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
  expect(posts.map(({ headers }) => Number(headers['webhook-timestamp']) - began / SECOND)).toEqual(
    [0, 60, 360, 2160, 9360],
  )
  const [delivery] = await world.deliveries(inbox, { status: 'failed' })
  expect(delivery).toMatchObject({ status: 'failed', next_attempt_at: null })
  expect(delivery?.attempts).toHaveLength(5)
  expect(delivery?.attempts[4]).toMatchObject({
    number: 5,
    http_status: 500,
    reason: 'HTTP 500',
    answer: 'no'.repeat(512),
  })
})

test('while it waits a delivery is pending and shows its next attempt; then it recovers', async () => {
  const endpoint = await world.endpoint()
  endpoint.answer((response) => response.writeHead(502).end())
  const inbox = await world.inbox(endpoint.url)
  const worker = world.worker()
  await world.mail(inbox)
  await worker.settle()
  const [waiting] = await world.deliveries(inbox, { status: 'pending' })
  const next = new Date(world.clock.now().getTime() + MINUTE)
  expect(waiting).toMatchObject({ status: 'pending', next_attempt_at: next.toISOString() })

  endpoint.answer((response) => response.writeHead(204).end())
  world.clock.advance(MINUTE)
  await worker.settle()
  const [done] = await world.deliveries(inbox)
  expect(done).toMatchObject({ status: 'delivered', next_attempt_at: null })
  expect(done?.attempts.map(({ http_status }) => http_status)).toEqual([502, 204])
})

test('Retry-After postpones the next attempt', async () => {
  const endpoint = await world.endpoint()
  endpoint.answer((response) => response.writeHead(429, { 'retry-after': '90' }).end())
  const inbox = await world.inbox(endpoint.url)
  const worker = world.worker()
  await world.mail(inbox)
  await worker.settle()
  world.clock.advance(90 * SECOND - 1)
  await worker.settle()
  expect(told(endpoint, 'email.received')).toHaveLength(1)
  world.clock.advance(1)
  await worker.settle()
  expect(told(endpoint, 'email.received')).toHaveLength(2)
})

test('410 disables the endpoint until its URL is set again', async () => {
  const endpoint = await world.endpoint()
  const inbox = await world.inbox(endpoint.url)
  const worker = world.worker()
  endpoint.answer((response) => response.writeHead(410).end())
  await world.mail(inbox)
  await worker.settle()
  const after = endpoint.posts.length
  await world.mail(inbox)
  world.clock.advance(24 * 60 * MINUTE)
  await worker.settle()
  expect(endpoint.posts).toHaveLength(after)
  const failed = await world.deliveries(inbox, { status: 'failed' })
  expect(failed).toHaveLength(2)
  expect(failed.flatMap(({ attempts }) => attempts)).toContainEqual(
    expect.objectContaining({ http_status: 410, reason: expect.stringContaining('gone') }),
  )

  endpoint.answer((response) => response.end())
  const change = { inbox_id: inbox.id, webhook_url: endpoint.url }
  await updateInbox.run(world.engine, world.owner, change)
  await world.mail(inbox)
  await worker.settle()
  expect(endpoint.posts).toHaveLength(after + 2)
})

test('a redirect is a failure and nothing goes to where it points', async () => {
  const [endpoint, elsewhere] = [await world.endpoint(), await world.endpoint()]
  endpoint.answer((response) => response.writeHead(302, { location: elsewhere.url }).end())
  const inbox = await world.inbox(endpoint.url)
  const worker = world.worker()
  await world.mail(inbox)
  await worker.settle()
  expect(elsewhere.posts).toEqual([])
  const [delivery] = await world.deliveries(inbox)
  expect(delivery).toMatchObject({ status: 'pending' })
  expect(delivery?.attempts[0]?.reason).toBe('HTTP 302: redirects are not followed')
})

test('thread.created is answered before the mail itself is told', async () => {
  const endpoint = await world.endpoint()
  const answers: (() => void)[] = []
  endpoint.answer((response) => void answers.push(() => response.end()))
  const inbox = await world.inbox(endpoint.url)
  const worker = world.worker()
  await world.mail(inbox)
  worker.start()
  await endpoint.received(1)
  expect(told(endpoint, 'thread.created')).toHaveLength(1)
  expect(endpoint.posts).toHaveLength(1)
  answers.shift()?.()
  await endpoint.received(2)
  expect(told(endpoint, 'email.received')).toHaveLength(1)
  answers.shift()?.()
})

test('a receiver that hangs delays nobody else', async () => {
  const [slow, quick] = [await world.endpoint(), await world.endpoint()]
  slow.answer(() => {})
  const [stuck, lively] = [await world.inbox(slow.url), await world.inbox(quick.url)]
  const worker = world.worker({ engine: patient() })
  for (let n = 0; n < 20; n++) await world.mail(stuck)
  await world.mail(lively)
  worker.start()
  await quick.received(2)
  await slow.received(4)
  expect(slow.posts).toHaveLength(4)
  expect((await world.deliveries(stuck, { status: 'pending' })).length).toBe(40)
})

test('a process killed in the middle of a POST repeats it within a minute, with the same id', async () => {
  const endpoint = await world.endpoint()
  endpoint.answer(() => {})
  const inbox = await world.inbox(endpoint.url)
  // Its clock stands for ever: it renews no lease, as a killed process does not.
  const killed = world.worker({ clock: heldClock(world.clock.now()), engine: patient() })
  await world.mail(inbox)
  killed.start()
  await endpoint.received(1)

  endpoint.answer((response) => response.end())
  const heir = world.worker()
  world.clock.advance(LEASE_MS - 1)
  await heir.settle()
  expect(endpoint.posts).toHaveLength(1)
  world.clock.advance(1)
  await heir.settle()
  expect(endpoint.posts).toHaveLength(3)
  const [first, second] = told(endpoint, 'thread.created')
  expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id'])
  expect(second?.body).toBe(first?.body)
  for (const delivery of await world.deliveries(inbox)) {
    expect(delivery).toMatchObject({ status: 'delivered', attempts: [{ number: 1 }] })
  }
})

test('a process killed after recording an attempt does not repeat it', async () => {
  const endpoint = await world.endpoint()
  endpoint.answer((response) => response.writeHead(500).end())
  const inbox = await world.inbox(endpoint.url)
  const worker = world.worker()
  await world.mail(inbox)
  await worker.settle()
  // The job as the crash leaves it: claimed, due, its result recorded in the delivery alone.
  await world.engine.db.query("UPDATE jobs SET run_at = $1 WHERE name = 'notify.post'", [
    world.clock.now(),
  ])
  await worker.settle()
  expect(endpoint.posts).toHaveLength(2)
  world.clock.advance(MINUTE)
  await worker.settle()
  expect(endpoint.posts).toHaveLength(4)
})

test('retries go to where the inbox points now, and nowhere when it points nowhere', async () => {
  const [old, fresh] = [await world.endpoint(), await world.endpoint()]
  old.answer((response) => response.writeHead(500).end())
  const [moved, silenced] = [await world.inbox(old.url), await world.inbox(old.url)]
  const worker = world.worker()
  await world.mail(moved)
  await world.mail(silenced)
  await worker.settle()
  const change = (inbox_id: string, webhook_url: string | null) =>
    updateInbox.run(world.engine, world.owner, { inbox_id, webhook_url })
  await change(moved.id, fresh.url)
  await change(silenced.id, null)
  world.clock.advance(MINUTE)
  await worker.settle()
  expect(old.posts).toHaveLength(4)
  expect(fresh.posts).toHaveLength(2)
  expect(await world.deliveries(silenced, { status: 'failed' })).toHaveLength(2)
})

test('what waits for a deleted inbox is not sent', async () => {
  const endpoint = await world.endpoint()
  endpoint.answer((response) => response.writeHead(500).end())
  const inbox = await world.inbox(endpoint.url)
  const worker = world.worker()
  await world.mail(inbox)
  await worker.settle()
  await deleteInbox.run(world.engine, world.owner, { inbox_id: inbox.id })
  world.clock.advance(MINUTE)
  await worker.settle()
  expect(endpoint.posts).toHaveLength(2)
})
