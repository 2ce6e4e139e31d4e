/** What a whole reception of a mail keeps others waiting for, from its final dot to its 250. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findAddresses } from '../../../src/engine/inboxes/find.ts'
import { createReceiver, type Receiver } from '../../../src/engine/receive/accept.ts'
import { type EngineWorld, engineWorld } from '../../world/engine.ts'
import { lagOf } from '../../world/lag.ts'
import { bomb, bombs, LARGE, MEDIUM } from './mime/bombs.ts'

/** The aim is 100 ms; the rest is for a machine that does other things meanwhile. */
const LAG_MS = 200
const MAILS = [
  'a text of 25 MB',
  'links without end',
  'a style sheet about ancestors',
  'a million header fields',
  'stray lines between fields',
  'one field folded for ever',
  'claims of our name without end',
  'addresses without end',
  'references without end',
  'parts without end',
  'a million Received lines',
]

let world: EngineWorld
let receiver: Receiver
const lags: { name: string; lag: number }[] = []

beforeAll(async () => {
  world = await engineWorld()
  receiver = createReceiver(world.engine)
})
afterAll(async () => {
  const [worst] = lags.toSorted((a, b) => b.lag - a.lag)
  process.stderr.write(`reception: at most ${worst?.lag.toFixed(0)} ms, by "${worst?.name}"\n`)
  await world.close()
})

test.each(MAILS)('%s: kept, and nobody waits', async (name) => {
  expect(bombs).toHaveProperty([name])
  const inboxes = await findAddresses(world.engine, [world.hello])
  for (const size of [MEDIUM, LARGE]) {
    const mail = bomb(name, size)
    const envelope = { mail_from: 'a@x.test', rcpt_to: [world.hello] }
    const peer = { ip: '192.0.2.7', helo: 'x.test', tls: false }
    const { result, lag } = await lagOf((turn) => {
      // Else it would be the same delivery again.
      const raw = Buffer.concat([
        mail,
        Buffer.from(`
${turn}
`),
      ])
      return receiver.accept({ raw, envelope, peer, inboxes })
    }, LAG_MS)
    lags.push({ name: `${name}, ${size} bytes`, lag })
    expect(result).toMatchObject([{ duplicate: false }])
    expect(lag).toBeLessThan(LAG_MS)
  }
})
