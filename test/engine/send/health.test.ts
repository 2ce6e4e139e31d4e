import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { EventRow } from '../../../src/engine/events.ts'
import { getInbox } from '../../../src/engine/inboxes/operations.ts'
import { renderBody } from '../../../src/engine/notify/body.ts'
import { clearHealth, getHealth } from '../../../src/engine/send/health/operations.ts'
import { bounceOf, complaintAbout, report } from './reports.ts'
import { refused, type SendWorld, sendWorld, type TestInbox } from './send-world.ts'

/** The second attempt's wait. */
const RETRY_MS = 300_000

let world: SendWorld
let inbox: TestInbox
let made = 0

beforeAll(async () => {
  world = await sendWorld()
})
beforeEach(async () => {
  inbox = await world.inbox()
  await world.calm()
  world.relay.onRecipient = (address) =>
    address.startsWith('gone') ? { code: 550, text: '5.1.1 no such user' } : undefined
})
afterAll(() => world.quit())

const health = () => getHealth.run(world.engine, world.owner, { inbox_id: inbox.id })
const clear = () => clearHealth.run(world.engine, world.owner, { inbox_id: inbox.id })
const mail = (over: object = {}) => ({
  inbox_id: inbox.id,
  to: 'ann@x.test',
  subject: 'Hello',
  text_body: 'Hi',
  ...over,
})

/** At most 50 recipients, of whom the first `gone` are not there. */
const people = (count: number, gone = 0) =>
  Array.from({ length: count }, (_, n) => `${n < gone ? 'gone' : 'there'}${made++}@x.test`)

async function sent(count: number, gone = 0) {
  const { id } = await world.send(mail({ to: people(count, gone) }))
  await world.settle()
  return world.message(id)
}

/** The log about the inbox itself. */
const told = () =>
  world.engine.db.query<EventRow>(
    `SELECT * FROM events WHERE inbox_id = $1 AND event LIKE 'inbox.%' ORDER BY seq`,
    [inbox.id],
  )

test('an inbox counts who got its mail, who bounced for good and who complained', async () => {
  expect(await health()).toMatchObject({ sent: 0, bounce_rate: null, since: null })
  const { id } = await sent(10, 2)
  const first = await world.message(id)
  const email = first.recipients?.[5]?.email ?? ''
  await report(world, inbox, bounceOf(first, email))
  await report(world, inbox, bounceOf(first, email))
  await report(world, inbox, complaintAbout(first, { named: ['nobody@x.test'] }))
  expect(await health()).toEqual({
    inbox_id: inbox.id,
    status: 'sending',
    stopped_at: null,
    stopped_reason: null,
    sent: 10,
    bounced: 3,
    complained: 1,
    bounce_rate: 0.3,
    complaint_rate: 0.1,
    since: '2026-03-01T12:00:00.000Z',
    limits: { min_sent: 100, bounce_rate: 0.05, complaint_rate: 0.001 },
  })
})

test('what is tried again, what our own inboxes take and what is left out is not counted', async () => {
  const other = await world.inbox()
  world.relay.onRecipient = (address) =>
    address.startsWith('full') ? { code: 452, text: '4.2.2 full' } : undefined
  await world.send(mail({ to: ['full@x.test', other.address] }))
  await world.settle()
  expect(await health()).toMatchObject({ sent: 0, bounced: 0 })
})

describe('sending stops', () => {
  test('above 5 % bounces, not at it, and the event says why', async () => {
    await sent(50, 5)
    await sent(50)
    expect(await health()).toMatchObject({ status: 'sending', sent: 100, bounced: 5 })
    expect(await told()).toEqual([])
    await sent(1, 1)
    const reason = '6 of 101 mails bounced for good, more than 5 %'
    expect(await health()).toMatchObject({ status: 'stopped', stopped_reason: reason })
    const [event, ...more] = await told()
    expect(more).toEqual([])
    expect(event).toMatchObject({ event: 'inbox.sending_stopped', message_id: null })
    expect(JSON.parse(renderBody(event as EventRow, undefined))).toEqual({
      event: 'inbox.sending_stopped',
      timestamp: '2026-03-01T12:00:00.000Z',
      data: {
        inbox_id: inbox.id,
        address: inbox.address,
        reason,
        sent: 101,
        bounced: 6,
        complained: 0,
      },
    })
    expect(await getInbox.run(world.engine, world.owner, { inbox_id: inbox.id })).toMatchObject({
      sending_stopped: { at: '2026-03-01T12:00:00.000Z', reason },
    })
  })

  test('not before 100 mails, and then also for what came before', async () => {
    await sent(50, 50)
    await sent(49)
    expect(await health()).toMatchObject({ status: 'sending', sent: 99, bounced: 50 })
    await sent(1)
    expect(await health()).toMatchObject({ status: 'stopped', sent: 100 })
  })

  test('above 0.1 % complaints', async () => {
    await sent(50)
    const last = await sent(50)
    await report(world, inbox, complaintAbout(last))
    const reason = '1 of 100 mails were reported as spam, more than 0.1 %'
    expect(await health()).toMatchObject({ status: 'stopped', stopped_reason: reason })
    expect(await told()).toMatchObject([{ event: 'inbox.sending_stopped', data: { reason } }])
  })

  test('for one inbox; the others go on', async () => {
    await sent(50, 50)
    await sent(50)
    const other = await world.inbox()
    expect(await world.send(mail({ inbox_id: other.id }))).toMatchObject({ status: 'queued' })
    expect(await world.ask(mail({ dry_run: true }))).toMatchObject({
      verdict: 'deny',
      reasons: [{ code: 'sending_stopped' }],
    })
    expect(await refused(world, mail())).toMatchObject({
      status: 409,
      code: 'sending_stopped',
      message: expect.stringContaining('50 of 100 mails bounced for good'),
      fix: expect.stringContaining(`/${inbox.id}/health/clear`),
    })
  })
})

test('mail that was accepted before waits until a person clears the inbox', async () => {
  const { onRecipient } = world.relay
  world.relay.onRecipient = () => ({ code: 452, text: '4.2.2 full' })
  const waiting = await world.send(mail())
  await world.settle()
  world.relay.onRecipient = onRecipient
  await sent(50, 50)
  await sent(50)
  world.relay.taken.length = 0
  world.clock.advance(RETRY_MS)
  await world.settle()
  expect(await world.message(waiting.id)).toMatchObject({ status: 'deferred' })
  expect(world.relay.taken).toEqual([])
  const cleared = await clear()
  expect(cleared).toMatchObject({
    status: 'sending',
    sent: 0,
    bounced: 0,
    since: '2026-03-01T12:05:00.000Z',
  })
  await world.settle()
  expect(await world.message(waiting.id)).toMatchObject({ status: 'sent' })
  expect((await told()).map(({ event }) => event)).toEqual([
    'inbox.sending_stopped',
    'inbox.sending_resumed',
  ])
  const audit = await world.engine.db.prisma.audit.findFirst({ where: { inbox_id: inbox.id } })
  expect(audit).toMatchObject({
    action: 'inbox.health_cleared',
    detail: {
      sent: 100,
      bounced: 50,
      stopped_reason: '50 of 100 mails bounced for good, more than 5 %',
    },
  })
})

test('no agent clears it', () => expect(clearHealth.scope).toBe('org:admin'))
