import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { getThread } from '../../../src/engine/messages/operations.ts'
import { clearHealth } from '../../../src/engine/send/health/operations.ts'
import { approveReview, listReviews } from '../../../src/engine/send/reviews/operations.ts'
import { cancelMessage, rescheduleMessage } from '../../../src/engine/send/schedule/operations.ts'
import { type SendWorld, sendWorld, type TestInbox } from './send-world.ts'

const MINUTE = 60_000

let world: SendWorld
let inbox: TestInbox

beforeAll(async () => {
  world = await sendWorld({ agentSendPolicy: 'review-all' })
})
beforeEach(async () => {
  inbox = await world.inbox()
  await world.calm()
  Object.assign(world.engine.settings, { readOnly: false })
})
afterAll(() => world.quit())

const later = (minutes: number) =>
  new Date(world.clock.now().getTime() + minutes * MINUTE).toISOString()

async function held(over: object = {}) {
  const mail = { inbox_id: inbox.id, to: 'ann@x.test', subject: 'Later', text_body: 'Hi' }
  const sent = await world.ask({ ...mail, ...over }, world.agent)
  if (!('review_id' in sent)) throw new Error('the mail is not held')
  return sent
}
async function approve(review_id: string) {
  const { engine, owner } = world
  const page = { inbox_id: inbox.id, limit: 20, offset: 0 }
  const { data } = await listReviews.run(engine, owner, listReviews.input.parse(page))
  const sha256 = data.find(({ id }) => id === review_id)?.sha256 ?? ''
  return approveReview.run(engine, owner, { inbox_id: inbox.id, review_id, sha256 })
}
async function wait(minutes: number) {
  world.clock.advance(minutes * MINUTE)
  await world.settle()
}

test('a held mail waits for a person first and for its hour then', async () => {
  const { id, review_id } = await held({ send_at: later(60) })
  await wait(5)
  expect((await world.message(id)).status).toBe('pending_review')
  await approve(review_id)
  expect((await world.message(id)).status).toBe('scheduled')
  await wait(54)
  expect(world.relay.seen).toHaveLength(0)
  await wait(1)
  expect(world.relay.taken).toHaveLength(1)
})

test('approved after its hour it goes at once', async () => {
  const { id, review_id } = await held({ send_at: later(5) })
  await wait(60)
  expect(world.relay.seen).toHaveLength(0)
  await approve(review_id)
  await world.settle()
  expect((await world.message(id)).status).toBe('sent')
})

test('an agent cannot move what a person approved for an hour; a person can, and both can call it off', async () => {
  const { id, review_id } = await held({ send_at: later(60) })
  await approve(review_id)
  const input = { message_id: id, send_at: later(90) }
  await expect(rescheduleMessage.run(world.engine, world.agent, input)).rejects.toMatchObject({
    status: 409,
    message: expect.stringContaining('approved'),
  })
  expect((await rescheduleMessage.run(world.engine, world.owner, input)).send_at).toBe(later(90))
  const off = await cancelMessage.run(world.engine, world.agent, { message_id: id })
  expect(off.status).toBe('cancelled')
})

test('a held mail is neither moved nor called off: a person decides about it', async () => {
  const { id } = await held({ send_at: later(60) })
  const input = { message_id: id, send_at: later(90) }
  for (const use of [
    () => rescheduleMessage.run(world.engine, world.owner, input),
    () => cancelMessage.run(world.engine, world.agent, { message_id: id }),
  ]) {
    await expect(use()).rejects.toMatchObject({
      status: 409,
      fix: expect.stringContaining('reject'),
    })
  }
})

test('a thread with a held answer still waits on us, and is answered once that has gone', async () => {
  const asked = await world.mail(inbox, 'held')
  world.clock.advance(MINUTE)
  const about = { thread_id: asked.thread_id, to: undefined, subject: undefined }
  const { id, review_id } = await held(about)
  const thread = () => getThread.run(world.engine, world.owner, { thread_id: asked.thread_id })
  expect(await thread()).toMatchObject({
    waiting_on: 'us',
    last_message_id: asked.id,
    message_count: 2,
  })
  await approve(review_id)
  await world.settle()
  expect(await thread()).toMatchObject({
    waiting_on: 'them',
    last_message_id: id,
    message_count: 2,
  })
})

test('read-only moves nothing, and lets mail be called off', async () => {
  const mail = { inbox_id: inbox.id, to: 'ann@x.test', subject: 'Later', text_body: 'Hi' }
  const { id } = await world.send({ ...mail, send_at: later(60) })
  Object.assign(world.engine.settings, { readOnly: true })
  const input = { message_id: id, send_at: later(90) }
  await expect(rescheduleMessage.run(world.engine, world.owner, input)).rejects.toMatchObject({
    code: 'read_only',
  })
  expect((await cancelMessage.run(world.engine, world.owner, { message_id: id })).status).toBe(
    'cancelled',
  )
})

describe('at its hour a mail of an inbox that was stopped from sending', () => {
  const mail = () => ({
    inbox_id: inbox.id,
    to: 'ann@x.test',
    subject: 'Later',
    text_body: 'Hi',
    send_at: later(5),
  })
  const stop = () =>
    world.engine.db.query(
      "UPDATE inboxes SET sending_stopped_at = $2, sending_stopped_reason = 'x' WHERE id = $1",
      [inbox.id, world.clock.now()],
    )
  const clear = () => clearHealth.run(world.engine, world.owner, { inbox_id: inbox.id })

  test('waits, and goes once as soon as a person clears the inbox', async () => {
    const { id } = await world.send(mail())
    await stop()
    await wait(5)
    await wait(600)
    expect(world.relay.seen).toHaveLength(0)
    expect(await world.message(id)).toMatchObject({
      status: 'scheduled',
      recipients: [{ status: 'queued' }],
    })
    expect((await world.told(id)).map(({ event }) => event)).toEqual([])
    await clear()
    await world.settle()
    expect(await world.message(id)).toMatchObject({ status: 'sent' })
    await wait(600)
    expect(world.relay.seen).toHaveLength(1)
  })

  test('waits for a later hour that it was moved to meanwhile, cleared or not', async () => {
    const { id } = await world.send(mail())
    await stop()
    await wait(5)
    const moved = { message_id: id, send_at: later(120) }
    await rescheduleMessage.run(world.engine, world.owner, moved)
    await clear()
    await wait(119)
    expect(world.relay.seen).toHaveLength(0)
    await wait(1)
    expect(await world.message(id)).toMatchObject({ status: 'sent', send_at: moved.send_at })
    expect(world.relay.seen).toHaveLength(1)
  })

  test('can be called off while it waits', async () => {
    const { id } = await world.send(mail())
    await stop()
    await wait(5)
    await cancelMessage.run(world.engine, world.owner, { message_id: id })
    await clear()
    await wait(600)
    expect(world.relay.seen).toHaveLength(0)
    expect(await world.message(id)).toMatchObject({ status: 'cancelled' })
  })
})
