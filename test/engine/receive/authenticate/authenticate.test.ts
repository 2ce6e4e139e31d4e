import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Dns } from '../../../../src/engine/ports.ts'
import { authenticate } from '../../../../src/engine/receive/authenticate/authenticate.ts'
import { judgeSpf } from '../../../../src/engine/receive/authenticate/spf.ts'
import { heldClock } from '../../../world/clock.ts'
import { type NameServer, startNameServer } from '../../../world/dns.ts'
import { type Signer, signerOf } from '../../../world/signing.ts'
import { HOSTNAME, type Judge, judgeWith, mail } from './mail.ts'

let server: NameServer
let judge: Judge
let example: Signer
let list: Signer

beforeAll(async () => {
  server = await startNameServer()
  judge = judgeWith(server)
  example = signerOf(server, 'example.test')
  list = signerOf(server, 'list.test')
})
beforeEach(() => {
  publish('example.test', 'v=spf1 ip4:192.0.2.1 -all')
  publish('_dmarc.example.test', 'v=DMARC1; p=reject')
})
afterAll(() => server.close())

const publish = (name: string, text: string) => server.zones.set(name, { TXT: [[text]] })

describe('SPF', () => {
  test('a host that the domain names passes, and with it the author', async () => {
    expect((await judge(mail())).authentication).toMatchObject({
      spf: 'pass',
      dkim: 'none',
      dmarc: 'pass',
      arc: 'none',
      summary: 'pass',
      details: { spf: { domain: 'example.test', identity: 'mailfrom' } },
    })
  })

  test('any other host fails', async () => {
    const { authentication } = await judge(mail(), { ip: '192.0.2.9' })
    expect(authentication).toMatchObject({ spf: 'fail', dmarc: 'fail', summary: 'fail' })
  })

  test('an empty MAIL FROM is judged by HELO', async () => {
    publish('out.example.test', 'v=spf1 a -all')
    server.zones.set('out.example.test', { TXT: [['v=spf1 a -all']], A: ['192.0.2.1'] })
    const { authentication } = await judge(mail(), { mailFrom: '' })
    expect(authentication).toMatchObject({
      spf: 'pass',
      dmarc: 'pass',
      details: { spf: { domain: 'out.example.test', identity: 'helo' } },
    })
  })

  test.each(['SERVFAIL', 'REFUSED', 'silence'] as const)(
    'an included domain whose servers answer with %s makes temperror, not a verdict',
    async (fails) => {
      publish('example.test', 'v=spf1 include:away.example -all')
      server.zones.set('away.example', { fails })
      const { authentication } = await judge(mail())
      expect(authentication).toMatchObject({
        spf: 'temperror',
        dmarc: 'temperror',
        summary: 'temperror',
      })
    },
  )

  test('an error behind the match is an error all the same', async () => {
    publish('example.test', 'v=spf1 ip4:192.0.2.1 -all ip6')
    expect((await judge(mail())).authentication).toMatchObject({ spf: 'permerror', dmarc: 'fail' })
  })

  test('an internationalized domain is asked for by its A-labels', async () => {
    publish('xn--mller-kva.test', 'v=spf1 ip4:192.0.2.1 -all')
    publish('_dmarc.xn--mller-kva.test', 'v=DMARC1; p=reject')
    const from = 'a@müller.test'
    expect((await judge(mail({ From: from }), { mailFrom: from })).authentication).toMatchObject({
      spf: 'pass',
      dmarc: 'pass',
      details: { spf: { domain: 'xn--mller-kva.test' } },
    })
  })

  test('%{d} in an included record is the included domain', async () => {
    publish('example.test', 'v=spf1 include:spf.provider.example -all')
    publish('spf.provider.example', 'v=spf1 exists:%{ir}.%{d2}.list.test -all')
    server.zones.set('1.2.0.192.provider.example.list.test', { A: ['127.0.0.2'] })
    expect((await judge(mail())).authentication.spf).toBe('pass')
  })
})

