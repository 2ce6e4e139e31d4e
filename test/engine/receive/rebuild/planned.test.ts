import { afterAll, beforeAll, expect, test } from 'vitest'
import { createWorker } from '../../../../src/engine/jobs/worker.ts'
import type { Engine } from '../../../../src/engine/ports.ts'
import { noteOrganizations } from '../../../../src/engine/receive/rebuild/house.ts'
import { reindex } from '../../../../src/engine/receive/rebuild/reindex.ts'
import { createDelivery } from '../../../../src/engine/send/deliver.ts'
import { DELIVER_JOB } from '../../../../src/engine/send/outgoing.ts'
import {
  cancelMessage,
  rescheduleMessage,
} from '../../../../src/engine/send/schedule/operations.ts'
import { RELEASE_JOB, releaseScheduled } from '../../../../src/engine/send/schedule/release.ts'
import { type EngineWorld, engineWorld } from '../../../world/engine.ts'
import { type SendWorld, sendWorld } from '../../send/send-world.ts'

const MINUTE = 60_000

let old: SendWorld
let fresh: EngineWorld
/** The new database, with the old raw store. */
let engine: Engine

beforeAll(async () => {
  old = await sendWorld()
  await noteOrganizations(old.engine)
  fresh = await engineWorld({ clock: old.clock })
  engine = { ...fresh.engine, blobs: old.engine.blobs, settings: old.engine.settings }
})
afterAll(() => Promise.all([old.quit(), fresh.close()]))

const later = (minutes: number) =>
  new Date(old.clock.now().getTime() + minutes * MINUTE).toISOString()

const statuses = async ({ db }: Engine) =>
  Object.fromEntries(
    (
      await db.query<{ subject: string; status: string; send_at: Date | null }>(
        'SELECT subject, status, send_at FROM messages ORDER BY subject',
      )
    ).map(({ subject, status, send_at }) => [subject, `${status} ${send_at?.toISOString() ?? ''}`]),
  )

async function settle() {
  const ways = { local: old.local, world: old.drain }
  const handlers = {
    [DELIVER_JOB]: createDelivery(engine, ways),
    [RELEASE_JOB]: releaseScheduled(engine),
  }
  const worker = createWorker({ ...engine, handlers })
  await worker.settle()
  await worker.stop()
}

test('mail that waits for its hour goes at it, also where the database was lost before', async () => {
  const inbox = await old.inbox()
  const plan = async (subject: string, minutes: number) => {
    const mail = { inbox_id: inbox.id, to: 'ann@x.test', subject, text_body: 'Hi' }
    return (await old.send({ ...mail, send_at: later(minutes) })).id
  }
  await plan('waits', 60)
  const moved = await plan('moved', 60)
  const off = await plan('off', 60)
  await plan('gone', 1)
  await rescheduleMessage.run(old.engine, old.owner, { message_id: moved, send_at: later(120) })
  await cancelMessage.run(old.engine, old.owner, { message_id: off })
  old.clock.advance(MINUTE)
  await old.settle()
  expect(old.relay.taken).toHaveLength(1)
  const before = await statuses(old.engine)
  expect(Object.values(before).map((line) => line.split(' ')[0])).toEqual([
    'sent',
    'scheduled',
    'cancelled',
    'scheduled',
  ])
  const options = { signal: new AbortController().signal, onProgress: () => undefined }
  await reindex(engine, options)
  expect(await statuses(engine)).toEqual(before)
  await settle()
  expect(old.relay.taken).toHaveLength(1)
  old.clock.advance(60 * MINUTE)
  await settle()
  expect(old.relay.taken).toHaveLength(2)
  old.clock.advance(60 * MINUTE)
  await settle()
  expect(old.relay.taken).toHaveLength(3)
})
