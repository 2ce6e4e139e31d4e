import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { JobId } from '../../../src/engine/ids.ts'
import type { Job } from '../../../src/engine/jobs/handler.ts'
import type { LocalDelivery, MailTransport } from '../../../src/engine/ports.ts'
import { createDelivery } from '../../../src/engine/send/deliver.ts'
import { type SendWorld, sendWorld, type TestInbox } from './send-world.ts'

const SECOND = 1000

let world: SendWorld
let inbox: TestInbox

beforeAll(async () => {
  world = await sendWorld()
})
beforeEach(async () => {
  inbox = await world.inbox()
  await world.calm()
})
afterAll(() => world.quit())

const send = (over: object = {}) =>
  world.send({ inbox_id: inbox.id, to: 'ann@x.test', subject: 'Hello', text_body: 'Hi', ...over })

/** The job that is due for a mail, as a worker would hand it over. */
async function jobOf(messageId: string): Promise<Job> {
  const [row] = await world.engine.db.query<{
    id: JobId
    payload: Job['payload']
    attempts: number
  }>("SELECT id, payload, attempts FROM jobs WHERE payload ->> 'message_id' = $1", [messageId])
  if (row === undefined) throw new Error('no job waits for this mail')
  const { id, payload, attempts: attempt } = row
  return { id, payload, attempt, orgId: world.owner.orgId, createdAt: world.clock.now() }
}

describe('whatever the queue does', () => {
  test('an attempt and what becomes of its job are written down together', async () => {
    world.relay.onMail = () => ({ code: 451, text: 'later' })
    const { id } = await send()
    const handler = createDelivery(world.engine, { local: world.local, world: world.drain })
    // Killed right after: no worker has put anything off.
    expect(await handler(await jobOf(id), new AbortController().signal)).toEqual({
      kind: 'recorded',
    })
    const [job] = await world.engine.db.query('SELECT run_at, lease, payload FROM jobs')
    expect(job).toEqual({
      run_at: new Date(world.clock.now().getTime() + 300 * SECOND),
      lease: null,
      payload: { message_id: id, domain: 'x.test', attempt: 1 },
    })
    world.relay.onMail = () => undefined
    world.clock.advance(300 * SECOND)
    await handler(await jobOf(id), new AbortController().signal)
    expect((await world.message(id)).status).toBe('sent')
    expect(await world.engine.db.query('SELECT 1 FROM jobs')).toEqual([])
  })

  test('a job that another worker has taken over meanwhile is left to it', async () => {
    world.relay.onMail = () => ({ code: 451, text: 'later' })
    const { id } = await send()
    const handler = createDelivery(world.engine, { local: world.local, world: world.drain })
    const job = await jobOf(id)
    await world.engine.db.query("UPDATE jobs SET attempts = 1, lease = 'theirs'")
    await handler(job, new AbortController().signal)
    const [theirs] = await world.engine.db.query('SELECT lease, payload FROM jobs')
    expect(theirs).toEqual({ lease: 'theirs', payload: { message_id: id, domain: 'x.test' } })
  })

  test('two workers at the same mail tell of it once', async () => {
    const { id } = await send({ to: ['gone@x.test', 'ann@x.test'] })
    world.relay.onRecipient = (address) =>
      address.startsWith('gone') ? { code: 550, text: 'no' } : undefined
    const ways = { local: world.local, world: world.drain }
    const handler = createDelivery(world.engine, ways)
    const job = await jobOf(id)
    const { signal } = new AbortController()
    await Promise.all([handler(job, signal), handler(job, signal), handler(job, signal)])
    expect((await world.told(id)).map(({ event }) => event)).toEqual([
      'email.sent',
      'email.bounced',
    ])
    expect((await world.message(id)).status).toBe('bounced')
    await world.settle()
  })

  test('a stop in the middle costs no attempt and says nothing', async () => {
    world.relay.onMail = () => ({ code: 451, text: 'later' })
    const { id } = await send()
    const stopping = new AbortController()
    const slow: MailTransport = {
      ...world.drain,
      async send(mail) {
        const answers = await world.drain.send(mail)
        stopping.abort()
        return answers
      },
    }
    const handler = createDelivery(world.engine, { local: world.local, world: slow })
    expect(await handler(await jobOf(id), stopping.signal)).toEqual({
      kind: 'again',
      at: world.clock.now(),
    })
    expect((await world.message(id)).status).toBe('queued')
    const jobs = await world.engine.db.query('SELECT payload FROM jobs')
    expect(jobs).toEqual([{ payload: { message_id: id, domain: 'x.test' } }])
    world.relay.onMail = () => undefined
    await world.settle()
    expect((await world.message(id)).status).toBe('sent')
  })

  test('a process killed while it hands over repeats it; what had ended stays ended', async () => {
    const other = await world.inbox()
    const { id } = await send({ to: [other.address, 'ann@x.test'] })
    const dies = { ...world.drain, send: () => Promise.reject(new Error('killed')) }
    await world.settle({ world: dies })
    const half = await world.message(id)
    expect(half.status).toBe('sending')
    expect(world.states(half)?.[1]).toBe('ann@x.test queued null null')
    let local = 0
    const counting: LocalDelivery = {
      deliver: (mail) => {
        local += 1
        return world.local.deliver(mail)
      },
    }
    world.clock.advance(60 * SECOND)
    await world.settle({ local: counting })
    expect(local).toBe(0)
    expect((await world.message(id)).status).toBe('sent')
    expect((await world.list(other)).data).toHaveLength(1)
    expect((await world.told(id)).map(({ event }) => event)).toEqual([
      'email.sent',
      'email.delivered',
    ])
  })

  test('a fault of ours costs no attempt of the schedule', async () => {
    const { id } = await send()
    const breaks = { ...world.drain, send: () => Promise.reject(new Error('fault')) }
    for (let i = 0; i < 5; i++) {
      await world.settle({ world: breaks })
      world.clock.advance(1000 * SECOND)
    }
    world.relay.onMail = () => ({ code: 451, text: 'later' })
    await world.settle()
    expect((await world.message(id)).status).toBe('deferred')
  })
})
