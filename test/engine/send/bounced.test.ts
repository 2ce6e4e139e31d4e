import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { bounceOf, report, settleReports, takeIn } from './reports.ts'
import { type SendWorld, sendWorld, type TestInbox } from './send-world.ts'

/** The second attempt's wait. */
const RETRY_MS = 300_000
const ROUNDS = 12

let world: SendWorld
let inbox: TestInbox

beforeAll(async () => {
  world = await sendWorld()
})
beforeEach(async () => {
  inbox = await world.inbox()
  await world.calm()
  await world.engine.db.query('DELETE FROM suppressions')
})
afterAll(() => world.quit())

/** To us all recipients wait; what the relay did with the mail before it said so only it knows. */
async function deferred(...to: string[]) {
  const { id } = await world.send({ inbox_id: inbox.id, to, subject: 'Hello', text_body: 'Hi' })
  world.relay.onMail = () => ({ code: 451, text: 'not now' })
  await world.settle()
  world.relay.onMail = () => undefined
  const mail = await world.message(id)
  expect(mail.status).toBe('deferred')
  return mail
}

const statuses = async (id: string) => {
  const { status, recipients } = await world.message(id)
  return [status, ...(recipients ?? []).map((one) => one.status)]
}

test('two reports on one mail at once: both count, and the mail says so', async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const mail = await deferred('ann@x.test', 'bob@y.test')
    await takeIn(world, inbox, bounceOf(mail, 'ann@x.test'))
    await takeIn(world, inbox, bounceOf(mail, 'bob@y.test'))
    await Promise.all([settleReports(world), settleReports(world)])
    expect(await statuses(mail.id)).toEqual(['bounced', 'bounced', 'bounced'])
    expect((await world.told(mail.id)).map(({ data }) => data)).toHaveLength(2)
    await world.engine.db.query('DELETE FROM suppressions')
  }
})

test('a report beside an attempt that ends with the other recipient: nothing of either is lost', async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const mail = await deferred('ann@x.test', 'bob@y.test')
    await takeIn(world, inbox, bounceOf(mail, 'ann@x.test', '5.7.1'))
    world.relay.onRecipient = (email) =>
      email.startsWith('ann') ? { code: 451, text: 'not now' } : undefined
    // Once the relay has the mail, both are about to be written down.
    let reports: Promise<void> | undefined
    world.relay.onMail = () => {
      reports ??= settleReports(world)
      return undefined
    }
    world.clock.advance(RETRY_MS)
    await world.settle()
    await reports
    expect(await statuses(mail.id)).toEqual(['bounced', 'bounced', 'sent'])
    const events = (await world.told(mail.id)).map(({ event }) => event)
    expect(events.sort()).toEqual(['email.bounced', 'email.sent'])
    world.relay.onRecipient = () => undefined
  }
})

test('an attempt that ends between what a report reads and what it writes is not overwritten', async () => {
  const { engine } = world
  const mail = await deferred('ann@x.test', 'bob@y.test')
  await takeIn(world, inbox, bounceOf(mail, 'ann@x.test', '5.7.1'))
  world.clock.advance(RETRY_MS)
  let between = 0
  const query: typeof engine.db.query = async (text, values, name) => {
    if (/^\s*WITH/.test(text) && name?.startsWith('send_') && between++ === 0) await world.settle()
    return engine.db.query(text, values, name)
  }
  await settleReports({ engine: { ...engine, db: { ...engine.db, query } } })
  expect(between).toBeGreaterThan(0)
  expect(await statuses(mail.id)).toEqual(['bounced', 'bounced', 'sent'])
})

test('a report that comes again, or names somebody who bounced before, tells nothing new', async () => {
  const mail = await deferred('ann@x.test', 'bob@y.test')
  await report(world, inbox, bounceOf(mail, 'ann@x.test'))
  await report(world, inbox, bounceOf(mail, 'ann@x.test'))
  expect(await world.told(mail.id)).toMatchObject([
    { event: 'email.bounced', data: { bounce: { recipients: ['ann@x.test'] } } },
  ])
  expect(await statuses(mail.id)).toEqual(['deferred', 'bounced', 'deferred'])
})
