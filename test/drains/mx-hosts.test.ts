import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Script } from '../world/remote.ts'
import { kinds, type MxWorld, mx, mxWorld, RAW, send, twoHosts } from './mx-world.ts'

const MUST_ENCRYPT = '530 5.7.0 Must issue a STARTTLS command first'

let world: MxWorld
let zone: MxWorld['zone']
let remoteAt: MxWorld['remoteAt']
let drainTo: MxWorld['drainTo']

beforeAll(async () => {
  world = await mxWorld()
  ;({ zone, remoteAt, drainTo } = world)
})
afterEach(() => world.calm())
afterAll(() => world.close())

describe('what a host says', () => {
  test.each([
    ['450 4.2.0 greylisted', 'deferred', 450],
    ['550 5.1.1 no such user', 'refused', 550],
  ])('%s about the mail stands, and no other host is asked', async (rcpt, kind, code) => {
    twoHosts(world)
    await remoteAt('127.0.0.2', { rcpt })
    const second = await remoteAt('127.0.0.3')
    expect(await send(drainTo())).toEqual([{ kind, code, detail: rcpt.slice(4) }])
    expect(second.connections).toBe(0)
  })

  test('its word for the Message-ID is not taken: it could claim that of any mail', async () => {
    zone('x.test', { A: ['127.0.0.2'] })
    const remote = await remoteAt('127.0.0.2')
    for (const dot of [
      '250 Ok <theirs@y.test>',
      '250 2.0.0 OK <1@y.prod.outlook.com> [Hostname]',
    ]) {
      remote.script.dot = dot
      const [answer] = await send(drainTo())
      expect(answer?.kind).toBe('accepted')
      expect(answer).not.toHaveProperty('remoteId')
    }
  })

  test('each recipient has an answer of its own', async () => {
    zone('x.test', { A: ['127.0.0.2'] })
    await remoteAt('127.0.0.2', {
      rcpt: (address) => (address.startsWith('gone') ? '550 5.1.1 gone' : undefined),
    })
    expect(kinds(await send(drainTo(), ['gone@x.test', 'ann@x.test']))).toEqual([
      'refused',
      'accepted',
    ])
  })

  test.each<[string, Script]>([
    ['greets with 554', { greeting: '554 5.7.1 not you' }],
    ['greets with 421', { greeting: '421 4.3.2 too busy' }],
    ['closes before it greets', { greeting: 'cut' }],
    ['refuses EHLO', { ehlo: '450 4.7.1 not now' }],
    ['says 421 to MAIL', { mail: '421 4.3.2 closing' }],
    ['cuts the line at RCPT', { rcpt: 'cut' }],
    ['cuts the line in the middle of the mail', { body: 'cut' }],
  ])('one that %s makes room for the next; without a next the mail waits', async (_, script) => {
    twoHosts(world)
    await remoteAt('127.0.0.2', script)
    const large = Buffer.concat([RAW, Buffer.alloc(8 * 1024 * 1024, 'line\r\n')])
    const [alone] = await send(drainTo(), ['ann@x.test'], large)
    expect(alone?.kind).toBe('deferred')
    const second = await remoteAt('127.0.0.3')
    expect(kinds(await send(drainTo(), ['ann@x.test'], large))).toEqual(['accepted'])
    expect(second.taken).toHaveLength(1)
  })

  test('a line lost after the final dot leaves it open, and no other host gets the mail', async () => {
    twoHosts(world)
    await remoteAt('127.0.0.2', { dot: 'cut' })
    const second = await remoteAt('127.0.0.3')
    expect(kinds(await send(drainTo()))).toEqual(['uncertain'])
    expect(second.connections).toBe(0)
  })

  test('so does one that never answers the final dot', async () => {
    zone('x.test', { A: ['127.0.0.2'] })
    await remoteAt('127.0.0.2', { dot: 'hang' })
    expect(kinds(await send(drainTo({ timeouts: { answer: 300 } })))).toEqual(['uncertain'])
  })
})

