/** Mail with addresses that are not ASCII, to servers that know what that is and to those that do not. RFC 6531. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { smtpRelay } from '../../src/drains/smtp.ts'
import type { MailTransport } from '../../src/engine/ports.ts'
import { type Relay, startRelay } from '../world/relay.ts'
import type { Script } from '../world/remote.ts'
import { kinds, type MxWorld, mxWorld, RAW, send, twoHosts } from './mx-world.ts'

const UTF8_HEADER = Buffer.from('Subject: hi\r\nTo: jörg@x.test, ann@x.test\r\n\r\nHello\r\n')

describe('straight to the hosts', () => {
  let world: MxWorld

  beforeAll(async () => {
    world = await mxWorld()
  })
  afterEach(() => world.calm())
  afterAll(() => world.close())

  const hosts = async (script: Script) => {
    twoHosts(world)
    return Promise.all([world.remoteAt('127.0.0.2', script), world.remoteAt('127.0.0.3', script)])
  }

  test('a host that offers SMTPUTF8 is asked for it, and has the letters', async () => {
    const [first] = await hosts({ smtpUtf8: true })
    expect(kinds(await send(world.drainTo(), ['jörg@x.test', 'ann@x.test'], UTF8_HEADER))).toEqual([
      'accepted',
      'accepted',
    ])
    expect(first.taken).toMatchObject([
      { to: ['jörg@x.test', 'ann@x.test'], raw: UTF8_HEADER.toString() },
    ])
    expect(first.taken[0]?.asked.split(' ')).toContain('SMTPUTF8')
  })

  test('so is it where the header alone needs it', async () => {
    const [first] = await hosts({ smtpUtf8: true })
    await send(world.drainTo(), ['ann@x.test'], UTF8_HEADER)
    expect(first.taken[0]?.asked.split(' ')).toContain('SMTPUTF8')
  })

  test('mail in ASCII never asks for it, nor does the next one of a session that did', async () => {
    const [first] = await hosts({ smtpUtf8: true })
    const drain = world.drainTo()
    await send(drain, ['jörg@x.test'])
    await send(drain, ['ann@x.test'])
    expect(first.connections).toBe(1)
    expect(first.taken.map(({ asked }) => asked.includes('SMTPUTF8'))).toEqual([true, false])
    expect(first.taken[1]?.raw).toBe(RAW.toString())
  })

  test('a host that does not offer it is told nothing, and the mail is refused in words that say why', async () => {
    const [first, second] = await hosts({})
    const drain = world.drainTo()
    const detail =
      '5.6.7 mx1.x.test (127.0.0.2), which has the mail for x.test, takes no international addresses: it offers no SMTPUTF8'
    expect(await send(drain, ['jörg@x.test'])).toEqual([
      { kind: 'refused', code: 550, detail, asciiOnly: true },
    ])
    expect(kinds(await send(drain, ['ann@x.test'], UTF8_HEADER))).toEqual(['refused'])
    expect([first.seen, second.connections]).toEqual([[], 0])
    expect(first.commands.filter((line) => /^(MAIL|RCPT)/.test(line))).toEqual([])
    expect(kinds(await send(drain))).toEqual(['accepted'])
    expect(first.taken[0]?.asked).not.toContain('SMTPUTF8')
  })

  test('in its own words where it refuses a single address', async () => {
    await hosts({
      smtpUtf8: true,
      rcpt: (address) => (address.startsWith('用户') ? '553 5.1.1 nobody here' : undefined),
    })
    world.zone('xn--fsqu00a.test', { A: ['127.0.0.2'] })
    const to = ['用户@xn--fsqu00a.test', 'Ülf@xn--fsqu00a.test']
    expect(await send(world.drainTo(), to)).toEqual([
      { kind: 'refused', code: 553, detail: '5.1.1 nobody here' },
      { kind: 'accepted', code: 250, detail: '2.0.0 Ok: queued' },
    ])
  })

  test('after STARTTLS what counts is what is offered then', async () => {
    const [first] = await hosts({ smtpUtf8: true, starttls: 'works' })
    expect(kinds(await send(world.drainTo(), ['jörg@x.test']))).toEqual(['accepted'])
    expect(first.taken).toMatchObject([{ to: ['jörg@x.test'], encrypted: true }])
  })
})

describe('by a relay', () => {
  let relay: Relay
  let drain: MailTransport

  const through = async (options: Parameters<typeof startRelay>[0]) => {
    relay = await startRelay(options)
    drain = smtpRelay({ url: `smtp://${relay.host}`, hostname: 'mail.ours.test' })
  }
  afterEach(async () => {
    await drain.close()
    await relay.close()
  })

  test('one that offers it takes both kinds of address, also with commands sent at once', async () => {
    await through({})
    const to = ['ann@x.test', 'jörg@x.test', '用户@xn--fsqu00a.test']
    expect(kinds(await send(drain, to, UTF8_HEADER))).toEqual(['accepted', 'accepted', 'accepted'])
    expect(relay.taken).toMatchObject([
      { to: ['ann@x.test', 'jörg@x.test', '用户@例子.test'], smtpUtf8: true, raw: UTF8_HEADER },
    ])
    await send(drain)
    expect(relay.taken[1]).toMatchObject({ to: ['ann@x.test'], smtpUtf8: false })
    expect(relay.connections).toBe(1)
  })

  test('each of many mails at once asks for what it needs itself', async () => {
    await through({})
    await Promise.all(
      Array.from({ length: 60 }, (_, n) =>
        send(drain, [n % 2 ? `jörg${n}@x.test` : `ann${n}@x.test`]),
      ),
    )
    expect(relay.taken).toHaveLength(60)
    for (const { to, smtpUtf8 } of relay.taken) expect(smtpUtf8).toBe(to[0]?.startsWith('jörg'))
  })

  test('one that does not offer it takes what is ASCII', async () => {
    await through({ hideSMTPUTF8: true })
    const [answer] = await send(drain, ['jörg@x.test'])
    expect(answer).toMatchObject({ kind: 'refused', code: 550, asciiOnly: true })
    expect(answer?.detail).toMatch(
      /^5\.6\.7 the relay, .*x\.test, takes no international addresses/,
    )
    expect(kinds(await send(drain))).toEqual(['accepted'])
    expect(relay.seen.map(({ to }) => to)).toEqual([['ann@x.test']])
  })
})
