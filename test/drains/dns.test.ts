import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { dnsOver } from '../../src/drains/dns.ts'
import { rememberingDns } from '../../src/drains/dns-cache.ts'
import type { Dns, DnsAnswer } from '../../src/engine/ports.ts'
import { type NameServer, startNameServer } from '../world/dns.ts'

const TRY_MS = 100

let server: NameServer
let dns: Dns

beforeAll(async () => {
  server = await startNameServer({
    'example.test': {
      A: ['192.0.2.1', '192.0.2.2'],
      MX: [{ exchange: 'mx.example.test', preference: 10 }],
      TXT: [['v=spf1 ', '-all'], ['another']],
    },
    'alias.test': { CNAME: 'example.test' },
    'long.test': { TXT: [['x'.repeat(250), 'y'.repeat(250), 'z'.repeat(250)]] },
    '1.2.0.192.in-addr.arpa': { PTR: ['host.example.test'] },
    'broken.test': { fails: 'SERVFAIL' },
    'refused.test': { fails: 'REFUSED' },
    'silent.test': { fails: 'silence' },
  })
})
beforeEach(() => {
  server.asked.length = 0
  dns = dnsOver({ servers: [server.address], tryMs: TRY_MS })
})
afterAll(() => server.close())

test('records come as the wire has them', async () => {
  expect(await dns.resolve('example.test', 'A')).toEqual(found('192.0.2.1', '192.0.2.2'))
  expect(await dns.resolve('example.test', 'TXT')).toEqual(found(['v=spf1 ', '-all'], ['another']))
  expect(await dns.resolve('example.test', 'MX')).toMatchObject(
    found({ exchange: 'mx.example.test', priority: 10 }),
  )
  expect(await dns.resolve('1.2.0.192.in-addr.arpa', 'PTR')).toEqual(found('host.example.test'))
})

test('an alias leads to what it stands for', async () => {
  expect(await dns.resolve('alias.test', 'A')).toEqual(found('192.0.2.1', '192.0.2.2'))
  expect(await dns.resolve('alias.test', 'CNAME')).toEqual(found('example.test'))
})

test('an answer that does not fit into a datagram is fetched over TCP', async () => {
  const [strings] = recordsOf(await dns.resolve('long.test', 'TXT')) as string[][]
  expect(strings?.join('')).toHaveLength(750)
  expect(server.asked).toEqual(['TXT long.test', 'TXT long.test/tcp'])
})

test('no such name and no such record are told apart', async () => {
  expect(await dns.resolve('nowhere.test', 'A')).toEqual({ kind: 'none', exists: false })
  expect(await dns.resolve('example.test', 'AAAA')).toEqual({ kind: 'none', exists: true })
  expect(await dns.resolve('a..test', 'A')).toEqual({ kind: 'none', exists: false })
})

test('a server that fails, refuses or keeps silent is no answer', async () => {
  expect(await dns.resolve('broken.test', 'A')).toEqual({ kind: 'failed', reason: 'ESERVFAIL' })
  expect(await dns.resolve('refused.test', 'A')).toEqual({ kind: 'failed', reason: 'EREFUSED' })
  expect(await dns.resolve('silent.test', 'A')).toEqual({ kind: 'failed', reason: 'ETIMEOUT' })
})

test('names of this machine and names that cannot exist are not asked for', async () => {
  for (const name of ['localhost', 'hello.localhost.', 'a.invalid']) {
    expect(await dns.resolve(name, 'A')).toEqual({ kind: 'none', exists: false })
  }
  expect(server.asked).toEqual([])
})

test('the next server is asked where one does not answer', async () => {
  const two = dnsOver({ servers: ['127.0.0.1:1', server.address], tryMs: TRY_MS })
  expect(await two.resolve('example.test', 'A')).toEqual(found('192.0.2.1', '192.0.2.2'))
})

test('after much silence each question is tried once, until somebody answers again', async () => {
  await Promise.all(Array.from({ length: 6 }, () => dns.resolve('silent.test', 'A')))
  server.asked.length = 0
  await dns.resolve('silent.test', 'A')
  expect(server.asked).toHaveLength(1)
  expect((await dns.resolve('example.test', 'A')).kind).toBe('found')
  server.asked.length = 0
  await dns.resolve('silent.test', 'A')
  expect(server.asked).toHaveLength(2)
})

test('the same question at once is asked once, and again when its answer is old', async () => {
  let now = 0
  const asked: string[] = []
  const remembering = rememberingDns(counting(asked, dns), () => now)
  const ask = (name: string) => remembering.resolve(name, 'A')
  await Promise.all([ask('example.test'), ask('EXAMPLE.test.'), ask('nowhere.test')])
  expect(asked).toEqual(['example.test', 'nowhere.test'])
  now = 60_001
  await Promise.all([ask('example.test'), ask('nowhere.test')])
  expect(asked).toEqual(['example.test', 'nowhere.test', 'nowhere.test'])
  now = 300_001
  await ask('example.test')
  expect(asked.at(-1)).toBe('example.test')
})

test('a failure is not remembered', async () => {
  const asked: string[] = []
  const remembering = rememberingDns(counting(asked, dns))
  await remembering.resolve('broken.test', 'A')
  await remembering.resolve('broken.test', 'A')
  expect(asked).toHaveLength(2)
})

test('ten thousand names are remembered, and those asked for last stay', async () => {
  const asked: string[] = []
  const remembering = rememberingDns(counting(asked, nothing))
  const ask = (name: string) => remembering.resolve(name, 'A')
  await ask('first.test')
  for (let n = 0; n < 9_999; n++) await ask(`n${n}.test`)
  await ask('first.test')
  await ask('one-more.test')
  asked.length = 0
  await ask('first.test')
  expect(asked).toEqual([])
  await ask('n0.test')
  expect(asked).toEqual(['n0.test'])
})

test('whoever asks for what is there now gets it, and the others get it from then on', async () => {
  let answer: DnsAnswer = { kind: 'none', exists: false }
  const changing = { resolve: async () => answer } as Dns
  const remembering = rememberingDns(changing)
  expect(await remembering.resolve('new.test', 'A')).toEqual({ kind: 'none', exists: false })
  answer = { kind: 'found', records: ['192.0.2.1'] }
  expect(await remembering.resolve('new.test', 'A')).toEqual({ kind: 'none', exists: false })
  expect(await remembering.resolve('new.test', 'A', { fresh: true })).toEqual(answer)
  expect(await remembering.resolve('new.test', 'A')).toEqual(answer)
})

const nothing: Dns = { resolve: async () => ({ kind: 'none', exists: false }) }

const found = (...records: unknown[]) => ({ kind: 'found', records })
const recordsOf = (answer: DnsAnswer) => (answer.kind === 'found' ? answer.records : [])

const counting = (asked: string[], dns: Dns): Dns => ({
  resolve(name, type) {
    asked.push(name)
    return dns.resolve(name, type)
  },
})