describe('encryption', () => {
  test('is used where it works, whatever the certificate', async () => {
    zone('x.test', { A: ['127.0.0.2'] })
    const remote = await remoteAt('127.0.0.2', { starttls: 'works' })
    expect(kinds(await send(drainTo()))).toEqual(['accepted'])
    expect(remote.taken).toMatchObject([{ encrypted: true }])
  })

  test.each(['refused', 'garbage', 'cut', 'hang'] as const)(
    'a STARTTLS that is offered and broken (%s) does not keep the mail back',
    async (starttls) => {
      zone('x.test', { A: ['127.0.0.2'] })
      const remote = await remoteAt('127.0.0.2', { starttls })
      const drain = drainTo({ timeouts: { greeting: 300 } })
      expect(kinds(await send(drain))).toEqual(['accepted'])
      expect(remote.taken).toMatchObject([{ encrypted: false }])
      const before = remote.connections
      expect(kinds(await send(drain))).toEqual(['accepted'])
      // What was learnt is remembered: no second handshake is tried.
      expect(remote.connections - before).toBeLessThanOrEqual(1)
    },
  )

  test('one broken handshake costs a host ten minutes of encryption, not all of it', async () => {
    zone('x.test', { A: ['127.0.0.2'] })
    const remote = await remoteAt('127.0.0.2', { starttls: 'cut' })
    let now = 0
    const drain = drainTo({ now: () => now })
    await send(drain)
    remote.script.starttls = 'works'
    now = 599_000
    await send(drain)
    now = 600_000
    await Promise.all([send(drain), send(drain)])
    expect(remote.taken.map(({ encrypted }) => encrypted)).toEqual([false, false, true, true])
  })

  test('a host that takes nothing in plain text is asked over TLS again at once', async () => {
    zone('x.test', { A: ['127.0.0.2'] })
    const remote = await remoteAt('127.0.0.2', { starttls: 'cut' })
    const drain = drainTo()
    await send(drain)
    Object.assign(remote.script, { starttls: 'works', plainMail: MUST_ENCRYPT })
    const answers = await Promise.all(Array.from({ length: 8 }, () => send(drain)))
    expect(answers.flatMap(kinds)).toEqual(Array(8).fill('accepted'))
    expect(remote.taken.slice(1).every(({ encrypted }) => encrypted)).toBe(true)
  })

  test('where that is broken too the mail waits, and few connections are made for it', async () => {
    twoHosts(world)
    const remote = await remoteAt('127.0.0.2', { starttls: 'cut', plainMail: MUST_ENCRYPT })
    const drain = drainTo()
    const answers = await Promise.all(Array.from({ length: 8 }, () => send(drain)))
    expect(answers.flatMap(kinds)).toEqual(Array(8).fill('deferred'))
    expect(remote.connections).toBeLessThanOrEqual(8)
    await remoteAt('127.0.0.3')
    expect(kinds(await send(drainTo()))).toEqual(['accepted'])
  })

  test('a host that wants a login is quoted without a word about one that we do not have', async () => {
    zone('x.test', { A: ['127.0.0.2'] })
    await remoteAt('127.0.0.2', { mail: '530 5.7.0 Authentication required' })
    expect(await send(drainTo())).toEqual([
      {
        kind: 'deferred',
        code: 530,
        detail:
          'x.test (127.0.0.2) takes nothing over this kind of connection: 5.7.0 Authentication required',
      },
    ])
  })
})

describe('many mails', () => {
  test('share five connections a host, also where the host has several domains', async () => {
    zone('x.test', mx(['mx.z.test', 10]))
    zone('y.test', mx(['mx.z.test', 10]))
    zone('mx.z.test', { A: ['127.0.0.2'] })
    const remote = await remoteAt('127.0.0.2')
    const drain = drainTo()
    const to = Array.from({ length: 40 }, (_, n) => `a${n}@${n % 2 ? 'x' : 'y'}.test`)
    const answers = await Promise.all(to.map((email) => send(drain, [email])))
    expect(answers.flatMap(kinds)).toEqual(Array(40).fill('accepted'))
    expect(remote.taken).toHaveLength(40)
    expect(remote.peak).toBeLessThanOrEqual(5)
    expect(remote.connections).toBeLessThanOrEqual(5)
  })

  test('go through the connections that a host allows, where it allows fewer', async () => {
    zone('x.test', { A: ['127.0.0.2'] })
    const remote = await remoteAt('127.0.0.2')
    remote.allowed = 2
    const drain = drainTo()
    const answers = await Promise.all(Array.from({ length: 30 }, () => send(drain)))
    expect(answers.flatMap(kinds)).toEqual(Array(30).fill('accepted'))
    expect(remote.taken).toHaveLength(30)
  })

  test('for a host that hangs learn of it from the first; other hosts are not held up', async () => {
    zone('x.test', { A: ['127.0.0.2'] })
    zone('y.test', { A: ['127.0.0.3'] })
    const hanging = await remoteAt('127.0.0.2', { greeting: 'hang' })
    await remoteAt('127.0.0.3')
    let now = 0
    const drain = drainTo({ timeouts: { greeting: 400 }, now: () => now })
    const stuck = Array.from({ length: 30 }, () => send(drain))
    expect(kinds(await send(drain, ['bob@y.test']))).toEqual(['accepted'])
    const answers = (await Promise.all(stuck)).flat()
    expect(kinds(answers)).toEqual(Array(30).fill('deferred'))
    expect(answers.at(-1)?.detail).toContain('127.0.0.2')
    expect(hanging.connections).toBe(1)
    // For a minute it is not asked again.
    const before = hanging.connections
    hanging.script.greeting = '220 remote.test'
    now = 59_000
    expect(kinds(await send(drain))).toEqual(['deferred'])
    expect(hanging.connections).toBe(before)
    now = 60_000
    expect(kinds(await send(drain))).toEqual(['accepted'])
  })

  test('closing cuts what hangs, and says no word about the mail', async () => {
    zone('x.test', { A: ['127.0.0.2'] })
    const remote = await remoteAt('127.0.0.2', { dot: 'hang' })
    const drain = drainTo()
    const cut = Promise.all(
      Array.from({ length: 8 }, () => expect(send(drain)).rejects.toThrow(/cut short/)),
    )
    const started = Date.now()
    await expect.poll(() => remote.seen.length).toBe(5)
    await drain.close()
    await cut
    expect(Date.now() - started).toBeLessThan(3_000)
  })
})
