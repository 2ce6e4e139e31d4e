import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { dnsOver } from '../../../../src/drains/dns.ts'
import { questionsOf } from '../../../../src/engine/receive/authenticate/resolver.ts'
import {
  type Client,
  rememberingSpf,
  type SpfJudge,
} from '../../../../src/engine/receive/authenticate/spf.ts'
import { type HeldClock, heldClock } from '../../../world/clock.ts'
import { type NameServer, startNameServer } from '../../../world/dns.ts'
import { HOSTNAME } from './mail.ts'

let server: NameServer
let clock: HeldClock
let spf: SpfJudge

beforeAll(async () => {
  server = await startNameServer()
})
beforeEach(() => {
  clock = heldClock('2026-11-22T12:00:00Z')
  spf = rememberingSpf(clock)
  server.asked.length = 0
  publish('v=spf1 ip4:192.0.2.1 -all')
})
afterAll(() => server.close())

const publish = (text: string) => server.zones.set('example.test', { TXT: [[text]] })

async function judged(client: Partial<Client> = {}) {
  const dns = dnsOver({ servers: [server.address], tryMs: 100 })
  const sender = { ip: '192.0.2.1', helo: 'out.example.test', mailFrom: 'ada@example.test' }
  const { result } = await spf(questionsOf({ dns, clock }), { ...sender, ...client }, HOSTNAME)
  return result
}

test('a client that comes again within a minute is not judged again', async () => {
  expect(await judged()).toBe('pass')
  publish('v=spf1 -all')
  clock.advance(59_000)
  expect(await judged()).toBe('pass')
  expect(server.asked).toHaveLength(1)
  clock.advance(1_000)
  expect(await judged()).toBe('fail')
})

test.each([
  ['another address', { ip: '192.0.2.9' }],
  ['another sender', { mailFrom: 'eve@example.test' }],
  ['another name in HELO', { helo: 'other.example.test' }],
])('%s is another client', async (_, client) => {
  expect(await judged()).toBe('pass')
  publish('v=spf1 -all')
  expect(await judged(client)).toBe('fail')
})

test('what could not be looked up is looked up again', async () => {
  server.zones.set('example.test', { fails: 'SERVFAIL' })
  expect(await judged()).toBe('temperror')
  publish('v=spf1 ip4:192.0.2.1 -all')
  expect(await judged()).toBe('pass')
})
