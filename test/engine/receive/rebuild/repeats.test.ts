import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { findAddresses } from '../../../../src/engine/inboxes/find.ts'
import type { Engine } from '../../../../src/engine/ports.ts'
import { createReceiver } from '../../../../src/engine/receive/accept.ts'
import { noteOrganizations } from '../../../../src/engine/receive/rebuild/house.ts'
import { reindex } from '../../../../src/engine/receive/rebuild/reindex.ts'
import { type EngineWorld, engineWorld } from '../../../world/engine.ts'

const OPTIONS = { signal: new AbortController().signal, onProgress: () => undefined }

let old: EngineWorld
let fresh: EngineWorld
/** A new database, with the old raw store. */
let engine: Engine

beforeAll(async () => {
  old = await engineWorld()
  await noteOrganizations(old.engine)
})
afterAll(() => old.close())
beforeEach(async () => {
  fresh = await engineWorld()
  engine = { ...fresh.engine, blobs: old.engine.blobs, settings: old.engine.settings }
  return () => fresh.close()
})

async function mail(id: string, over: { trace?: string; body?: string } = {}) {
  const raw = [
    ...(over.trace ? [`Received: from relay.test by mail.postroom.test; ${over.trace}`] : []),
    'From: Ann <ann@x.test>',
    `Subject: ${id}`,
    `Message-ID: <${id}@x.test>`,
    ...(over.body ? ['Content-Type: application/pdf', 'Content-Transfer-Encoding: base64'] : []),
    '',
    over.body ?? 'Hello',
    '',
  ].join('\r\n')
  await createReceiver(old.engine).accept({
    raw: Buffer.from(raw),
    envelope: { mail_from: 'ann@x.test', rcpt_to: [old.hello] },
    peer: null,
    inboxes: await findAddresses(old.engine, [old.hello]),
  })
}

const idsIn = async ({ db }: Engine) =>
  (await db.query<{ id: string }>('SELECT id FROM messages ORDER BY id')).map(({ id }) => id)

test('of an attempt that was refused and its repeat, the acknowledged one comes back, also far behind it', async () => {
  const { db } = old.engine
  await db.query('ALTER TABLE messages ADD CONSTRAINT away CHECK (false) NOT VALID')
  await expect(mail('again', { trace: 'at noon' })).rejects.toThrow('away')
  await db.query('ALTER TABLE messages DROP CONSTRAINT away')
  for (let n = 0; n < 60; n += 1) await mail(`between-${n}`)
  await mail('again', { trace: 'an hour later' })
  const acknowledged = await idsIn(old.engine)
  expect(acknowledged).toHaveLength(61)

  expect(await reindex(engine, OPTIONS)).toMatchObject({ rebuilt: 61, repeated: 1 })
  expect(await idsIn(engine)).toEqual(acknowledged)
})

test('large mails are stored before all of them are read', async () => {
  const body = `${'A'.repeat(76)}\r\n`.repeat(54_000)
  for (let n = 0; n < 12; n += 1) await mail(`large-${n}`, { body })
  let stored = 0
  const { blobs } = engine
  const get: typeof blobs.get = async (...name) => {
    const bytes = await blobs.get(...name)
    const large = "SELECT id FROM messages WHERE subject LIKE 'large-%'"
    if (bytes.length > body.length) stored = (await engine.db.query(large)).length
    return bytes
  }
  await reindex({ ...engine, blobs: { ...blobs, get } }, OPTIONS)
  expect(await idsIn(engine)).toEqual(await idsIn(old.engine))
  expect(stored).toBeGreaterThan(0)
})
