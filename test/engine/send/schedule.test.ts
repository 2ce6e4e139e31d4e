import { simpleParser } from 'mailparser'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Caller } from '../../../src/engine/caller.ts'
import { Conflict } from '../../../src/engine/errors.ts'
import { deleteInbox, updateInbox } from '../../../src/engine/inboxes/operations.ts'
import { getRawMessage, getThread } from '../../../src/engine/messages/operations.ts'
import { mergeThreads } from '../../../src/engine/messages/rearrange/operations.ts'
import { cancelMessage, rescheduleMessage } from '../../../src/engine/send/schedule/operations.ts'
import { refused, type SendWorld, sendWorld, type TestInbox } from './send-world.ts'

const MINUTE = 60_000

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

/** So many minutes from now, as callers write it. */
const later = (minutes: number) =>
  new Date(world.clock.now().getTime() + minutes * MINUTE).toISOString()

const mail = (over: object = {}) => ({
  inbox_id: inbox.id,
  to: 'ann@x.test',
  subject: 'Later',
  text_body: 'Hi',
  ...over,
})
const cancel = (id: string, caller: Caller = world.owner) =>
  cancelMessage.run(world.engine, caller, { message_id: id })
const move = (id: string, send_at: string, caller: Caller = world.owner) =>
  rescheduleMessage.run(world.engine, caller, { message_id: id, send_at })

async function wait(minutes: number) {
  world.clock.advance(minutes * MINUTE)
  await world.settle()
}

describe('a mail for later', () => {
  test('waits for its hour, and then goes once, dated as it leaves', async () => {
    const send_at = later(60)
    const sent = await world.send(mail({ send_at }))
    expect(sent).toMatchObject({ status: 'scheduled', send_at })
    await wait(59)
    expect(world.relay.seen).toHaveLength(0)
    expect((await world.message(sent.id)).status).toBe('scheduled')
    await wait(1)
    expect(world.relay.taken).toHaveLength(1)
    const message = await world.message(sent.id)
    expect(message).toMatchObject({ status: 'sent', send_at, sent_at: send_at })
    const raw = world.relay.taken[0]?.raw ?? Buffer.alloc(0)
    expect((await simpleParser(raw)).date?.toISOString()).toBe(send_at)
    expect((await world.told(sent.id)).map(({ event }) => event)).toEqual(['email.sent'])
    await wait(600)
    expect(world.relay.seen).toHaveLength(1)
  })

  test('reads the hour in any zone, to the second', async () => {
    const { send_at } = await world.send(mail({ send_at: '2026-03-05T09:30:00.900+01:00' }))
    expect(send_at).toBe('2026-03-05T08:30:00.000Z')
  })

  test('in dry-run is kept at its hour, and never goes', async () => {
    Object.assign(world.engine.settings, { outbound: 'dry-run' })
    const { id, delivery } = await world.send(mail({ send_at: later(5) }))
    expect(delivery).toBe('dry-run')
    await wait(5)
    expect(await world.message(id)).toMatchObject({ status: 'dry_run' })
    expect(world.relay.seen).toHaveLength(0)
  })

  test.each([
    ['yesterday', 'must be an ISO 8601 time'],
    ['2026-03-05', 'must be an ISO 8601 time'],
    ['2026-03-05T09:30:00', 'must be an ISO 8601 time'],
    ['2026-13-05T09:30:00Z', 'must be an ISO 8601 time'],
    ['2026-04-31T09:30:00Z', 'must be an ISO 8601 time'],
    ['2025-12-01T09:30:00Z', 'has passed'],
    ['2036-01-01T00:00:00Z', 'more than 366 days'],
  ])('at %s is refused by name', async (send_at, words) => {
    const { details } = await refused(world, mail({ send_at }))
    expect(details).toEqual([{ field: 'send_at', message: expect.stringContaining(words) }])
  })

  test('at this very moment has passed', async () => {
    expect((await refused(world, mail({ send_at: later(0) }))).status).toBe(400)
  })

  test('goes to inboxes of ours too', async () => {
    const other = await world.inbox()
    await world.send(mail({ to: other.address, send_at: later(5) }))
    expect((await world.list(other)).data).toEqual([])
    await wait(5)
    expect((await world.list(other)).data).toHaveLength(1)
  })

  test('is not sent where the inbox was switched off meanwhile, and says so', async () => {
    const { id } = await world.send(mail({ send_at: later(5) }))
    const off = { inbox_id: inbox.id, is_active: false }
    await updateInbox.run(world.engine, world.owner, off)
    await wait(5)
    expect(world.relay.seen).toHaveLength(0)
    const message = await world.message(id)
    expect(message.status).toBe('failed')
    expect(world.states(message)?.[0]).toMatch(/failed null not sent: .* switched off/)
    expect((await world.told(id)).map(({ event }) => event)).toEqual(['email.failed'])
  })

  test('goes with its inbox where that is deleted', async () => {
    await world.send(mail({ send_at: later(5) }))
    await deleteInbox.run(world.engine, world.owner, { inbox_id: inbox.id })
    await wait(5)
    expect(world.relay.seen).toHaveLength(0)
  })

  test('goes once, however often its job runs', async () => {
    const { id } = await world.send(mail({ send_at: later(5) }))
    await world.engine.db.query(
      `INSERT INTO jobs SELECT (jsonb_populate_record(j, jsonb_build_object('id', 'job_twin' || n))).*
       FROM jobs j, generate_series(1, 5) AS n WHERE j.payload ->> 'message_id' = $1`,
      [id],
    )
    await wait(5)
    expect(world.relay.seen).toHaveLength(1)
  })
})

