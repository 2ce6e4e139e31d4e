/** The job that lets a scheduled mail go, where the clock or the hour is not what it was when the job began. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Job } from '../../../src/engine/jobs/handler.ts'
import { rescheduleMessage } from '../../../src/engine/send/schedule/operations.ts'
import { releaseScheduled } from '../../../src/engine/send/schedule/release.ts'
import { type SendWorld, sendWorld, type TestInbox } from './send-world.ts'

const MINUTE = 60_000

let world: SendWorld
let inbox: TestInbox

beforeAll(async () => {
  world = await sendWorld()
})
beforeEach(async () => {
  inbox = await world.inbox()
  await world.calm()
})
afterAll(() => world.quit())

const inAnHour = () => new Date(world.clock.now().getTime() + 60 * MINUTE)

async function scheduled(at: Date) {
  const mail = { inbox_id: inbox.id, to: 'ann@x.test', subject: 'Later', text_body: 'Hi' }
  return world.send({ ...mail, send_at: at.toISOString() })
}

/** The job as a worker has it that claimed it a moment ago. */
async function begun(): Promise<Job> {
  const [job] = await world.engine.db.query<{ payload: Job['payload'] }>(
    "SELECT payload FROM jobs WHERE name = 'send.release'",
  )
  return { ...job, orgId: world.owner.orgId } as Job
}

const run = (job: Job) => releaseScheduled(world.engine)(job, new AbortController().signal)

test('a clock that steps back behind the claim costs the mail nothing: the job waits for the hour', async () => {
  const at = inAnHour()
  const { id } = await scheduled(at)
  const job = await begun()
  world.clock.advance(59 * MINUTE)
  expect(await run(job)).toEqual({ kind: 'again', at })
  expect((await world.message(id)).status).toBe('scheduled')
  world.clock.advance(MINUTE)
  await world.settle()
  expect((await world.message(id)).status).toBe('sent')
  expect(await run(job)).toEqual({ kind: 'done' })
  await world.settle()
  expect(world.relay.seen).toHaveLength(1)
})

test('a mail that was moved goes once, though the job of the old hour waits for the new one too', async () => {
  const at = inAnHour()
  const { id } = await scheduled(at)
  const later = new Date(at.getTime() + 60 * MINUTE).toISOString()
  const moved = { message_id: id, send_at: later }
  await rescheduleMessage.run(world.engine, world.owner, moved)
  world.clock.advance(60 * MINUTE)
  await world.settle()
  expect(world.relay.seen).toHaveLength(0)
  world.clock.advance(60 * MINUTE)
  await world.settle()
  expect(await world.message(id)).toMatchObject({ status: 'sent', sent_at: later })
  expect(world.relay.seen).toHaveLength(1)
  expect(await world.engine.db.query('SELECT id FROM jobs')).toEqual([])
})
