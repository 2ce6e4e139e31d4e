import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { MessageId } from '../../../src/engine/ids.ts'
import { findAddresses } from '../../../src/engine/inboxes/find.ts'
import { createReceiver } from '../../../src/engine/receive/accept.ts'
import { reindex } from '../../../src/engine/receive/rebuild/reindex.ts'
import { noteNewest, sweep } from '../../../src/engine/receive/sweep.ts'
import { type EngineWorld, engineWorld } from '../../world/engine.ts'

const HOUR = 3_600_000

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

async function mail(subject: string): Promise<MessageId> {
  const { engine, hello } = world
  const [received] = await createReceiver(engine).accept({
    raw: Buffer.from(`Subject: ${subject}\r\n\r\nHello\r\n`),
    envelope: { mail_from: 'ann@example.com', rcpt_to: [hello] },
    peer: { ip: '127.0.0.1', helo: 'localhost', tls: false },
    inboxes: await findAddresses(engine, [hello]),
  })
  if (received === undefined) throw new Error('nobody took the mail')
  return received.message_id
}

/** As a backup of before has it. */
async function lose(id: MessageId): Promise<void> {
  for (const table of ['attachments', 'events', 'message_ids', 'seen']) {
    await world.engine.db.query(`DELETE FROM ${table} WHERE message_id = $1`, [id])
  }
  await world.engine.db.query('DELETE FROM messages WHERE id = $1', [id])
  await world.engine.db.query('DELETE FROM threads WHERE first_message_id = $1', [id])
}

const knows = async (id: MessageId) =>
  (await world.engine.db.prisma.messages.count({ where: { id } })) === 1

test('bytes and sidecars without a row go after a day; those of stored mail stay', async () => {
  const { engine, owner } = world
  await mail('kept')
  const lost = Buffer.from('never acknowledged')
  const sha256 = createHash('sha256').update(lost).digest('hex')
  await engine.blobs.put(owner.orgId, sha256, lost)
  await engine.blobs.putSidecar(owner.orgId, `msg_${'0'.repeat(26)}`, { id: 'lost' })

  expect(await sweep(engine)).toBe(0)
  ahead = 25 * HOUR
  expect(await sweep(engine)).toBe(2)
  expect(await engine.blobs.has(owner.orgId, sha256)).toBe(false)
  const [message] = await engine.db.prisma.messages.findMany()
  expect(await engine.blobs.has(owner.orgId, message?.raw_sha256 ?? '')).toBe(true)
  expect(await sweep(engine)).toBe(0)
})

test('where an older database was put back, nothing is swept until a rebuild', async () => {
  const { log: _, ...parts } = world.engine
  const warned: string[] = []
  const log = { ...world.engine.log, warn: (_: object, text: string) => void warned.push(text) }
  const engine = { ...parts, log: log as typeof world.engine.log }
  const id = await mail('acknowledged after the backup')
  await noteNewest(engine)
  await lose(id)
  const newer = await mail('came after the backup was put back')
  // Other processes note, too: what shows the loss stays.
  await noteNewest(engine)
  ahead = 50 * HOUR
  expect(await sweep(engine)).toBe(0)
  expect(await sweep(engine)).toBe(0)
  expect(warned).toHaveLength(2)
  expect(warned[0]).toContain('postroom reindex')

  const options = { signal: new AbortController().signal, onProgress: () => undefined }
  expect(await reindex(engine, options)).toMatchObject({ rebuilt: 1 })
  expect([await knows(id), await knows(newer)]).toEqual([true, true])
  expect(await sweep(engine)).toBe(0)
  expect(warned).toHaveLength(2)
})

test('where the newest mail was erased, what was never acknowledged is swept as ever', async () => {
  const { engine, owner } = world
  const id = await mail('to be erased')
  await noteNewest(engine)
  await engine.blobs.removeSidecar(owner.orgId, id)
  await lose(id)
  ahead = 75 * HOUR
  // Its bytes.
  expect(await sweep(engine)).toBe(1)
})