describe('what waits in a thread', () => {
  const threadOf = (thread_id: string) => getThread.run(world.engine, world.owner, { thread_id })

  test('does not make it look answered until it goes', async () => {
    const asked = await world.mail(inbox, 'waits')
    world.clock.advance(MINUTE)
    const about = { thread_id: asked.thread_id, subject: undefined, to: undefined }
    const { id } = await world.send(mail({ ...about, send_at: later(60) }))
    const before = await threadOf(asked.thread_id)
    expect(before).toMatchObject({
      waiting_on: 'us',
      last_message_id: asked.id,
      message_count: 2,
      preview: asked.text_body.trim(),
    })
    expect(before.messages.map((one) => one.id)).toEqual([asked.id, id])
    await wait(60)
    expect(await threadOf(asked.thread_id)).toMatchObject({
      waiting_on: 'them',
      last_message_id: id,
      message_count: 2,
      preview: 'Hi',
    })
  })

  test('is not what an answer answers', async () => {
    const asked = await world.mail(inbox, 'answered-first')
    world.clock.advance(MINUTE)
    const about = { thread_id: asked.thread_id, subject: undefined, to: undefined }
    await world.send(mail({ ...about, send_at: later(60) }))
    world.clock.advance(MINUTE)
    const now = await world.send(mail(about))
    expect(now.in_reply_to).toBe(asked.message_id_header)
  })

  test('leaves it to whoever wrote last, where a mail came in between', async () => {
    const asked = await world.mail(inbox, 'between')
    world.clock.advance(MINUTE)
    const about = { thread_id: asked.thread_id, subject: undefined, to: undefined }
    await world.send(mail({ ...about, send_at: later(60) }))
    world.clock.advance(MINUTE)
    const newer = await world.mail(inbox, 'between-2', ['In-Reply-To: <between@x.test>'])
    await wait(60)
    expect(await threadOf(asked.thread_id)).toMatchObject({
      waiting_on: 'us',
      last_message_id: newer.id,
      message_count: 3,
    })
  })

  test('begins a thread that waits on nobody', async () => {
    const { thread_id, id } = await world.send(mail({ send_at: later(5) }))
    const before = await threadOf(thread_id)
    expect(before.waiting_on).toBeUndefined()
    expect(before).toMatchObject({ message_count: 1, last_message_id: id })
    await wait(5)
    expect(await threadOf(thread_id)).toMatchObject({ message_count: 1, waiting_on: 'them' })
  })

  test('goes in the thread that its own was joined to', async () => {
    const one = await world.mail(inbox, 'joined-1')
    const two = await world.mail(inbox, 'joined-2')
    world.clock.advance(MINUTE)
    const about = { thread_id: two.thread_id, subject: undefined, to: undefined }
    const { id } = await world.send(mail({ ...about, send_at: later(5) }))
    const join = { inbox_id: inbox.id, thread_id: two.thread_id, into_thread_id: one.thread_id }
    await mergeThreads.run(world.engine, world.owner, mergeThreads.input.parse(join))
    expect(await threadOf(one.thread_id)).toMatchObject({ waiting_on: 'us', message_count: 3 })
    await wait(5)
    expect(world.relay.taken).toHaveLength(1)
    expect(await threadOf(one.thread_id)).toMatchObject({
      waiting_on: 'them',
      last_message_id: id,
      message_count: 3,
    })
  })
})

