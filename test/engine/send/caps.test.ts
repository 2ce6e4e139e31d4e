import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { updateOrganization } from '../../../src/engine/access/organization.ts'
import type { Caller } from '../../../src/engine/caller.ts'
import type { RateLimited } from '../../../src/engine/errors.ts'
import { forgetCounters } from '../../../src/engine/send/caps/caps.ts'
import { overCaps } from '../../../src/engine/send/caps/judge.ts'
import { readCaps } from '../../../src/engine/send-caps.ts'
import { refused, type SendWorld, sendWorld, type TestInbox } from './send-world.ts'

const HOUR_MS = 3_600_000

describe('the notation', () => {
  test.each([
    ['10/m,200/d,20new/d', { perMinute: 10, perDay: 200, newPerDay: 20 }],
    [' 5/d , 1new/d', { perDay: 5, newPerDay: 1 }],
    ['0/m', { perMinute: 0 }],
    ['none', {}],
  ])('%s', (text, caps) => expect(readCaps(text)).toEqual(caps))
  test.each(['', '10', '10/h', '10/m,10/m', '-1/m', '10/m,', 'new/d', '12345678/d'])(
    '%j means nothing',
    (text) => expect(readCaps(text)).toBeUndefined(),
  )
})

test('a minute is any sixty seconds: the oldest of its sends says when the next may go', () => {
  const now = new Date('2026-03-01T12:00:30.500Z')
  const lastMinute = ['11:59:40', '12:00:05', '12:00:20'].map((t) => new Date(`2026-03-01T${t}Z`))
  const none = { thisMinute: 0, today: 0, newToday: 0 }
  const asking = { setting: 'AGENT_CAPS', fresh: [], now }
  const over = (perMinute: number) =>
    overCaps({ ...none, lastMinute }, { ...asking, caps: { perMinute } })
  expect(over(4)).toEqual([])
  expect(over(3)[0]?.reason.retry_after_seconds).toBe(10)
  expect(over(2)[0]?.reason.retry_after_seconds).toBe(35)
})

describe('sends', () => {
  let world: SendWorld
  let inbox: TestInbox

  beforeAll(async () => {
    world = await sendWorld()
  })
  beforeEach(async () => {
    // A day of its own for every test.
    world.clock.advance(24 * HOUR_MS - (world.clock.now().getTime() % (24 * HOUR_MS)))
    inbox = await world.inbox()
    await organization({ send_caps: null })
  })
  afterAll(() => world.quit())

  const caps = (agentCaps: string) => Object.assign(world.engine.settings, { agentCaps })
  const organization = (input: object) =>
    updateOrganization.run(world.engine, world.owner, { org_id: world.owner.orgId, ...input })
  const mail = (over: object = {}) => ({
    inbox_id: inbox.id,
    to: 'ann@x.test',
    subject: 'Hello',
    text_body: 'Hi',
    ...over,
  })
  const send = (over: object = {}, caller: Caller = world.agent) => world.send(mail(over), caller)
  async function limited(over: object = {}, caller: Caller = world.agent) {
    const error = (await refused(world, mail(over), caller)) as RateLimited
    expect(error).toMatchObject({ status: 429, code: 'rate_limited' })
    return error
  }

  test('an agent key has so many a minute; the others of its kind have theirs, and people have no cap', async () => {
    caps('3/m')
    for (let n = 0; n < 3; n++) await send()
    world.clock.advance(15_500)
    const error = await limited()
    expect(error.message).toContain('AGENT_CAPS allows 3 sends a minute and key')
    expect(error.retryAfterSeconds).toBe(45)
    await send({}, { ...world.agent, keyId: 'key_00000000000000000000000000' })
    for (let n = 0; n < 5; n++) await send({}, world.owner)
    // The same key through the MCP door is an agent's.
    await send({}, { ...world.owner, agent: true })
    world.clock.advance(44_500)
    await send()
  })

  test('an inbox has so many a day by agents, until midnight UTC', async () => {
    caps('2/d')
    world.clock.advance(22 * HOUR_MS)
    await send()
    await send({}, { ...world.agent, keyId: 'key_00000000000000000000000000' })
    expect((await limited()).retryAfterSeconds).toBe(2 * 3600)
    const other = await world.inbox()
    await send({ inbox_id: other.id })
    world.clock.advance(2 * HOUR_MS)
    await send()
  })

  test('an agent has so many first-time recipients a day; whom we wrote to before, who wrote first, and our own are none', async () => {
    caps('2new/d')
    const other = await world.inbox()
    const known = `known-${inbox.id}@x.test`
    await send({ to: known }, world.owner)
    await send({ to: [known.toUpperCase(), other.address] })
    await send({ to: [`a-${inbox.id}@x.test`, `b-${inbox.id}@x.test`] })
    const error = await limited({ to: [`c-${inbox.id}@x.test`, known] })
    expect(error.message).toContain('2 first-time recipients a day')
    await send({ to: `a-${inbox.id}@x.test` })
    const from = [`From: New <new-${inbox.id}@x.test>`]
    const asked = await world.mail(inbox, `c-${inbox.id}`, from, 'fail')
    await world.send({ thread_id: asked.thread_id, text_body: 'Hi' }, world.agent)
    await limited({ to: `d-${inbox.id}@x.test` })
  })

  test('twenty at once are no more than the cap', async () => {
    caps('5/m')
    const all = await Promise.allSettled(Array.from({ length: 20 }, () => send()))
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(5)
  })

  test('what is held counts, what is asked does not, and a repeat does not', async () => {
    caps('2/m')
    for (let n = 0; n < 5; n++) await world.ask(mail({ dry_run: true }), world.agent)
    await send({ idempotency_key: `k-${inbox.id}` })
    for (let n = 0; n < 3; n++) await send({ idempotency_key: `k-${inbox.id}` })
    Object.assign(world.engine.settings, { agentSendPolicy: 'review-new' })
    expect(await world.ask(mail(), world.agent)).toMatchObject({ status: 'pending_review' })
    Object.assign(world.engine.settings, { agentSendPolicy: 'open' })
    await limited()
    const judged = await world.ask(mail({ dry_run: true }), world.agent)
    expect(judged).toMatchObject({ verdict: 'deny', reasons: [{ code: 'cap' }] })
  })

  test('counters of days that are over are forgotten', async () => {
    caps('9/m,9/d,9new/d')
    const left = async () =>
      (await world.engine.db.query('SELECT counter FROM send_counters')).length
    await forgetCounters(world.engine)
    const before = await left()
    await send({ to: `e-${inbox.id}@x.test` })
    expect(await left()).toBe(before + 3)
    world.clock.advance(72 * HOUR_MS)
    await forgetCounters(world.engine)
    expect(await left()).toBe(0)
  })

  test('an organization caps its other keys, and names a wrong notation', async () => {
    caps('none')
    await expect(organization({ send_caps: '10/h' })).rejects.toMatchObject({
      status: 400,
      details: [{ field: 'send_caps' }],
    })
    expect(await organization({ send_caps: '1/m' })).toMatchObject({ send_caps: '1/m' })
    await send({}, world.owner)
    expect((await limited({}, world.owner)).message).toContain('send_caps')
    await send()
  })
})
