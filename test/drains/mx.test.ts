import { networkInterfaces } from 'node:os'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { kinds, type MxWorld, mx, mxWorld, RAW, send, twoHosts } from './mx-world.ts'

const hasIpv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === '::1'),
)

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

describe('which host', () => {
  test('the preferred one has the mail, byte for byte, and its words are the answer', async () => {
    twoHosts(world)
    const [first, second] = [await remoteAt('127.0.0.2'), await remoteAt('127.0.0.3')]
    expect(await send(drainTo())).toEqual([
      { kind: 'accepted', code: 250, detail: '2.0.0 Ok: queued' },
    ])
    expect(first.taken).toMatchObject([
      { from: 'us@ours.test', to: ['ann@x.test'], raw: RAW.toString() },
    ])
    expect(first.commands[0]).toBe('EHLO mail.ours.test')
    expect(second.connections).toBe(0)
  })

  test('the next one, where the preferred one is not there', async () => {
    twoHosts(world)
    const second = await remoteAt('127.0.0.3')
    expect(kinds(await send(drainTo()))).toEqual(['accepted'])
    expect(second.taken).toHaveLength(1)
  })

  test('hosts of one preference are drawn by lot', async () => {
    zone('x.test', mx(['mx1.x.test', 10], ['mx2.x.test', 10]))
    zone('mx1.x.test', { A: ['127.0.0.2'] })
    zone('mx2.x.test', { A: ['127.0.0.3'] })
    const [first, second] = [await remoteAt('127.0.0.2'), await remoteAt('127.0.0.3')]
    const lots = [0.1, 0.9, 0.9, 0.1]
    const drain = drainTo({ random: () => lots.shift() ?? 0 })
    // The DNS may have them in any order, so each goes first once.
    await send(drain)
    await send(drain)
    expect([first.taken.length, second.taken.length]).toEqual([1, 1])
  })

  test('a domain without MX is its own host, by all its addresses', async () => {
    zone('x.test', { A: ['127.0.0.4', '127.0.0.2'] })
    const remote = await remoteAt('127.0.0.2')
    expect(kinds(await send(drainTo()))).toEqual(['accepted'])
    expect(remote.taken).toHaveLength(1)
  })

  test.skipIf(!hasIpv6)('an IPv6 address serves too, after those of IPv4', async () => {
    zone('x.test', { AAAA: ['::1'] })
    const remote = await remoteAt('::1')
    expect(kinds(await send(drainTo()))).toEqual(['accepted'])
    zone('y.test', { AAAA: ['::1'], A: ['127.0.0.2'] })
    const older = await remoteAt('127.0.0.2')
    expect(kinds(await send(drainTo(), ['bob@y.test']))).toEqual(['accepted'])
    expect([remote.taken.length, older.taken.length]).toEqual([1, 1])
  })

  test('at most five addresses are tried', async () => {
    zone('x.test', mx(['many.x.test', 10], ['last.x.test', 20]))
    zone('many.x.test', { A: [3, 4, 5, 6, 7].map((n) => `127.0.0.${n}`) })
    zone('last.x.test', { A: ['127.0.0.2'] })
    const last = await remoteAt('127.0.0.2')
    expect(kinds(await send(drainTo()))).toEqual(['deferred'])
    expect(last.connections).toBe(0)
  })

  test('recipients of several domains each have their own', async () => {
    zone('x.test', { A: ['127.0.0.2'] })
    zone('y.test', { A: ['127.0.0.3'] })
    const remote = await remoteAt('127.0.0.2')
    await remoteAt('127.0.0.3', { rcpt: '550 5.1.1 nobody' })
    const answers = await send(drainTo(), ['a@x.test', 'b@y.test', 'c@x.test'])
    expect(kinds(answers)).toEqual(['accepted', 'refused', 'accepted'])
    expect(remote.taken).toMatchObject([{ to: ['a@x.test', 'c@x.test'] }])
  })
})

describe('what the DNS says of a domain', () => {
  test('a null MX takes no mail, and nobody is dialled', async () => {
    zone('x.test', { ...mx(['.', 0]), A: ['127.0.0.2'] })
    const remote = await remoteAt('127.0.0.2')
    expect(await send(drainTo())).toEqual([
      { kind: 'refused', code: 556, detail: '5.1.10 The domain x.test takes no mail (null MX)' },
    ])
    expect(remote.connections).toBe(0)
  })

  test('a domain that does not exist takes none for good', async () => {
    expect(await send(drainTo())).toEqual([
      { kind: 'refused', code: 550, detail: '5.1.2 The domain x.test does not exist' },
    ])
  })

  test.each(['SERVFAIL', 'silence'] as const)(
    '%s says nothing yet: the mail waits',
    async (fails) => {
      zone('x.test', { fails, A: ['127.0.0.2'] })
      const remote = await remoteAt('127.0.0.2')
      const [answer] = await send(drainTo())
      expect(answer).toMatchObject({ kind: 'deferred', code: null })
      expect(answer?.detail).toContain('MX records of x.test')
      expect(remote.connections).toBe(0)
    },
  )

  test('hosts without an address are no hosts; one whose address is not known yet is waited for', async () => {
    zone('x.test', { ...mx(['gone.x.test', 10]), A: ['127.0.0.2'] })
    expect(await send(drainTo())).toMatchObject([{ kind: 'refused', code: 550 }])
    zone('gone.x.test', { fails: 'SERVFAIL' })
    const [answer] = await send(drainTo())
    expect(answer).toMatchObject({ kind: 'deferred', code: null })
    expect(answer?.detail).toContain('gone.x.test')
  })

  test('our own name among the hosts ends the list; alone it is a loop', async () => {
    zone('x.test', mx(['mx1.x.test', 10], ['mail.ours.test', 20], ['mx3.x.test', 30]))
    zone('mx1.x.test', { A: ['127.0.0.2'] })
    zone('mx3.x.test', { A: ['127.0.0.3'] })
    zone('mail.ours.test', { A: ['127.0.0.4'] })
    const [us, third] = [await remoteAt('127.0.0.4'), await remoteAt('127.0.0.3')]
    expect(kinds(await send(drainTo()))).toEqual(['deferred'])
    zone('x.test', mx(['mail.ours.test', 20], ['mx3.x.test', 30]))
    expect(await send(drainTo())).toMatchObject([{ kind: 'refused', code: 554 }])
    expect([us.connections, third.connections]).toEqual([0, 0])
  })

  test('a host at a loopback address is nobody’s but the machine’s own', async () => {
    zone('x.test', mx(['mx1.x.test', 10]))
    zone('mx1.x.test', { A: ['127.0.0.2', '0.0.0.0'], AAAA: ['::1', '::ffff:127.0.0.1'] })
    const remote = await remoteAt('127.0.0.2')
    const [answer] = await send(drainTo({ loopback: false }))
    expect(answer).toMatchObject({ kind: 'refused', code: 550 })
    expect(answer?.detail).toContain('loopback')
    expect(remote.connections).toBe(0)
  })
})