describe('until it goes, it', () => {
  test('moves to another hour, later and earlier, with its Date', async () => {
    const { id } = await world.send(mail({ send_at: later(60) }))
    const far = later(600)
    expect(await move(id, far)).toMatchObject({ status: 'scheduled', send_at: far })
    await wait(60)
    expect(world.relay.seen).toHaveLength(0)
    const near = later(30)
    await move(id, near)
    const { bytes } = await getRawMessage.run(world.engine, world.owner, { message_id: id })
    expect((await simpleParser(Buffer.from(bytes))).date?.toISOString()).toBe(near)
    await wait(30)
    expect(world.relay.seen).toHaveLength(1)
    await wait(600)
    expect(world.relay.seen).toHaveLength(1)
  })

  test('leaves no bytes behind when it moves, and its sidecar names the new ones', async () => {
    const before = await world.kept()
    const { id } = await world.send(mail({ send_at: later(60) }))
    const send_at = later(90)
    await move(id, send_at)
    const after = await world.kept()
    expect(after.files.length - before.files.length).toBe(2)
    const [row] = await world.engine.db.query<{ raw_sha256: string }>(
      'SELECT raw_sha256 FROM messages WHERE id = $1',
      [id],
    )
    const sidecar = await world.engine.blobs.sidecar(world.owner.orgId, id as `msg_${string}`)
    expect(sidecar).toMatchObject({ raw_sha256: row?.raw_sha256, send_at })
  })

  test('is called off, once and for all', async () => {
    const { id } = await world.send(mail({ send_at: later(60) }))
    const cancelled = await cancel(id)
    expect(cancelled.status).toBe('cancelled')
    expect(world.states(cancelled)).toEqual(['ann@x.test cancelled null null'])
    expect((await cancel(id)).status).toBe('cancelled')
    await wait(120)
    expect(world.relay.seen).toHaveLength(0)
    await expect(move(id, later(5))).rejects.toThrow(/it is cancelled/)
  })

  test('goes or is called off, never both', async () => {
    const ids: string[] = []
    for (let i = 0; i < 10; i++) ids.push((await world.send(mail({ send_at: later(5) }))).id)
    world.clock.advance(5 * MINUTE)
    const calls = ids.map((id) =>
      cancel(id).then(
        () => true,
        (error) => error,
      ),
    )
    const [called] = await Promise.all([Promise.all(calls), world.settle()])
    expect(called.every((one) => one === true || one instanceof Conflict)).toBe(true)
    const off = called.filter((one) => one === true).length
    expect(world.relay.seen).toHaveLength(10 - off)
    const statuses = await Promise.all(ids.map(async (id) => (await world.message(id)).status))
    expect(statuses.filter((status) => status === 'cancelled')).toHaveLength(off)
    expect(statuses.filter((status) => status === 'sent')).toHaveLength(10 - off)
  })

  test('is refused by name where it has gone, is another inbox’s or never was', async () => {
    const { id } = await world.send(mail())
    await world.settle()
    await expect(cancel(id)).rejects.toMatchObject({
      status: 409,
      message: expect.stringContaining('sent'),
    })
    await expect(move(id, later(5))).rejects.toMatchObject({ status: 409 })
    await expect(cancel('msg_nothing')).rejects.toMatchObject({ status: 404 })
    const planned = await world.send(mail({ send_at: later(5) }))
    await expect(move(planned.id, '2025-01-01T00:00:00Z')).rejects.toMatchObject({ status: 400 })
    const stranger = { ...world.owner, inboxIds: [] }
    await expect(cancel(planned.id, stranger)).rejects.toMatchObject({ status: 404 })
    const elsewhere = { inbox_id: (await world.inbox()).id, message_id: planned.id }
    await expect(cancelMessage.run(world.engine, world.owner, elsewhere)).rejects.toMatchObject({
      status: 400,
    })
  })
})
