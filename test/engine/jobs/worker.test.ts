import { expect, test } from 'vitest'
import type { JobHandler } from '../../../src/engine/jobs/handler.ts'
import { insertJobs, newJob } from '../../../src/engine/jobs/job.ts'
import { gate, MINUTE, workbench } from './workbench.ts'

const bench = workbench()
const { orgId, db, clock, worker, enqueue, left } = bench

test('a job is done once, with its payload, and forgotten', async () => {
  const seen: unknown[] = []
  const [row] = await enqueue('greet')
  await worker({
    greet: async (job) => {
      seen.push(job)
      return { kind: 'done' }
    },
  }).settle()
  expect(seen).toEqual([
    { id: row?.id, orgId, payload: { n: 0 }, attempt: 1, createdAt: clock().now() },
  ])
  expect(await left()).toEqual([])
})

test('a job is not started before its time, to the millisecond', async () => {
  let runs = 0
  await enqueue('later', 1, { runAt: bench.in(MINUTE) })
  const later = worker({
    later: async () => {
      runs += 1
      return { kind: 'done' }
    },
  })
  clock().advance(MINUTE - 1)
  await later.settle()
  expect(runs).toBe(0)
  clock().advance(1)
  await later.settle()
  expect(runs).toBe(1)
})

test('a handler that says again runs again then, as the next attempt', async () => {
  const attempts: number[] = []
  await enqueue('knock')
  const knocking = worker({
    knock: async ({ attempt }) => {
      attempts.push(attempt)
      if (attempt === 3) return { kind: 'done' }
      return { kind: 'again', at: bench.in(5 * MINUTE) }
    },
  })
  for (const wait of [0, 5 * MINUTE - 1, 1, 5 * MINUTE]) {
    clock().advance(wait)
    await knocking.settle()
  }
  expect(attempts).toEqual([1, 2, 3])
  expect(await left()).toEqual([])
})

test('a handler that throws is tried again after the backoff, and the fault is kept', async () => {
  await enqueue('break')
  let broken = true
  const breaking = worker({
    break: async () => {
      if (broken) throw new Error('no such table')
      return { kind: 'done' }
    },
  })
  await breaking.settle()
  const [row] = await db().query<{ last_error: string; run_at: Date }>('TABLE jobs')
  expect(row).toMatchObject({
    last_error: 'no such table',
    run_at: new Date('2026-03-01T12:00:01Z'),
    lease: null,
  })
  broken = false
  clock().advance(1_000)
  await breaking.settle()
  expect(await left()).toEqual([])
})

test('two workers share the work and no job is done twice', async () => {
  const done: number[] = []
  const share: JobHandler = async (job) => {
    done.push(Number(job.payload.n))
    return { kind: 'done' }
  }
  await enqueue('share', 200)
  await Promise.all([worker({ share }).settle(), worker({ share }).settle()])
  expect(done.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, n) => n))
})

test('a full lane keeps nobody else waiting', async () => {
  const slow = gate()
  await enqueue('post', 50, { lane: 'slow.test' })
  const limits = { post: { atOnce: 8, perLane: 4 } }
  const done: string[] = []
  const posting = worker(
    {
      post: async (job, signal) => {
        if (job.payload.n !== 'quick') return slow.handler(job, signal)
        done.push('quick')
        return { kind: 'done' }
      },
    },
    { limits },
  )
  posting.start()
  await slow.started(4)
  const quick = { orgId, payload: { n: 'quick' }, lane: 'quick.test' }
  await insertJobs(db(), [newJob('post', quick, clock().now())])
  posting.wake()
  await expect.poll(() => done).toEqual(['quick'])
  expect(slow.starts).toHaveLength(4)

  const letGo = setInterval(slow.release, 1)
  await posting.settle()
  clearInterval(letGo)
  expect(slow.starts).toHaveLength(50)
})

test('jobs of other names run while one name is at its limit', async () => {
  const slow = gate()
  await enqueue('slow', 5)
  let quick = 0
  const both = worker(
    {
      slow: slow.handler,
      quick: async () => {
        quick += 1
        return { kind: 'done' }
      },
    },
    { limits: { slow: { atOnce: 2, perLane: 2 } } },
  )
  both.start()
  await slow.started(2)
  await enqueue('quick', 3)
  both.wake()
  await expect.poll(() => quick).toBe(3)
  expect(slow.starts).toHaveLength(2)
})

test('a started worker wakes at the moment the next job is due', async () => {
  let ran = 0
  await enqueue('later', 1, { runAt: bench.in(400) })
  worker({
    later: async () => {
      ran += 1
      return { kind: 'done' }
    },
  }).start()
  await expect.poll(() => clock().pending()).toBe(1) // it sleeps
  clock().advance(400)
  await expect.poll(() => ran).toBe(1)
})

test('jobs that nobody here handles stay for those who do', async () => {
  await enqueue('foreign')
  await worker({}).settle()
  await worker({ other: async () => ({ kind: 'done' }) }).settle()
  expect(await left()).toMatchObject([{ attempts: 0, lease: null }])
})

test('a tail is read to its end, and what it enqueues is done in the same settling', async () => {
  let batches = 3
  let done = 0
  const tail = {
    name: 'log',
    async step() {
      if (batches === 0) return 'end' as const
      batches -= 1
      await enqueue('told')
      return 'more' as const
    },
  }
  const told: JobHandler = async () => {
    done += 1
    return { kind: 'done' }
  }
  await worker({ told }, { tails: [tail] }).settle()
  expect(done).toBe(3)
})

test('a tail that breaks holds up no job, and settling says what broke', async () => {
  let done = 0
  await enqueue('on')
  const tail = { name: 'log', step: () => Promise.reject(new Error('no such column')) }
  const on: JobHandler = async () => {
    done += 1
    return { kind: 'done' }
  }
  const working = worker({ on }, { tails: [tail] })
  await expect(working.settle()).rejects.toThrow('no such column')
  await expect.poll(() => done).toBe(1)
})
