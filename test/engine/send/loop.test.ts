import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { overdone } from '../../../src/engine/send/loop.ts'
import { rejectReview } from '../../../src/engine/send/reviews/operations.ts'
import type { Held } from '../../../src/engine/send/sent.ts'
import { refused, type SendWorld, sendWorld, type TestInbox } from './send-world.ts'

const MINUTE_MS = 60_000

let world: SendWorld
let inbox: TestInbox
let thread_id: string
let mails = 0

beforeAll(async () => {
  world = await sendWorld()
})
beforeEach(async () => {
  Object.assign(world.engine.settings, { agentSendPolicy: 'open', outbound: 'relay' })
  inbox = await world.inbox()
  thread_id = (await comesIn()).thread_id
})
afterAll(() => world.quit())

/** A person outside writes, or a machine does. */
async function comesIn(headers: string[] = []) {
  mails += 1
  world.clock.advance(1000)
  const tie = mails > 1 && thread_id ? [`In-Reply-To: <m${mails - 1}-${inbox.id}@x.test>`] : []
  return world.mail(inbox, `m${mails}-${inbox.id}`, [...tie, ...headers])
}
const answer = () => {
  world.clock.advance(1000)
  return { thread_id, to: 'ann@x.test', text_body: 'Hi' }
}
const says = () => world.send(answer(), world.agent)
const limited = { status: 429, code: 'rate_limited' }

describe('in one thread, agents', () => {
  test('write three times in a row, and then wait for somebody', async () => {
    for (let n = 0; n < 3; n++) await says()
    const error = await refused(world, answer(), world.agent)
    expect(error).toMatchObject(limited)
    expect(error.message).toContain('3 times in this thread')
    expect(error.fix).toContain('a person can write there')
    await comesIn()
    await says()
  })

  test('are not answered by a machine: automatic mail does not count as somebody', async () => {
    for (let n = 0; n < 3; n++) await says()
    await comesIn(['Auto-Submitted: auto-replied'])
    expect(await refused(world, answer(), world.agent)).toMatchObject(limited)
  })

  test('may go on where a person wrote, from the inbox too; a person is never stopped', async () => {
    for (let n = 0; n < 3; n++) await says()
    for (let n = 0; n < 4; n++) await world.send(answer())
    await says()
  })

  test('write ten times an hour at most, however much comes in', async () => {
    const start = world.clock.now().getTime()
    for (let n = 0; n < 10; n++) {
      await says()
      world.clock.advance(MINUTE_MS)
      await comesIn()
    }
    const error = await refused(world, answer(), world.agent)
    expect(error).toMatchObject(limited)
    expect(error.message).toContain('10 times in this thread within an hour')
    world.clock.advance(start + 61 * MINUTE_MS - world.clock.now().getTime())
    await says()
  })

  test('count in what waits for a person, and not what a person rejected', async () => {
    Object.assign(world.engine.settings, { agentSendPolicy: 'review-all' })
    const held: Held[] = []
    for (let n = 0; n < 3; n++) held.push((await world.ask(answer(), world.agent)) as Held)
    expect(await refused(world, answer(), world.agent)).toMatchObject(limited)
    await rejectReview.run(world.engine, world.owner, { review_id: held[0]?.review_id ?? '' })
    expect(await world.ask(answer(), world.agent)).toMatchObject({ status: 'pending_review' })
  })

  test('cannot outrun the guard by sending at the same time', async () => {
    const all = await Promise.allSettled(
      Array.from({ length: 12 }, () => world.send(answer(), world.agent)),
    )
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
  })

  test('are told beforehand', async () => {
    for (let n = 0; n < 3; n++) await says()
    expect(await world.ask({ ...answer(), dry_run: true }, world.agent)).toMatchObject({
      verdict: 'deny',
      reasons: [{ code: 'loop' }],
    })
  })
})

test('both limits are told where both are reached', () => {
  const now = new Date('2026-03-01T12:00:00Z')
  const sends = Array.from({ length: 10 }, (_, n) => ({
    created_at: new Date(now.getTime() - (n + 1) * MINUTE_MS),
    unanswered: n < 3,
  }))
  const found = overdone(sends, now)
  expect(found.map(({ effect, reason }) => [effect, reason.code])).toEqual([
    ['deny', 'loop'],
    ['deny', 'loop'],
  ])
  expect(found[1]?.reason.retry_after_seconds).toBe(50 * 60)
})
