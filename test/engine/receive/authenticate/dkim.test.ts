import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type NameServer, startNameServer } from '../../../world/dns.ts'
import { type Signer, signerOf } from '../../../world/signing.ts'
import { type Judge, judgeWith, mail } from './mail.ts'

let server: NameServer
let judge: Judge
let example: Signer
let list: Signer

beforeAll(async () => {
  server = await startNameServer({ '_dmarc.example.test': { TXT: [['v=DMARC1; p=reject']] } })
  judge = judgeWith(server)
  example = signerOf(server, 'example.test')
  list = signerOf(server, 'list.test')
})
afterAll(() => server.close())

const verdictsOn = async (signed: string) => (await judge(signed)).authentication.details.dkim

test.each(['relaxed/relaxed', 'simple/simple', 'relaxed/simple'])(
  'a mail signed with %s passes',
  async (canonicalization) => {
    const { authentication } = await judge(await example.sign(mail(), { canonicalization }))
    expect(authentication).toMatchObject({
      dkim: 'pass',
      dmarc: 'pass',
      summary: 'pass',
      details: {
        from: ['ada@example.test'],
        dkim: [{ result: 'pass', domain: 'example.test', selector: 'test' }],
        dmarc: { policy: 'reject', aligned: { dkim: true, spf: false } },
      },
    })
  },
)

test('so does one whose lines end with LF alone', async () => {
  const signed = await example.sign(mail())
  expect((await judge(signed.replaceAll('\r\n', '\n'))).authentication.dkim).toBe('pass')
})

test('and one of several megabytes', async () => {
  const body = `${'a line with  spaces \t in it '.repeat(4)}\r\n`.repeat(40_000)
  expect((await judge(await example.sign(mail({}, body)))).authentication.dkim).toBe('pass')
})

test('a changed body, a changed subject and a changed author fail', async () => {
  const signed = await example.sign(mail())
  for (const forged of [
    signed.replace('test.', 'tset.'),
    signed.replace('Subject: Hello', 'Subject: Hullo'),
    signed.replace('Ada <ada', 'Bob <bob'),
  ]) {
    const { authentication } = await judge(forged)
    expect(authentication).toMatchObject({ dkim: 'fail', dmarc: 'fail', summary: 'fail' })
  }
})

test('every signature has its verdict, and one that passes is enough', async () => {
  const signed = await list.sign((await example.sign(mail())).replace('bh=', 'bh=A'))
  expect((await judge(signed)).authentication).toMatchObject({
    dkim: 'pass',
    dmarc: 'fail',
    details: {
      dkim: [
        { result: 'pass', domain: 'list.test' },
        { result: 'fail', domain: 'example.test', comment: 'body hash did not verify' },
      ],
    },
  })
})

describe('a signature that proves nothing does not pass', () => {
  test('From is not signed', async () => {
    const signed = await example.sign(mail(), { fields: ['Subject', 'Date'] })
    expect(await verdictsOn(signed)).toMatchObject([
      { result: 'permerror', comment: 'From field not signed' },
    ])
    expect((await judge(signed)).authentication.dmarc).toBe('fail')
  })

  test('somebody added to the body behind l=', async () => {
    const signed = await example.sign(mail(), { maxBodyLength: 10 })
    expect(await verdictsOn(`${signed}Pay to this account.\r\n`)).toMatchObject([
      { result: 'policy', comment: expect.stringMatching(/bytes are not signed/) },
    ])
  })

  test('SHA-1', async () => {
    const signed = await example.sign(mail(), { algorithm: 'rsa-sha1' })
    expect(await verdictsOn(signed)).toMatchObject([{ result: 'policy', algorithm: 'rsa-sha1' }])
  })

  test('a key of 512 bits', async () => {
    const weak = signerOf(server, 'weak.test', { bits: 512 })
    expect(await verdictsOn(await weak.sign(mail()))).toMatchObject([{ result: 'policy' }])
  })

  test('it has expired', async () => {
    const signed = await example.sign(mail(), { expires: new Date(Date.now() - 60_000) })
    expect(await verdictsOn(signed)).toMatchObject([{ result: 'policy', comment: 'expired' }])
  })

  test('there is no key', async () => {
    const signed = await example.sign(mail())
    const elsewhere = signed.replace('s=test', 's=gone')
    expect(await verdictsOn(elsewhere)).toMatchObject([{ result: 'permerror', comment: 'no key' }])
  })

  test('d= only looks like the domain that it is read as', async () => {
    const signed = (await example.sign(mail())).replace('d=example.test', 'd=example。test')
    expect(await verdictsOn(signed)).toMatchObject([
      { result: 'permerror', comment: 'd= or s= is no name' },
    ])
  })

  test('i= is another domain than d=', async () => {
    const signed = await example.sign(mail())
    const foreign = signed.replace('d=example.test', 'i=@bank.test; d=example.test')
    expect(await verdictsOn(foreign)).toMatchObject([
      { result: 'permerror', comment: 'i= is not within d=' },
    ])
  })
})

