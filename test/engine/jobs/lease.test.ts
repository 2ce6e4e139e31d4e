import { expect, test } from 'vitest'
import type { JobOutcome } from '../../../src/engine/jobs/handler.ts'
import { endLeases, LEASE_MS } from '../../../src/engine/jobs/lease.ts'
import { systemClock } from '../../../src/platform/clock.ts'
import { heldClock } from '../../world/clock.ts'
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

test('the lease is renewed for as long as the handler runs', async () => {
  const slow = gate()
  await enqueue('slow')
  worker({ slow: slow.handler }).start()
  await slow.started(1)
  const heir = gate()
  const other = worker({ slow: heir.handler })
  for (let second = 0; second < 180; second += 20) {
    clock().advance(20_000)
    await db().query('SELECT 1') // the renewal was sent before
    await other.settle()
  }
  expect(heir.starts).toEqual([])
  slow.release()
  await workers()[0]?.settle()
  expect(await left()).toEqual([])
})

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