describe('ARC', () => {
  const results = 'list.test; dmarc=pass header.from=example.test'

  test('a chain of two passes, and names who sealed last', async () => {
    const first = await list.seal(mail(), results)
    const second = await example.seal(first, results, { instance: 2, cv: 'pass' })
    expect((await judge(second)).authentication).toMatchObject({
      arc: 'pass',
      details: { arc: { instance: 2, domain: 'example.test' } },
    })
  })

  test('it breaks when the body or an older seal is changed', async () => {
    const sealed = await list.seal(mail(), results)
    expect((await judge(sealed.replace('test.', 'tset.'))).authentication.arc).toBe('fail')
    const again = await example.seal(sealed, results, { instance: 2, cv: 'pass' })
    const forged = again.replace(/(i=1;.*)header\.from=example\.test/s, '$1header.from=bank.test')
    expect((await judge(forged)).authentication.arc).toBe('fail')
  })

  test('a key that cannot be looked up makes temperror', async () => {
    const away = signerOf(server, 'away.test')
    const sealed = await away.seal(mail(), results)
    server.zones.set('test._domainkey.away.test', { fails: 'SERVFAIL' })
    expect((await judge(sealed)).authentication.arc).toBe('temperror')
  })
})

describe('a DNS that keeps silent', () => {
  const silent: Dns = { resolve: () => new Promise(() => undefined) }

  test('is waited for no longer than 8 s, and makes temperror of everything', async () => {
    const clock = heldClock('2026-11-22T12:00:00Z')
    const raw = Buffer.from(await list.seal(await example.sign(mail()), 'list.test; none'))
    const client = { ip: '192.0.2.1', helo: 'out.example.test', mailFrom: 'ada@example.test' }
    const judged = authenticate(
      { dns: silent, clock, hostname: HOSTNAME, spf: judgeSpf },
      { ...client, raw },
    )
    let over = false
    void judged.then(() => {
      over = true
    })
    for (let seconds = 0; seconds < 8; seconds++) {
      await turns()
      clock.advance(1_000)
    }
    await turns()
    expect(over).toBe(true)
    expect((await judged).authentication).toMatchObject({
      spf: 'temperror',
      dkim: 'temperror',
      dmarc: 'temperror',
      arc: 'temperror',
      summary: 'temperror',
    })
    expect(clock.pending()).toBe(0)
  })

  /** Lets everything run that is not waiting for the clock. */
  async function turns() {
    for (let n = 0; n < 50; n++) await new Promise(setImmediate)
  }
})

test('a mail without signatures costs two questions, and one of a local domain none', async () => {
  server.asked.length = 0
  await judge(mail())
  expect(server.asked.toSorted()).toEqual(['TXT _dmarc.example.test', 'TXT example.test'])
  server.asked.length = 0
  const local = { mailFrom: 'a@postroom.localhost', helo: 'localhost' }
  const { authentication } = await judge(mail({ From: 'a@postroom.localhost' }), local)
  expect(server.asked).toEqual([])
  expect(authentication).toMatchObject({ spf: 'none', dmarc: 'none', summary: 'none' })
})

test('Authentication-Results say what was found, in our name', async () => {
  const judged = await judge(await example.sign(mail()))
  expect(judged.authResults()).toBe(
    [
      'Authentication-Results: mx.postroom.test',
      '\tspf=pass smtp.mailfrom=example.test',
      '\tdkim=pass header.d=example.test header.s=test header.a=rsa-sha256',
      '\tdmarc=pass header.from=example.test',
      '\tarc=none',
    ].join(';\r\n'),
  )
})

test('what outsiders write cannot add a result to them', async () => {
  const signed = await example.sign(mail())
  const hostile = signed.replace('s=test', 's="x\r\n y"; dmarc=pass (z')
  const judged = await judge(hostile, {
    mailFrom: '"a"@x.test;\r\n dmarc=pass',
    helo: 'x)\r\ndmarc=pass (',
  })
  const results = judged.authResults()
  expect(results.match(/dmarc=\w+/g)).toEqual(['dmarc=fail'])
  expect(results).not.toMatch(/\r\n[^\t]/)
})
