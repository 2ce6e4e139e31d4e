import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findAddresses } from '../../../src/engine/inboxes/find.ts'
import { createReceiver } from '../../../src/engine/receive/accept.ts'
import { sweep } from '../../../src/engine/receive/sweep.ts'
import { type EngineWorld, engineWorld } from '../../world/engine.ts'

const MINUTE = 60_000

let world: EngineWorld
let ahead = 0

beforeAll(async () => {
  const clock = {
    now: () => new Date(Date.now() + ahead),
    after: () => ({ cancel: () => undefined }),
  }
  world = await engineWorld({ clock })
})
afterAll(() => world.close())

test('bytes and sidecars without a row go after ten minutes; those of stored mail stay', async () => {
  const { engine, owner, hello } = world
  const inboxes = await findAddresses(engine, [hello])
  await createReceiver(engine).accept({
    raw: Buffer.from('Subject: kept\r\n\r\nHello\r\n'),
    envelope: { mail_from: 'ann@example.com', rcpt_to: [hello] },
    peer: { ip: '127.0.0.1', helo: 'localhost', tls: false },
    inboxes,
  })
  const lost = Buffer.from('never acknowledged')
  const sha256 = createHash('sha256').update(lost).digest('hex')
  await engine.blobs.put(owner.orgId, sha256, lost)
  await engine.blobs.putSidecar(owner.orgId, `msg_${'0'.repeat(26)}`, { id: 'lost' })

  expect(await sweep(engine)).toBe(0)
  ahead = 11 * MINUTE
  expect(await sweep(engine)).toBe(2)
  expect(await engine.blobs.has(owner.orgId, sha256)).toBe(false)
  const [message] = await engine.db.prisma.messages.findMany()
  expect(await engine.blobs.has(owner.orgId, message?.raw_sha256 ?? '')).toBe(true)
  expect(await sweep(engine)).toBe(0)
})
