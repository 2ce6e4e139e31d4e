import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { JobId } from '../../../src/engine/ids.ts'
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
describe('whatever the queue does', () => {
  test('an attempt that was written down is not repeated before its time', async () => {
    world.relay.onMail = () => ({ code: 451, text: 'later' })
    const { id } = await send()
    await world.settle()
    // Killed after the attempt was written down and before the job was put off: it comes back early.
    await world.engine.db.query("UPDATE jobs SET run_at = $2 WHERE payload ->> 'message_id' = $1", [
      id,
      world.clock.now(),
    ])
    await world.settle()
    expect(world.relay.seen).toHaveLength(1)
    world.clock.advance(300 * SECOND)
    await world.settle()
    expect(world.relay.seen).toHaveLength(2)
  })

  test('two workers at the same mail tell of it once', async () => {
    const { id } = await send({ to: ['gone@x.test', 'ann@x.test'] })
    world.relay.onRecipient = (address) =>
      address.startsWith('gone') ? { code: 550, text: 'no' } : undefined
    const ways = { local: world.local, world: world.drain }
    const handler = createDelivery(world.engine, ways)
    const job = {
      id: 'job_x' as const,
      orgId: world.owner.orgId,
      payload: { message_id: id },
      attempt: 1,
      createdAt: world.clock.now(),
    }
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
    const [row] = await world.engine.db.query<{ id: JobId }>('SELECT id FROM jobs')
    const job = {
      id: row?.id ?? 'job_none',
      orgId: world.owner.orgId,
      payload: { message_id: id },
      attempt: 1,
      createdAt: world.clock.now(),
    }
    expect(await handler(job, stopping.signal)).toEqual({ kind: 'again', at: world.clock.now() })
    expect((await world.message(id)).status).toBe('sending')
    const jobs = await world.engine.db.query('SELECT payload FROM jobs')
    expect(jobs).toEqual([{ payload: { message_id: id } }])
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
    expect(world.states(half)?.[1]).toBe('ann@x.test sending null null')
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
    expect((await world.told(id)).map(({ event }) => event)).toEqual(['email.sent'])
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
