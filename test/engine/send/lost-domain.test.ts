import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { addDomain, deleteDomain, verifyDomain } from '../../../src/engine/domains/operations.ts'
import { createInbox } from '../../../src/engine/inboxes/operations.ts'
import type { Message } from '../../../src/engine/messages/message.ts'
import { publishRecord } from '../../world/zone.ts'
import type { ShownDomain } from '../domains/domains-world.ts'
import { type SendWorld, sendWorld } from './send-world.ts'

const DAY_MS = 86_400_000
const DOMAIN = 'shop.test'
const OUTSIDE = 'ann@x.test'

let world: SendWorld
let domain: ShownDomain
let inboxId: string

beforeAll(async () => {
  world = await sendWorld({ smtpHostname: 'mx.ours.test' })
  const { engine, owner } = world
  domain = await addDomain.run(engine, owner, { domain: DOMAIN })
  await publish()
  inboxId = (await createInbox.run(engine, owner, { username: 'help', domain: DOMAIN })).id
})
beforeEach(async () => {
  await publish()
  await world.calm()
})
afterAll(() => world.quit())

const verify = () => verifyDomain.run(world.engine, world.owner, { domain_id: DOMAIN })

async function publish() {
  for (const record of domain.dns_records) publishRecord(world.names.zones, record)
  await verify()
}
async function lose() {
  world.names.zones.set(DOMAIN, {})
  expect((await verify()).status).toBe('failed')
}
/** Looks at the mail every six hours for so many days, at their end too. */
async function pass(days: number) {
  await world.settle()
  for (let quarter = 0; quarter < 4 * days; quarter++) {
    world.clock.advance(DAY_MS / 4)
    await world.settle()
  }
}
const send = (...to: string[]) =>
  world.send({ inbox_id: inboxId, to, subject: 'Your order', text_body: 'It is on its way.' })
const ends = ({ recipients }: Message) => recipients?.map(({ status }) => status)

test('mail that was queued before its domain was lost waits, with the remedy, and goes at once when it is back', async () => {
  const near = await world.inbox()
  const { id } = await send(OUTSIDE, near.address)
  await lose()
  await world.settle()
  const waiting = await world.message(id)
  expect(waiting.status).toBe('deferred')
  expect(ends(waiting)).toEqual(['deferred', 'delivered'])
  const { detail, code } = waiting.recipients?.[0] ?? {}
  expect(code).toBe(null)
  expect(detail).toMatch(/^help@shop\.test stands on shop\.test, whose DNS records are not as/)
  expect(detail).toContain(`/domains/${domain.id}/verify`)
  expect((await world.list(near)).data).toHaveLength(1)
  expect(world.relay.seen).toEqual([])
  await publish()
  await world.settle()
  const gone = await world.message(id)
  expect(ends(gone)).toEqual(['sent', 'delivered'])
  expect(world.relay.taken).toMatchObject([{ to: [OUTSIDE] }])
  expect(world.relay.taken[0]?.raw.toString()).toContain('DKIM-Signature:')
  world.clock.advance(DAY_MS)
  await world.settle()
  expect(world.relay.seen).toHaveLength(1)
  expect((await world.told(id)).map(({ event }) => event).sort()).toEqual([
    'email.delivered',
    'email.sent',
  ])
})

test('it waits longer than the schedule would, and uses none of its attempts up', async () => {
  const { id } = await send(OUTSIDE)
  await lose()
  await pass(4)
  expect(await world.message(id)).toMatchObject({ status: 'deferred' })
  await publish()
  world.relay.onMail = () => ({ code: 451, text: 'not now' })
  await world.settle()
  expect((await world.message(id)).recipients?.[0]?.detail).toBe('not now')
  world.relay.onMail = () => undefined
  world.clock.advance(300_000)
  await world.settle()
  expect(await world.message(id)).toMatchObject({ status: 'sent' })
})

test('after five days it is given up, in the same words', async () => {
  const { id } = await send(OUTSIDE)
  await lose()
  await pass(5)
  const { status, recipients } = await world.message(id)
  expect(status).toBe('failed')
  expect(recipients?.[0]?.detail).toMatch(/^given up: help@shop\.test stands on shop\.test/)
  expect((await world.told(id)).map(({ event }) => event)).toEqual([
    'email.bounced',
    'email.failed',
  ])
  await publish()
  await world.settle()
  expect(world.relay.seen).toEqual([])
})

test('from a domain that is not there any more nothing leaves either', async () => {
  const { engine, owner } = world
  const { id } = await send(OUTSIDE)
  await engine.db.query('UPDATE inboxes SET deleted_at = $2 WHERE id = $1', [
    inboxId,
    world.clock.now(),
  ])
  await deleteDomain.run(engine, owner, { domain_id: DOMAIN })
  await engine.db.query('UPDATE inboxes SET deleted_at = NULL WHERE id = $1', [inboxId])
  await world.settle()
  const waiting = await world.message(id)
  expect(waiting.status).toBe('deferred')
  expect(waiting.recipients?.[0]?.detail).toContain('which is no domain of this organization')
  domain = await addDomain.run(engine, owner, { domain: DOMAIN })
  await publish()
  await world.settle()
  expect(await world.message(id)).toMatchObject({ status: 'sent' })
})

test('what was kept as a dry run stays that, whatever its domain is', async () => {
  world.engine.settings.outbound = 'dry-run'
  const { id } = await send(OUTSIDE)
  await lose()
  await world.settle()
  expect(await world.message(id)).toMatchObject({ status: 'dry_run' })
})
