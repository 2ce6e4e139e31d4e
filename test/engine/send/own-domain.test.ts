import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { addDomain, verifyDomain } from '../../../src/engine/domains/operations.ts'
import { createInbox } from '../../../src/engine/inboxes/operations.ts'
import { verifiedByPython } from '../../world/dkim-verify.ts'
import { publishRecord } from '../../world/zone.ts'
import type { ShownDomain } from '../domains/domains-world.ts'
import { judgeWith } from '../receive/authenticate/mail.ts'
import { type SendWorld, sendWorld } from './send-world.ts'

const tools = process.env.DNS_TOOLS
const DOMAIN = 'shop.test'
const OUTSIDE = 'ann@x.test'

let world: SendWorld
let domain: ShownDomain
let inboxId: string

beforeAll(async () => {
  world = await sendWorld({ smtpHostname: 'mx.ours.test' })
  const { engine, owner, names } = world
  domain = await addDomain.run(engine, owner, { domain: DOMAIN })
  for (const record of domain.dns_records) publishRecord(names.zones, record)
  await verifyDomain.run(engine, owner, { domain_id: domain.id })
  inboxId = (await createInbox.run(engine, owner, { username: 'help', domain: DOMAIN })).id
})
beforeEach(() => world.calm())
afterAll(() => world.quit())

const mail = (to = OUTSIDE) => ({
  inbox_id: inboxId,
  to,
  subject: 'Ihr Auftrag – bestätigt',
  text_body: 'Grüße\n\nund bis bald  \n',
  html_body: '<p>Grüße</p>',
})

async function taken() {
  const [first] = world.relay.taken
  if (first === undefined) throw new Error('the relay took nothing')
  return first
}

test('mail from a verified domain leaves signed with its key, and passes DMARC by it', async () => {
  const { id } = await world.send(mail())
  await world.settle()
  const { raw, from } = await taken()
  expect(from).toBe(`help@${DOMAIN}`)
  const client = { raw, mailFrom: from, ip: '192.0.2.99' }
  const { authentication } = await judgeWith(world.names)('', client)
  expect(authentication).toMatchObject({
    dkim: 'pass',
    dmarc: 'pass',
    details: { dkim: [{ domain: DOMAIN }], dmarc: { aligned: { dkim: true } } },
  })
  expect((await world.message(id)).status).toBe('sent')
  if (tools === undefined) return
  expect(await verifiedByPython(tools, world.names.address, raw)).toMatch(/^pass d=shop\.test/)
})

test('the second attempt after a lost line hands over the same bytes, signature and all', async () => {
  world.relay.onMail = () => 'cut'
  await world.send(mail())
  await world.settle()
  world.relay.onMail = () => undefined
  world.clock.advance(300_000)
  await world.settle()
  const [first, second] = world.relay.seen
  expect(second?.raw.toString()).toContain('DKIM-Signature:')
  expect(second?.raw).toEqual(first?.raw)
})

test('what is kept, and what our own inboxes get, carries no signature of ours', async () => {
  const near = await world.inbox()
  const { id } = await world.send(mail(near.address))
  await world.settle()
  const rows = await world.engine.db.query<{ raw_sha256: string }>(
    'SELECT raw_sha256 FROM messages WHERE id = $1',
    [id],
  )
  const raw = await world.engine.blobs.get(world.owner.orgId, rows[0]?.raw_sha256 ?? '')
  expect(raw.toString()).not.toContain('DKIM-Signature')
})

test('from a domain whose records have gone nobody outside is written to, until it is mended', async () => {
  const { engine, owner, names } = world
  const mx = names.zones.get(DOMAIN)
  names.zones.set(DOMAIN, {})
  await verifyDomain.run(engine, owner, { domain_id: DOMAIN })
  const before = await world.kept()
  await expect(world.send(mail())).rejects.toMatchObject({
    status: 422,
    code: 'sender_domain_unusable',
    message: expect.stringContaining(`help@${DOMAIN} stands on ${DOMAIN}, whose DNS records`),
    fix: expect.stringContaining(`/domains/${domain.id}/verify`),
  })
  expect(await world.kept()).toEqual(before)
  const near = await world.inbox()
  expect((await world.send(mail(near.address))).status).toBe('queued')
  engine.settings.outbound = 'dry-run'
  expect((await world.send(mail())).status).toBe('queued')
  engine.settings.outbound = 'relay'
  names.zones.set(DOMAIN, mx ?? {})
  await verifyDomain.run(engine, owner, { domain_id: DOMAIN })
  expect((await world.send(mail())).status).toBe('queued')
})

test("an address on a mail domain of before goes on writing; one on nobody's domain does not", async () => {
  const { engine, owner } = world
  const old = await world.inbox()
  await addDomain.run(engine, owner, { domain: 'ours.test' })
  engine.settings.mailDomain = 'new.test'
  expect((await world.send({ ...mail(), inbox_id: old.id })).status).toBe('queued')
  const lost = await createInbox.run(engine, owner, { username: 'lost' })
  engine.settings.mailDomain = 'ours.test'
  await expect(world.send({ ...mail(), inbox_id: lost.id })).rejects.toMatchObject({
    code: 'sender_domain_unusable',
    message: expect.stringContaining('which is no domain of this organization'),
  })
})
