/** A database, a held clock and the workers of one test file. */
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import type { JobHandler, JobOutcome } from '../../../src/engine/jobs/handler.ts'
import { insertJobs, newJob } from '../../../src/engine/jobs/job.ts'
import { createWorker, type Worker, type WorkerParts } from '../../../src/engine/jobs/worker.ts'
import { type Database, openDatabase } from '../../../src/platform/database.ts'
import { createLog } from '../../../src/platform/log.ts'
import { type HeldClock, heldClock } from '../../world/clock.ts'
import { type FreshDatabase, freshDatabase } from '../../world/database.ts'

export const MINUTE = 60_000
const log = createLog({ level: 'silent' })
const orgId = 'org_one' as const

/** What every test of the file works with; the clock is a new one for each test. */
export function workbench() {
  let fresh: FreshDatabase
  let db: Database
  let clock: HeldClock
  let workers: Worker[] = []

  beforeAll(async () => {
    fresh = await freshDatabase()
    db = await openDatabase({ ...fresh, log })
  })
  beforeEach(() => {
    clock = heldClock('2026-03-01T12:00:00Z')
  })
  afterEach(async () => {
    // A worker that is stopped waits for its handlers.
    for (const release of gates.splice(0)) release()
    for (const worker of workers) await worker.stop()
    workers = []
    await db.query('DELETE FROM jobs')
  })
  afterAll(async () => {
    await db.close()
    await fresh.remove()
  })

  return {
    orgId,
    db: () => db,
    clock: () => clock,
    workers: () => workers,
    worker(handlers: Record<string, JobHandler>, more: Partial<WorkerParts> = {}): Worker {
      const made = createWorker({ db, clock, log, handlers, ...more })
      workers.push(made)
      return made
    },
    async enqueue(name: string, count = 1, about: { runAt?: Date; lane?: string } = {}) {
      const rows = Array.from({ length: count }, (_, n) =>
        newJob(name, { orgId, payload: { n }, ...about }, clock.now()),
      )
      await insertJobs(db, rows)
      return rows
    },
    left: () =>
      db.query<{
        id: string
        attempts: number
        lease: string | null
        leased_until: Date | null
      }>('TABLE jobs'),
    in: (ms: number) => new Date(clock.now().getTime() + ms),
  }
}

/** Those that a test has made. */
const gates: (() => void)[] = []

/** A handler that stays in the middle of its job until the test lets it end, with this outcome. */
export function gate(outcome: JobOutcome = { kind: 'done' }) {
  const starts: number[] = []
  const open: (() => void)[] = []
  const waiting: (() => void)[] = []
  const handler: JobHandler = async (job) => {
    starts.push(Number(job.payload.n))
    for (const tell of waiting.splice(0)) tell()
    await new Promise<void>((resolve) => open.push(resolve))
    return outcome
  }
  const started = async (count: number) => {
    while (starts.length < count) await new Promise<void>((resolve) => waiting.push(resolve))
  }
  const release = () => {
    for (const go of open.splice(0)) go()
  }
  gates.push(release)
  return { handler, starts, started, release }
}
