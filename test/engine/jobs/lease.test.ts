import pg from 'pg'
import { expect, inject, test } from 'vitest'
import type { JobOutcome } from '../../../src/engine/jobs/handler.ts'
import { endLeases, LEASE_MS, releaseJobs, renewLeases } from '../../../src/engine/jobs/lease.ts'
import { systemClock } from '../../../src/platform/clock.ts'
import { heldClock } from '../../world/clock.ts'
import { databaseUrl } from '../../world/template.ts'
import { gate, MINUTE, workbench } from './workbench.ts'

const bench = workbench()
const { db, clock, workers, worker, enqueue, left } = bench

test('a job of a worker that died is repeated within a minute, when its lease ends', async () => {
  const dead = gate()
  await enqueue('fragile')
  // Its timers never fire and its result never comes: that is what a killed process looks like.
  worker({ fragile: dead.handler }, { clock: heldClock(clock().now()) }).start()
  await dead.started(1)

  const done: number[] = []
  const heir = worker({
    fragile: async ({ attempt }) => {
      done.push(attempt)
      return { kind: 'done' }
    },
  })
  clock().advance(LEASE_MS - 1)
  await heir.settle()
  expect(done).toEqual([])
  clock().advance(1)
  await heir.settle()
  expect(done).toEqual([2])
  expect(LEASE_MS).toBeLessThan(MINUTE)
})

test('a process that has the database to itself ends the leases of the dead at once', async () => {
  const dead = gate()
  await enqueue('fragile')
  worker({ fragile: dead.handler }, { clock: heldClock(clock().now()) }).start()
  await dead.started(1)

  await endLeases(db())
  const heir = worker({ fragile: async () => ({ kind: 'done' }) })
  await heir.settle()
  expect(await left()).toEqual([])
})

const LATE: JobOutcome[] = [{ kind: 'done' }, { kind: 'again', at: new Date(0) }]

test.each(LATE)('a late $kind of a worker that lost its lease changes nothing', async (late) => {
  const slow = gate(late)
  await enqueue('fragile')
  worker({ fragile: slow.handler }, { clock: heldClock(clock().now()) }).start()
  await slow.started(1)
  clock().advance(MINUTE)
  const at = bench.in(MINUTE)
  await worker({ fragile: async () => ({ kind: 'again', at }) }).settle()
  slow.release()
  await workers()[0]?.stop()
  expect(await left()).toMatchObject([{ attempts: 2, lease: null, run_at: at }])
})

const leasedUntil = async () => (await left())[0]?.leased_until?.getTime()

test('the lease is renewed for as long as the handler runs', async () => {
  const slow = gate()
  await enqueue('slow')
  worker({ slow: slow.handler }).start()
  await slow.started(1)
  const heir = gate()
  const other = worker({ slow: heir.handler })
  for (let second = 0; second < 180; second += 20) {
    clock().advance(20_000)
    // Renewals come three times within its length, and each answers in its own time.
    await expect.poll(leasedUntil).toBeGreaterThanOrEqual(bench.in((LEASE_MS * 2) / 3).getTime())
    await other.settle()
  }
  expect(heir.starts).toEqual([])
  slow.release()
  await workers()[0]?.settle()
  expect(await left()).toEqual([])
})

// The embedded database has one connection: nothing can be locked beside it.
test.skipIf(inject('template').kind === 'embedded')(
  'leases are renewed and given back beside jobs that are being written down, without waiting for them',
  async () => {
    const jobs = await enqueue('slow', 3)
    const ids = jobs.map(({ id }) => id)
    const [now, soon] = [clock().now(), bench.in(MINUTE)]
    await db().query('UPDATE jobs SET lease = $1, leased_until = $2, attempts = 1', ['us', now])
    await holding('SELECT 1 FROM jobs WHERE id = $1 FOR UPDATE', [ids[1]], async () => {
      expect([...(await renewLeases(db(), 'us', ids, now))].sort()).toEqual(ids.toSorted())
      expect([...(await renewLeases(db(), 'another', ids, soon))]).toEqual([])
      await releaseJobs(db(), 'us', ids)
    })
    const attempts = new Map((await left()).map((job) => [job.id, job.attempts]))
    expect(ids.map((id) => attempts.get(id))).toEqual([0, 1, 0])
  },
)

/** Runs `use` while a transaction of its own holds what the statement locks. */
async function holding(statement: string, values: unknown[], use: () => Promise<void>) {
  const [row] = await db().query<{ name: string }>('SELECT current_database() AS name')
  const url = databaseUrl(process.env.TEST_DATABASE_URL ?? '', row?.name ?? '')
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query('BEGIN')
    await client.query(statement, values)
    await use()
  } finally {
    await client.end()
  }
}

test('stopping tells the handlers, waits for them a little, and gives the rest back', async () => {
  const stuck = gate()
  await enqueue('stuck')
  let told = false
  const stopping = worker(
    {
      stuck: async (job, signal) => {
        signal.addEventListener('abort', () => {
          told = true
        })
        return stuck.handler(job, signal)
      },
    },
    { clock: systemClock },
  )
  stopping.start()
  await stuck.started(1)
  const began = performance.now()
  await stopping.stop()
  expect(performance.now() - began).toBeLessThan(2_000)
  expect(told).toBe(true)
  expect(await left()).toMatchObject([{ lease: null, attempts: 0 }])
  stuck.release()
})

test('what breaks while the worker stops is given back as if it had not begun', async () => {
  const [row] = await enqueue('cut')
  const begun = gate()
  let cut: (error: Error) => void = () => undefined
  const closed = new Promise<never>((_, reject) => {
    cut = reject
  })
  const stopping = worker({
    cut: (job, signal) => Promise.race([closed, begun.handler(job, signal)]),
  })
  stopping.start()
  await begun.started(1)
  const stopped = stopping.stop()
  cut(new Error('the connection was closed'))
  await stopped
  expect(await left()).toMatchObject([{ lease: null, attempts: 0, run_at: row?.run_at }])
})
