import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Json } from '../world/http.ts'
import { mail } from '../world/mailer.ts'
import { unusedPort } from '../world/port.ts'
import { type Receiver, startReceiver } from '../world/receiver.ts'
import { type Server, startServer } from '../world/server.ts'
import { PROVEN, proofsOf } from '../world/signatures.ts'

/** A process killed in the middle of a POST: another repeats it within this time. */
const REPEATED_WITHIN_MS = 60_000
const STEP_MS = 1_000

vi.setConfig({ testTimeout: REPEATED_WITHIN_MS + 30_000 })
const patience = { timeout: 20_000, interval: 20 }

let server: Server
const receivers: Receiver[] = []

beforeAll(async () => {
  server = await startServer({ WEBHOOK_RETRY_SCHEDULE: '0,1,1' })
})
afterAll(async () => {
  await server?.close()
  await Promise.all(receivers.map((receiver) => receiver.close()))
})

async function listenTo(port?: number): Promise<Receiver> {
  const receiver = await startReceiver(port)
  receivers.push(receiver)
  return receiver
}

interface Inbox {
  id: string
  address: string
  webhook_secret: string
}

async function inboxWith(username: string, webhook_url: string): Promise<Inbox> {
  const made = await server.call('POST', '/v1/agent/inboxes', { username, webhook_url })
  expect(made.status).toBe(201)
  return made.body
}

const write = ({ address }: Inbox, subject: string) =>
  mail(server.smtp, { from: 'ann@example.com', to: address, subject })

async function deliveries({ id }: Inbox, event = 'thread.created'): Promise<Json[]> {
  const path = `/v1/agent/inboxes/${id}/webhooks/deliveries?event=${event}`
  return (await server.call('GET', path)).body.data
}

/** The newest delivery, as soon as it is so. */
const once = (inbox: Inbox, expected: object): Promise<Json> =>
  vi.waitFor(async () => {
    const [newest] = await deliveries(inbox)
    expect(newest).toMatchObject(expected)
    return newest
  }, patience)

const starts = ({ attempts }: Json): number[] =>
  attempts.map(({ started_at }: Json) => Date.parse(started_at))

describe('an endpoint that fails twice and then answers', () => {
  let receiver: Receiver
  let inbox: Inbox
  const ofThread = () =>
    receiver.posts.filter(({ body }) => JSON.parse(body).event === 'thread.created')

  beforeAll(async () => {
    receiver = await listenTo()
    receiver.answer((response) => {
      if (receiver.posts.length === 1) return void response.destroy()
      response.statusCode = receiver.posts.length < 4 ? 503 : 200
      response.end('not today')
    })
    inbox = await inboxWith('fails-twice', receiver.url)
    await write(inbox, 'Told in the end')
    await once(inbox, { status: 'delivered' })
  })

  test('has every attempt as a row, at the times of the schedule', async () => {
    const [delivery] = await deliveries(inbox)
    expect(delivery).toMatchObject({ status: 'delivered', next_attempt_at: null })
    expect(delivery.attempts).toMatchObject([
      { number: 1, status: 'failed' },
      { number: 2, status: 'failed' },
      { number: 3, status: 'succeeded', http_status: 200, reason: null },
    ])
    const [first = 0, second = 0, third = 0] = starts(delivery)
    expect(second - first).toBeGreaterThanOrEqual(STEP_MS)
    expect(third - second).toBeGreaterThanOrEqual(STEP_MS)
  })

  test('gets the same id and the same bytes each time, signed anew', () => {
    const posts = ofThread()
    expect(posts).toHaveLength(3)
    expect(new Set(posts.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
    expect(new Set(posts.map(({ body }) => body)).size).toBe(1)
    expect(new Set(posts.map(({ headers }) => headers['webhook-timestamp'])).size).toBe(3)
    expect(posts.map((post) => proofsOf(post, inbox.webhook_secret))).toEqual([
      PROVEN,
      PROVEN,
      PROVEN,
    ])
  })
})

test('an endpoint that is not there at first is told when it comes up', async () => {
  const port = await unusedPort()
  const inbox = await inboxWith('comes-late', `http://127.0.0.1:${port}/hook`)
  await write(inbox, 'Nobody listens')
  await once(inbox, { status: 'pending', attempts: [{ status: 'failed', http_status: null }] })
  const receiver = await listenTo(port)
  await once(inbox, { status: 'delivered' })
  expect(receiver.posts[0] && proofsOf(receiver.posts[0], inbox.webhook_secret)).toEqual(PROVEN)
})

test('an endpoint that never answers well is given up after the last attempt', async () => {
  const receiver = await listenTo()
  receiver.answer((response) => void response.writeHead(500).end('broken'))
  const inbox = await inboxWith('never-well', receiver.url)
  await write(inbox, 'Never told')
  const given = await once(inbox, { status: 'failed', next_attempt_at: null })
  expect(given.attempts).toMatchObject([
    { number: 1, http_status: 500, answer: 'broken' },
    { number: 2, http_status: 500 },
    { number: 3, http_status: 500 },
  ])
  expect(
    receiver.posts.filter(({ headers }) => headers['webhook-id'] === given.event_id),
  ).toHaveLength(3)
})

test('an endpoint that answers 410 is told nothing more', async () => {
  const receiver = await listenTo()
  receiver.answer((response) => void response.writeHead(410).end())
  const inbox = await inboxWith('gone', receiver.url)
  await write(inbox, 'The last one')
  await once(inbox, { status: 'failed', attempts: [{ number: 1, http_status: 410 }] })
  await write(inbox, 'Another')
  const other = await listenTo()
  const witness = await inboxWith('witness', other.url)
  await write(witness, 'Told as always')
  await other.received(2)
  expect(receiver.posts).toHaveLength(1)
})

test('an endpoint that hangs holds up nobody else', async () => {
  const [slow, quick] = [await listenTo(), await listenTo()]
  slow.answer(() => undefined)
  const [hanging, waiting] = [
    await inboxWith('hangs', slow.url),
    await inboxWith('waits', quick.url),
  ]
  await write(hanging, 'Held')
  await slow.received(1)
  await write(waiting, 'Not held')
  await quick.received(2)
  expect(await deliveries(hanging)).toMatchObject([{ status: 'pending', attempts: [] }])
  slow.answer((response) => void response.end())
})

test('a POST in whose middle the server was killed is repeated by the next one', async () => {
  const receiver = await listenTo()
  receiver.answer(() => undefined)
  const inbox = await inboxWith('survives', receiver.url)
  await write(inbox, 'Told across a crash')
  await receiver.received(1)
  expect(await server.kill()).toMatchObject({ signal: 'SIGKILL' })
  const killed = performance.now()

  receiver.answer((response) => void response.end())
  await server.restart()
  await receiver.received(3)
  expect(performance.now() - killed).toBeLessThan(REPEATED_WITHIN_MS)
  const [cut, repeated, received] = receiver.posts
  expect(repeated?.headers['webhook-id']).toBe(cut?.headers['webhook-id'])
  expect(repeated?.body).toBe(cut?.body)
  expect(repeated && proofsOf(repeated, inbox.webhook_secret)).toEqual(PROVEN)
  expect(JSON.parse(received?.body ?? '')).toMatchObject({ event: 'email.received' })
  await once(inbox, { status: 'delivered', attempts: [{ number: 1, status: 'succeeded' }] })
})
