import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type NameServer, startNameServer } from '../../../world/dns.ts'
import { signerOf } from '../../../world/signing.ts'
import { type Judge, judgeWith, mail } from './mail.ts'

let server: NameServer
let judge: Judge

beforeAll(async () => {
  server = await startNameServer()
  judge = judgeWith(server)
})
beforeEach(() => {
  publish('example.test', 'v=spf1 ip4:192.0.2.1 -all')
  publish('_dmarc.example.test', 'v=DMARC1; p=reject')
})
afterAll(() => server.close())

const publish = (name: string, text: string) => server.zones.set(name, { TXT: [[text]] })

test('another organization’s pass is not the author’s', async () => {
  publish('evil.example', 'v=spf1 ip4:192.0.2.1 -all')
  const { authentication } = await judge(mail(), { mailFrom: 'x@evil.example' })
  expect(authentication).toMatchObject({
    spf: 'pass',
    dmarc: 'fail',
    summary: 'fail',
    details: { dmarc: { policy: 'reject', domain: 'example.test' } },
  })
})

test('a host of the same organization is aligned, unless the domain is strict', async () => {
  publish('bounce.example.test', 'v=spf1 ip4:192.0.2.1 -all')
  const client = { mailFrom: 'x@bounce.example.test' }
  expect((await judge(mail(), client)).authentication.dmarc).toBe('pass')
  publish('_dmarc.example.test', 'v=DMARC1; p=reject; aspf=s')
  expect((await judge(mail(), client)).authentication.dmarc).toBe('fail')
})

test('so is its signature, unless the domain is strict', async () => {
  const news = signerOf(server, 'news.example.test')
  const signed = await news.sign(mail())
  const client = { mailFrom: 'x@elsewhere.example' }
  expect((await judge(signed, client)).authentication.dmarc).toBe('pass')
  publish('_dmarc.example.test', 'v=DMARC1; p=reject; adkim=s')
  expect((await judge(signed, client)).authentication.dmarc).toBe('fail')
})

test('customers of one provider are not one organization', async () => {
  publish('_dmarc.two.github.io', 'v=DMARC1; p=reject')
  publish('one.github.io', 'v=spf1 ip4:192.0.2.1 -all')
  const { authentication } = await judge(mail({ From: 'x@two.github.io' }), {
    mailFrom: 'x@one.github.io',
  })
  expect(authentication).toMatchObject({ spf: 'pass', dmarc: 'fail' })
})

test('a subdomain follows sp of the organization', async () => {
  publish('_dmarc.example.test', 'v=DMARC1; p=reject; sp=none')
  const { authentication } = await judge(mail({ From: 'x@new.example.test' }), {
    ip: '192.0.2.9',
  })
  expect(authentication).toMatchObject({
    dmarc: 'fail',
    details: { dmarc: { policy: 'none', domain: 'new.example.test' } },
  })
})

test.each([
  ['a share of the mail', 'v=DMARC1; p=reject; pct=20'],
  ['a test', 'v=DMARC1; p=reject; t=y'],
])('a policy for %s is marked as one', async (_, record) => {
  publish('_dmarc.example.test', record)
  const { details } = (await judge(mail(), { ip: '192.0.2.9' })).authentication
  expect(details.dmarc).toMatchObject({ result: 'fail', policy: 'reject', testing: true })
})

test('without a record the domain is still proven by what is aligned', async () => {
  server.zones.delete('_dmarc.example.test')
  expect((await judge(mail())).authentication).toMatchObject({ dmarc: 'none', summary: 'pass' })
  expect((await judge(mail(), { mailFrom: 'x@list.test' })).authentication).toMatchObject({
    dmarc: 'none',
    summary: 'none',
  })
  expect((await judge(mail(), { ip: '192.0.2.9' })).authentication).toMatchObject({
    spf: 'fail',
    dmarc: 'none',
    summary: 'fail',
  })
})

test.each([
  ['two records', { TXT: [['v=DMARC1; p=none'], ['v=DMARC1; p=reject']] }, 'none'],
  ['no policy', { TXT: [['v=DMARC1; adkim=s']] }, 'permerror'],
  [
    'an unknown policy and a report address',
    { TXT: [['v=DMARC1; p=x; rua=mailto:a@b.c']] },
    'pass',
  ],
  ['a server that fails', { fails: 'SERVFAIL' as const }, 'temperror'],
])('%s', async (_, zone, result) => {
  server.zones.set('_dmarc.example.test', zone)
  expect((await judge(mail())).authentication.dmarc).toBe(result)
})

test('several authors are as good as the worst of them', async () => {
  publish('evil.example', 'v=spf1 ip4:192.0.2.1 -all')
  publish('_dmarc.evil.example', 'v=DMARC1; p=none')
  const both = mail({ From: 'x@evil.example, ada@example.test' })
  expect((await judge(both, { mailFrom: 'x@evil.example' })).authentication).toMatchObject({
    dmarc: 'fail',
    details: { dmarc: { domain: 'example.test', policy: 'reject' } },
  })
})

test('two From fields never pass, though both are proven', async () => {
  const { authentication } = await judge(mail({ FROM: 'ada@example.test' }))
  expect(authentication).toMatchObject({ spf: 'pass', dmarc: 'permerror', summary: 'fail' })
})

test('a From behind half a megabyte of header does not slip through', async () => {
  const { authentication } = await judge(`${'X-Filler: x\r\n'.repeat(50_000)}${mail()}`)
  expect(authentication).toMatchObject({ dmarc: 'permerror', summary: 'fail' })
})

test('a mail without an author has nothing to prove', async () => {
  const { authentication } = await judge('Subject: x\r\n\r\n', { mailFrom: 'x@list.test' })
  expect(authentication).toMatchObject({ dmarc: 'none', summary: 'none', details: { from: [] } })
})
