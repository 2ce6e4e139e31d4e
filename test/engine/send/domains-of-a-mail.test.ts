import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { mxDelivery } from '../../../src/drains/mx.ts'
import type { JobId } from '../../../src/engine/ids.ts'
import type { Job } from '../../../src/engine/jobs/handler.ts'
import type { MailTransport } from '../../../src/engine/ports.ts'
import { createDelivery } from '../../../src/engine/send/deliver.ts'
import { type Remote, type Script, startRemote } from '../../world/remote.ts'
import { type SendWorld, sendWorld, type TestInbox } from './send-world.ts'

const SECOND = 1000
const DAY = 86_400 * SECOND

let world: SendWorld
let inbox: TestInbox
let drain: MailTransport
let reserved: Remote
const remotes: Remote[] = []

beforeAll(async () => {
  world = await sendWorld({ outbound: 'mx' })
  reserved = await startRemote({}, { address: '127.0.0.9' })
})
beforeEach(async () => {
  inbox = await world.inbox()
  await world.calm()
  world.names.zones.clear()
  Object.assign(world.engine.settings, { outbound: 'mx', outboundRetrySchedule: [0, 300, 1800] })
  const { dns } = world.engine
  drain = mxDelivery({ dns, hostname: 'mail.ours.test', port: reserved.port, loopback: true })
})
afterEach(async () => {
  await drain.close()
  await Promise.all(remotes.splice(0).map((remote) => remote.close()))
})
afterAll(async () => {
  await reserved.close()
  await world.quit()
})

let addresses = 10
async function domain(name: string, script: Script = {}): Promise<Remote> {
  addresses += 1
  const address = `127.0.1.${addresses}`
  const remote = await startRemote(script, { address, port: reserved.port })
  remotes.push(remote)
  world.names.zones.set(name, { A: [address] })
  return remote
}

const send = (...to: string[]) =>
  world.send({ inbox_id: inbox.id, to, subject: 'Hello', text_body: 'Hi' })
const handler = () => createDelivery(world.engine, { local: world.local, world: drain })
const told = async (id: string) => (await world.told(id)).map(({ event }) => event)

async function jobs(): Promise<(Job & { lane: string })[]> {
  const rows = await world.engine.db.query<{
    id: JobId
    payload: Job['payload']
    lane: string
    attempts: number
  }>("SELECT id, payload, lane, attempts FROM jobs WHERE name = 'send.deliver' ORDER BY lane")
  const createdAt = world.clock.now()
  return rows.map(({ attempts, ...job }) => ({
    ...job,
    attempt: attempts,
    orgId: world.owner.orgId,
    createdAt,
  }))
}

describe('the recipient domains of one mail', () => {
  test('have a job each, in a lane of their own, and one transaction at their host', async () => {
    const [x, y] = [await domain('x.test'), await domain('y.test')]
    const { id } = await send('a@x.test', 'b@y.test', 'c@X.test')
    expect((await jobs()).map(({ lane, payload }) => [lane, payload])).toEqual([
      ['x.test', { message_id: id, domain: 'x.test' }],
      ['y.test', { message_id: id, domain: 'y.test' }],
    ])
    await world.settle({ world: drain })
    expect([x.taken.map(({ to }) => to), y.taken.map(({ to }) => to)]).toEqual([
      [['a@x.test', 'c@x.test']],
      [['b@y.test']],
    ])
    expect((await world.message(id)).status).toBe('delivered')
    expect(await told(id)).toEqual(['email.sent', 'email.delivered', 'email.delivered'])
  })

  test('do not wait for each other', async () => {
    await domain('quick.test')
    const slow = await domain('slow.test', { dot: 'hang' })
    const { id } = await send('a@quick.test', 'b@slow.test')
    const [quick, hanging] = await jobs()
    const { signal } = new AbortController()
    const work = handler()
    const stuck = work(hanging as Job, signal)
    await work(quick as Job, signal)
    await expect.poll(() => slow.seen.length).toBe(1)
    expect(world.states(await world.message(id))?.[1]).toBe('b@slow.test queued null null')
    world.clock.advance(SECOND)
    const message = await expect
      .poll(() => world.message(id).then(({ recipients }) => recipients?.[1]?.status))
      .toBe('sending')
      .then(() => world.message(id))
    expect(message.status).toBe('sending')
    expect(world.states(message)).toEqual([
      'a@quick.test delivered 250 2.0.0 Ok: queued',
      'b@slow.test sending null null',
    ])
    await slow.close()
    await stuck
    expect((await world.message(id)).recipients?.[1]?.status).toBe('deferred')
  })

  test('that end at the same moment are summed up once and rightly', async () => {
    const names = Array.from({ length: 12 }, (_, n) => `d${n}.test`)
    for (const name of names) await domain(name, { rcpt: '550 5.1.1 nobody' })
    const { id } = await send(...names.map((name) => `a@${name}`))
    await world.settle({ world: drain })
    expect((await world.message(id)).status).toBe('bounced')
    const events = await told(id)
    expect(events.filter((event) => event === 'email.bounced')).toHaveLength(12)
    expect(events.filter((event) => event === 'email.failed')).toHaveLength(1)
    expect(events.at(-1)).toBe('email.failed')
  })

  test('of which one took the mail: it was sent once, and has not failed', async () => {
    const names = Array.from({ length: 12 }, (_, n) => `e${n}.test`)
    for (const [n, name] of names.entries()) await domain(name, n % 2 ? { dot: '554 no' } : {})
    const { id } = await send(...names.map((name) => `a@${name}`))
    await world.settle({ world: drain })
    const events = await told(id)
    expect(events.filter((event) => event === 'email.sent')).toHaveLength(1)
    expect(events.filter((event) => event === 'email.delivered')).toHaveLength(6)
    expect(events.filter((event) => event === 'email.bounced')).toHaveLength(6)
    expect(events).not.toContain('email.failed')
    expect((await world.message(id)).status).toBe('bounced')
  })

  test('are tried again each at its own time', async () => {
    const [x, y] = [await domain('x.test'), await domain('y.test', { rcpt: '451 later' })]
    const { id } = await send('a@x.test', 'b@y.test')
    await world.settle({ world: drain })
    expect((await world.message(id)).status).toBe('deferred')
    y.script.rcpt = '250 Ok'
    world.clock.advance(300 * SECOND)
    await world.settle({ world: drain })
    expect((await world.message(id)).status).toBe('delivered')
    expect([x.taken.length, y.taken.length]).toEqual([1, 1])
    expect(y.taken[0]?.raw).toBe(x.taken[0]?.raw)
  })
})

