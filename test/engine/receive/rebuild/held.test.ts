import { afterAll, beforeAll, expect, test } from 'vitest'
import { createWorker } from '../../../../src/engine/jobs/worker.ts'
import type { Engine } from '../../../../src/engine/ports.ts'
import { noteOrganizations } from '../../../../src/engine/receive/rebuild/house.ts'
import { reindex } from '../../../../src/engine/receive/rebuild/reindex.ts'
import { createDelivery } from '../../../../src/engine/send/deliver.ts'
import { DELIVER_JOB } from '../../../../src/engine/send/outgoing.ts'
import {
  approveReview,
  getReview,
  rejectReview,
} from '../../../../src/engine/send/reviews/operations.ts'
import { RELEASE_JOB, releaseScheduled } from '../../../../src/engine/send/schedule/release.ts'
import { type EngineWorld, engineWorld } from '../../../world/engine.ts'
import { type SendWorld, sendWorld } from '../../send/send-world.ts'

const HOUR = 3_600_000

let old: SendWorld
let fresh: EngineWorld
/** The new database, with the old raw store. */
let engine: Engine

beforeAll(async () => {
  old = await sendWorld({ agentSendPolicy: 'review-all' })
  await noteOrganizations(old.engine)
  fresh = await engineWorld({ clock: old.clock })
  engine = { ...fresh.engine, blobs: old.engine.blobs, settings: old.engine.settings }
})
afterAll(() => Promise.all([old.quit(), fresh.close()]))

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

test('what no person approved never goes, also where the database was lost; what one approved goes at its hour', async () => {
  const inbox = await old.inbox()
  const hold = async (subject: string, over: object = {}) => {
    const mail = { inbox_id: inbox.id, to: 'ann@x.test', subject, text_body: 'Hi', ...over }
    const held = await old.ask(mail, old.agent)
    if (!('review_id' in held)) throw new Error('the mail is not held')
    return held.review_id
  }
  const approve = async (review_id: string) => {
    const { sha256 } = await getReview.run(old.engine, old.owner, { review_id })
    await approveReview.run(old.engine, old.owner, { review_id, sha256 })
  }
  const send_at = new Date(old.clock.now().getTime() + HOUR).toISOString()
  await hold('held')
  await hold('held for later', { send_at })
  await approve(await hold('approved'))
  await approve(await hold('approved for later', { send_at }))
  const review_id = await hold('rejected')
  await rejectReview.run(old.engine, old.owner, { review_id })
  await old.settle()
  expect(old.relay.taken).toHaveLength(1)

  await reindex(engine, { signal: new AbortController().signal, onProgress: () => undefined })
  const rows = await engine.db.query<{ subject: string; status: string }>(
    'SELECT subject, status FROM messages ORDER BY subject',
  )
  expect(rows.map(({ subject, status }) => `${subject}: ${status}`)).toEqual([
    'approved: sent',
    'approved for later: scheduled',
    'held: expired',
    'held for later: expired',
    'rejected: rejected',
  ])
  old.clock.advance(2 * HOUR)
  await settle()
  expect(old.relay.taken).toHaveLength(2)
  expect(old.relay.taken[1]?.raw.toString()).toContain('Subject: approved for later')
})
