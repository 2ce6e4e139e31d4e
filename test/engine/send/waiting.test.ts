/** Mail that waits, and what changes meanwhile: two who decide at the same moment, and lists that were set since. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { putBlockList } from '../../../src/engine/inboxes/lists.ts'
import { updateInbox } from '../../../src/engine/inboxes/operations.ts'
import type { Engine } from '../../../src/engine/ports.ts'
import { expireReview } from '../../../src/engine/send/reviews/expire.ts'
import { approveReview, getReview } from '../../../src/engine/send/reviews/operations.ts'
import { rescheduleMessage } from '../../../src/engine/send/schedule/operations.ts'
import { releaseScheduled } from '../../../src/engine/send/schedule/release.ts'
import type { Held } from '../../../src/engine/send/sent.ts'
import { heldClock } from '../../world/clock.ts'
import { type SendWorld, sendWorld, type TestInbox } from './send-world.ts'

const HOUR_MS = 3_600_000

let world: SendWorld
let inbox: TestInbox

beforeAll(async () => {
  world = await sendWorld()
  inbox = await world.inbox()
})
beforeEach(async () => {
  await world.calm()
  Object.assign(world.engine.settings, { agentSendPolicy: 'review-new' })
})
afterAll(() => world.quit())

const mail = (over: object = {}) => ({
  inbox_id: inbox.id,
  to: 'ann@x.test',
  subject: 'Waits',
  text_body: 'Hi',
  ...over,
})
const inHours = (hours: number) =>
  new Date(world.clock.now().getTime() + hours * HOUR_MS).toISOString()
const jobOf = (payload: object) => ({ id: 'job_x', orgId: world.owner.orgId, payload }) as never
const { signal } = new AbortController()

/** What happens just before a named statement is made. */
function before(name: string, act: () => Promise<unknown>): Engine {
  const { db } = world.engine
  const query: typeof db.query = async (text, values, named) => {
    if (named === name) await act()
    return db.query(text, values, named)
  }
  return { ...world.engine, db: { ...db, query } }
}

/** One of both: the mail was approved and went, or expired and never goes. */
async function eitherWay(): Promise<void> {
  await world.calm()
  const { id, review_id } = (await world.ask(mail(), world.agent)) as Held
  const { sha256, expires_at } = await getReview.run(world.engine, world.owner, { review_id })
  // Another process has seen the end of its time a moment before ours does.
  const later = { ...world.engine, clock: heldClock(expires_at) }
  const [approved] = await Promise.allSettled([
    approveReview.run(world.engine, world.owner, { review_id, sha256 }),
    expireReview(later)(jobOf({ review_id }), signal),
  ])
  await world.settle()
  const yes = approved.status === 'fulfilled'
  expect(yes ? 409 : approved.reason.status).toBe(409)
  expect(world.relay.taken).toHaveLength(yes ? 1 : 0)
  expect((await world.message(id)).status).toBe(yes ? 'sent' : 'expired')
}

test('a review is approved or expires, never both', async () => {
  for (let n = 0; n < 10; n++) await eitherWay()
})

test('a review that expired while it was approved stays expired', async () => {
  const { id, review_id } = (await world.ask(mail(), world.agent)) as Held
  const { sha256, expires_at } = await getReview.run(world.engine, world.owner, { review_id })
  const later = { ...world.engine, clock: heldClock(expires_at) }
  const late = before('resolve_review', () => expireReview(later)(jobOf({ review_id }), signal))
  await expect(approveReview.run(late, world.owner, { review_id, sha256 })).rejects.toMatchObject({
    status: 409,
  })
  await world.settle()
  expect(world.relay.taken).toEqual([])
  expect((await world.message(id)).status).toBe('expired')
})

test('a mail that is moved while its hour comes goes at the new hour', async () => {
  const { id } = await world.send(mail({ send_at: inHours(1) }))
  world.clock.advance(HOUR_MS)
  const move = () =>
    rescheduleMessage.run(world.engine, world.owner, { message_id: id, send_at: inHours(1) })
  await releaseScheduled(before('let_go', move))(jobOf({ message_id: id }), signal)
  await world.settle()
  expect(world.relay.seen).toEqual([])
  expect((await world.message(id)).status).toBe('scheduled')
  world.clock.advance(HOUR_MS)
  await world.settle()
  expect(world.relay.seen).toHaveLength(1)
})

test('a mail that went cannot be moved: whoever tries is told', async () => {
  const { id } = await world.send(mail({ send_at: inHours(1) }))
  world.clock.advance(HOUR_MS)
  const went = () => releaseScheduled(world.engine)(jobOf({ message_id: id }), signal)
  const moving = rescheduleMessage.run(before('reschedule', went), world.owner, {
    message_id: id,
    send_at: inHours(1),
  })
  await expect(moving).rejects.toMatchObject({ status: 409 })
  await world.settle()
  expect(world.relay.seen).toHaveLength(1)
})

describe('at its hour a scheduled mail is held against what was set since', () => {
  const block = (entries: string[]) =>
    putBlockList.run(world.engine, world.owner, { inbox_id: inbox.id, entries })
  const policy = (send_policy: 'open' | 'reply_only') =>
    updateInbox.run(world.engine, world.owner, { inbox_id: inbox.id, send_policy })

  test.each([
    ['the block-list', () => block(['x.test']), () => block([]), /ann@x\.test: on the block-list/],
    ['send_policy', () => policy('reply_only'), () => policy('open'), /"reply_only"/],
  ])('%s: the mail fails and says so', async (_what, forbid, allow, words) => {
    const { id } = await world.send(mail({ send_at: inHours(1), cc: 'bob@y.test' }))
    await forbid()
    world.clock.advance(HOUR_MS)
    await world.settle()
    await allow()
    expect(world.relay.seen).toEqual([])
    const message = await world.message(id)
    expect(message.status).toBe('failed')
    expect(world.states(message)?.[0]).toMatch(words)
    expect((await world.told(id)).map(({ event }) => event)).toEqual(['email.failed'])
  })

  test('a list that was taken back in time stops nothing', async () => {
    await world.send(mail({ send_at: inHours(1) }))
    await block(['x.test'])
    await block([])
    world.clock.advance(HOUR_MS)
    await world.settle()
    expect(world.relay.seen).toHaveLength(1)
  })
})
