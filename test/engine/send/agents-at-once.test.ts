import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Caller } from '../../../src/engine/caller.ts'
import { type SendWorld, sendWorld, type TestInbox } from './send-world.ts'

const MINUTE_MS = 60_000

let world: SendWorld
let inbox: TestInbox
let thread_id: string
/** Two agents, each with a key of its own. */
let agents: Caller[]
let mails = 0

beforeAll(async () => {
  world = await sendWorld()
  agents = [world.agent, { ...world.agent, keyId: 'key_00000000000000000000000000' }]
})
beforeEach(async () => {
  Object.assign(world.engine.settings, { agentSendPolicy: 'open', agentCaps: 'none' })
  world.clock.advance(24 * 60 * MINUTE_MS)
  inbox = await world.inbox()
  thread_id = (await comesIn([])).thread_id
})
afterAll(() => world.quit())

function comesIn(headers: string[]) {
  mails += 1
  return world.mail(inbox, `at-once-${mails}`, headers)
}
const someoneWrites = () => comesIn([`In-Reply-To: <at-once-${mails}@x.test>`])

const answer = () => ({ thread_id, to: 'ann@x.test', text_body: 'Hi' })

/** Twenty sends at the same time by both agents; how many were taken. All others were told when to come again. */
async function twenty(input: () => object = answer, callers = agents): Promise<number> {
  const sends = Array.from({ length: 20 }, (_, n) =>
    world.ask(input(), callers[n % callers.length]),
  )
  const all = await Promise.allSettled(sends)
  const refusals = all.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
  for (const refusal of refusals) {
    expect(refusal).toMatchObject({ status: 429, retryAfterSeconds: expect.any(Number) })
    expect(refusal.retryAfterSeconds).toBeGreaterThan(0)
  }
  return all.length - refusals.length
}

describe('of twenty sends at once in a thread', () => {
  test('three go, by however many agents', async () => {
    expect(await twenty()).toBe(3)
    await someoneWrites()
    expect(await twenty(answer, [world.agent])).toBe(3)
  })

  test('three wait for a person, where they have to', async () => {
    Object.assign(world.engine.settings, { agentSendPolicy: 'review-all' })
    expect(await twenty()).toBe(3)
  })

  test('three are planned, where they are for later', async () => {
    const send_at = new Date(world.clock.now().getTime() + MINUTE_MS).toISOString()
    expect(await twenty(() => ({ ...answer(), send_at }))).toBe(3)
  })

  test('as many go as the hour has left', async () => {
    for (let n = 0; n < 8; n++) {
      await world.send(answer(), world.agent)
      await someoneWrites()
    }
    expect(await twenty()).toBe(2)
  })

  test('none is told of a conflict while people write there too', async () => {
    const people = Array.from({ length: 10 }, () => world.send(answer()))
    const taken = await twenty()
    expect(taken).toBeGreaterThanOrEqual(3)
    expect(taken).toBeLessThanOrEqual(10)
    await Promise.all(people)
  })

  test('whoever loses every turn hears at last what stands against it', async () => {
    const { db } = world.engine
    let turns = 0
    const urgent: typeof db.urgent = async (...statement) => {
      turns += 1
      await world.send(answer(), agents[1])
      await someoneWrites()
      return db.urgent(...statement)
    }
    const late = { ...world.engine, db: { ...db, urgent } }
    await expect(world.askOn(late, answer(), world.agent)).rejects.toMatchObject({
      status: 429,
      message: expect.stringContaining('10 times in this thread within an hour'),
    })
    expect(turns).toBe(10)
  })

  test('mail that comes in and people who write make no agent decide again', async () => {
    const { db } = world.engine
    let turns = 0
    const urgent: typeof db.urgent = async (...statement) => {
      turns += 1
      await world.send(answer())
      await someoneWrites()
      return db.urgent(...statement)
    }
    const late = { ...world.engine, db: { ...db, urgent } }
    expect(await world.askOn(late, answer(), world.agent)).toMatchObject({ status: 'queued' })
    expect(turns).toBe(1)
  })

  test('a cap that is lower counts too', async () => {
    Object.assign(world.engine.settings, { agentCaps: '1/m' })
    expect(await twenty()).toBe(2)
  })
})

describe('of twenty new mails at once', () => {
  const fresh = () => ({
    inbox_id: inbox.id,
    to: `new-${Math.random()}@x.test`,
    subject: 'New',
    text_body: 'Hi',
  })

  test.each([
    ['4/m', 8],
    ['7/d', 7],
    ['2new/d', 4],
    ['4/m,5/d,3new/d', 5],
  ])('AGENT_CAPS %s lets %i of two agents go', async (agentCaps, most) => {
    Object.assign(world.engine.settings, { agentCaps })
    expect(await twenty(fresh)).toBe(most)
  })
})