describe('a mail that nobody takes', () => {
  test('is given up after five days, whatever the schedule says', async () => {
    const remote = await domain('x.test', { rcpt: '451 4.2.1 not now' })
    const fourDays = (4 * DAY) / SECOND
    Object.assign(world.engine.settings, { outboundRetrySchedule: [0, fourDays, fourDays, 1] })
    const { id } = await send('a@x.test')
    await world.settle({ world: drain })
    world.clock.advance(4 * DAY)
    await world.settle({ world: drain })
    expect(world.states(await world.message(id))).toEqual([
      'a@x.test failed 451 given up: 4.2.1 not now',
    ])
    expect(remote.commands.filter((line) => line.startsWith('RCPT'))).toHaveLength(2)
    expect(await told(id)).toEqual(['email.bounced', 'email.failed'])
  })

  test('while we were away for longer is not tried again: what was said last stands', async () => {
    const remote = await domain('x.test', { rcpt: '451 4.2.1 not now' })
    const { id } = await send('a@x.test')
    await world.settle({ world: drain })
    world.clock.advance(6 * DAY)
    remote.script.rcpt = '250 Ok'
    await world.settle({ world: drain })
    expect(world.states(await world.message(id))).toEqual([
      'a@x.test failed 451 given up: 4.2.1 not now',
    ])
    expect(remote.taken).toEqual([])
  })
})

test('a mail that was never tried goes out once we are back, however late', async () => {
  const remote = await domain('x.test')
  const { id } = await send('a@x.test')
  world.clock.advance(6 * DAY)
  await world.settle({ world: drain })
  expect((await world.message(id)).status).toBe('delivered')
  expect(remote.taken).toHaveLength(1)
})

test('a database that is away for a moment does not make us send twice', async () => {
  const remote = await domain('x.test')
  const { id } = await send('a@x.test')
  let away = 2
  const { db } = world.engine
  const query: typeof db.query = (text, values, name) => {
    if (name === 'send_record' && away-- > 0) {
      return Promise.reject(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }))
    }
    return db.query(text, values, name)
  }
  const delivery = createDelivery(
    { ...world.engine, db: { ...db, query } },
    { local: world.local, world: drain },
  )
  const [job] = await jobs()
  await delivery(job as Job, new AbortController().signal)
  expect((await world.message(id)).status).toBe('delivered')
  await world.settle({ world: drain })
  expect(remote.seen).toHaveLength(1)
})

test('mail of an inbox whose sending was stopped waits, unmarked, and costs no attempt', async () => {
  const remote = await domain('x.test')
  const { id } = await send('a@x.test')
  const stop = 'UPDATE inboxes SET sending_stopped_at = $2 WHERE id = $1'
  await world.engine.db.query(stop, [inbox.id, world.clock.now()])
  await world.settle({ world: drain })
  expect((await world.message(id)).status).toBe('queued')
  await world.engine.db.query(stop, [inbox.id, null])
  world.clock.advance(3600 * SECOND)
  await world.settle({ world: drain })
  expect((await world.message(id)).status).toBe('delivered')
  expect(remote.seen).toHaveLength(1)
})

test('what leaves is signed for its sender; what stays in the house is as it was kept', async () => {
  const remote = await domain('x.test')
  const other = await world.inbox()
  const { id } = await send('a@x.test', other.address)
  const asked: string[] = []
  const sign = async ({ from, raw }: { from: string; raw: Uint8Array }) => {
    asked.push(from)
    return Buffer.concat([Buffer.from('X-Signed: yes\r\n'), raw])
  }
  await world.settle({ world: drain, sign })
  expect(asked).toEqual([inbox.address])
  expect(remote.taken[0]?.raw).toMatch(/^X-Signed: yes\r\n/)
  expect((await world.message(id)).status).toBe('delivered')
  const [arrived] = (await world.list(other)).data
  expect(arrived?.size).toBe((await world.message(id)).size)
})
