import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { DomainKeyRow } from '../../../src/engine/domains/domain.ts'
import { resolveDomain } from '../../../src/engine/domains/load.ts'
import { rotateDomain } from '../../../src/engine/domains/operations.ts'
import { recheckDomains } from '../../../src/engine/domains/recheck.ts'
import { rotateKeys } from '../../../src/engine/domains/rotate.ts'
import { signedMail } from '../../../src/engine/domains/sign.ts'
import { judgeWith } from '../receive/authenticate/mail.ts'
import { type DomainsWorld, domainsWorld, type ShownDomain, statesOf } from './domains-world.ts'

const DAY_MS = 86_400_000

let world: DomainsWorld
let domain: ShownDomain

let first: string

beforeAll(async () => {
  world = await domainsWorld()
  domain = await world.verified()
  first = JSON.stringify(await keys())
})
/** As on the first day: keys take half a second to make. */
beforeEach(async () => {
  const { db } = world.engine
  await db.query('DELETE FROM domain_keys WHERE domain_id = $1', [domain.id])
  const rows = 'SELECT * FROM jsonb_populate_recordset(NULL::domain_keys, $1)'
  await db.query(`INSERT INTO domain_keys ${rows}`, [first])
  world.publish(await world.get(domain))
  await world.verify(domain)
})
afterAll(() => world.close())

const rotate = () => rotateDomain.run(world.engine, world.owner, { domain_id: domain.id })

async function keys(): Promise<DomainKeyRow[]> {
  return world.engine.db.query('SELECT * FROM domain_keys WHERE domain_id = $1 ORDER BY selector', [
    domain.id,
  ])
}

/** A mail as it leaves now. */
async function sent(): Promise<string> {
  const from = `ada@${domain.domain}`
  const raw = Buffer.from(`From: ${from}\r\nSubject: x\r\n\r\nHello\r\n`)
  const { orgId } = world.owner
  return Buffer.from(await signedMail(world.engine, { orgId, from, raw })).toString()
}

const selectorOf = (mail: string) => /s=(\w+);/.exec(mail)?.[1]
const verdictOn = async (mail: string) =>
  (await judgeWith(world.names)(mail)).authentication.details.dkim.map(({ result }) => result)

test('the next key signs at once, nothing changes in the DNS, and older mail stays right', async () => {
  const before = await sent()
  const asked = [...world.names.zones.keys()]
  await rotate()
  const after = await sent()
  expect([before, after].map(selectorOf)).toEqual(['postroom1', 'postroom2'])
  expect(await verdictOn(before)).toEqual(['pass'])
  expect(await verdictOn(after)).toEqual(['pass'])
  expect([...world.names.zones.keys()]).toEqual(asked)
  expect((await world.verify(domain)).status).toBe('verified')
})

test('a key is replaced seven days after it last signed, and not before', async () => {
  const [before] = await keys()
  await rotate()
  world.clock.advance(6 * DAY_MS)
  await world.verify(domain)
  expect((await keys())[0]?.public_key).toBe(before?.public_key)
  world.clock.advance(DAY_MS)
  const checked = await world.verify(domain)
  expect((await keys())[0]?.public_key).not.toBe(before?.public_key)
  expect(statesOf(checked).slice(0, 3)).toEqual(['dkim wrong', 'dkim verified', 'dkim verified'])
  expect(checked.status).toBe('verified')
})

test('a new key waits until it was seen: meanwhile the others take turns', async () => {
  await rotate()
  world.clock.advance(8 * DAY_MS)
  await rotate()
  expect(selectorOf(await sent())).toBe('postroom3')
  await expect(rotate()).rejects.toMatchObject({
    status: 409,
    fix: expect.stringContaining('Publish the record of postroom1'),
  })
  world.publish(await world.get(domain))
  await recheckDomains(world.engine)
  await rotate()
  const mail = await sent()
  expect(selectorOf(mail)).toBe('postroom1')
  expect(await verdictOn(mail)).toEqual(['pass'])
})

test('three changes in a day are too many: mail of the first key is still under way', async () => {
  await rotate()
  await rotate()
  await expect(rotate()).rejects.toMatchObject({
    status: 409,
    fix: expect.stringContaining('seven days'),
  })
  expect(selectorOf(await sent())).toBe('postroom3')
})

test('of two changes at once one counts', async () => {
  const known = await resolveDomain(world.engine, world.owner, domain.id)
  const turn = () => rotateKeys(world.engine, known, world.owner)
  await Promise.all([turn(), turn()])
  const signing = (await keys()).filter(({ signs }) => signs)
  expect(signing.map(({ selector }) => selector)).toEqual(['postroom2'])
})

test('a domain that was never checked has nothing to change to', async () => {
  const { id } = await world.add('never.test')
  const never = rotateDomain.run(world.engine, world.owner, { domain_id: id })
  await expect(never).rejects.toMatchObject({
    status: 409,
    fix: expect.stringContaining('/verify'),
  })
})