test('a key that cannot be looked up is temperror, and DMARC does not fail for it', async () => {
  const away = signerOf(server, 'away.test')
  server.zones.set('test._domainkey.away.test', { fails: 'SERVFAIL' })
  server.zones.set('_dmarc.away.test', { TXT: [['v=DMARC1; p=reject']] })
  const signed = await away.sign(mail({ From: 'x@away.test' }))
  expect((await judge(signed)).authentication).toMatchObject({
    dkim: 'temperror',
    dmarc: 'temperror',
    summary: 'temperror',
  })
})

describe('a mail made to cost us', () => {
  test('no more than 8 signatures are verified, with as many questions', async () => {
    const signed = await example.sign(mail())
    const end = signed.indexOf('\r\nFrom:') + 2
    server.asked.length = 0
    const verdicts = await verdictsOn(signed.slice(0, end).repeat(40) + signed.slice(end))
    expect(verdicts.filter(({ result }) => result === 'pass')).toHaveLength(8)
    expect(verdicts.filter(({ result }) => result === 'policy')).toHaveLength(32)
    expect(server.asked.filter((question) => question.includes('_domainkey'))).toHaveLength(1)
  })

  test('a length that the body does not have writes nothing to stdout', async () => {
    const written: unknown[] = []
    const { log } = console
    console.log = (...words) => void written.push(words)
    const signed = (await example.sign(mail())).replace(
      'DKIM-Signature: ',
      'DKIM-Signature: l=9999; ',
    )
    await judge(signed)
    console.log = log
    expect(written).toEqual([])
  })

  test.each([
    ['a header of two million folded lines', () => `${'X: a\r\n'}${' a\r\n'.repeat(2_000_000)}`],
    ['fields without end', () => 'X: a\r\n'.repeat(300_000)],
    [
      'a signature of separators',
      () => `DKIM-Signature: a=rsa-sha256; d=a.test; s=x; h=from; ${';'.repeat(200_000)}b=x\r\n`,
    ],
    [
      'signed names without end',
      () => `DKIM-Signature: a=rsa-sha256; d=a.test; s=x; h=from${':x'.repeat(100_000)}; b=x\r\n`,
    ],
    ['authors without end', () => `From: ${'a:b;'.repeat(120_000)}\r\n`],
    ['a type without end', () => `Content-Type: text/plain${';a=b'.repeat(100_000)}\r\n`],
    [
      'signatures without end',
      () => 'DKIM-Signature: a=rsa-sha256; d=a.test; s=x; h=from; l=1; b=x\r\n'.repeat(900),
    ],
    [
      'seals without end',
      () => 'ARC-Seal: i=1; a=rsa-sha256; cv=none; d=a.test; s=x; b=y\r\n'.repeat(50_000),
    ],
  ])('%s is judged within two seconds', async (_, fields) => {
    const signed = `${fields()}${await example.sign(mail())}`
    const before = performance.now()
    await judge(signed)
    expect(performance.now() - before).toBeLessThan(2_000)
  })

  test('one line of 20 MB does not hold others up', async () => {
    const signed = await example.sign(mail())
    const long = `${signed} \t${'x '.repeat(10_000_000)}`
    // The least of three: another program that takes the processor for a moment is not the mail's doing.
    const pauses = [await pauseDuring(long), await pauseDuring(long), await pauseDuring(long)]
    expect(Math.min(...pauses)).toBeLessThan(150)
  })
})

/** The longest time, in milliseconds, for which nobody else had a turn. */
async function pauseDuring(raw: string): Promise<number> {
  let longest = 0
  let last = performance.now()
  const watch = setInterval(() => {
    longest = Math.max(longest, performance.now() - last)
    last = performance.now()
  }, 1)
  await judge(raw)
  clearInterval(watch)
  return longest
}
