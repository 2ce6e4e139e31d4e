// The worker: claims what is due, runs it under a lease, and lets nothing be lost when a process dies in the middle.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '../../platform/clock.ts'
import type { Database } from '../../platform/database.ts'
import type { Log } from '../../platform/log.ts'
import type { JobId } from '../ids.ts'
import { Alarm } from './alarm.ts'
import { backoff } from './backoff.ts'
import type { Job, JobHandler } from './handler.ts'
import {
  type BusyLane,
  type ClaimedJob,
  claimJobs,
  deleteJob,
  LEASE_MS,
  nextRun,
  postponeJob,
  type Room,
  releaseJobs,
  renewLeases,
} from './lease.ts'
import type { Tail } from './tail.ts'

/** How many jobs of a name run at once in this process: in all, and in each lane. */
export interface Limit {
  atOnce: number
  perLane: number
}

export interface WorkerParts {
  db: Pick<Database, 'query' | 'quiet' | 'embedded'>
  clock: Clock
  log: Log
  handlers: Record<string, JobHandler>
  tails?: Tail[]
  /** By job name; `DEFAULT_LIMIT` for the rest. */
  limits?: Record<string, Limit>
}

export interface Worker {
  start(): void
  /** Something was committed: look at once. */
  wake(): void
  /** Runs everything that is due now, tails included, until nothing is left. */
  settle(): Promise<void>
  /** No new claims; what does not end within `STOP_PATIENCE_MS` is given back. */
  stop(): Promise<void>
}

const DEFAULT_LIMIT: Limit = { atOnce: 16, perLane: 16 }
/**
 * Wakes close together are one: a look costs four statements, and a claim after a breath takes a dozen jobs at once.
 * From look to look, so that whoever wakes a worker at rest waits for nothing.
 */
const BREATH_MS = 40
/** Where nothing runs, or so much that there is enough to do until then. */
const LONG_BREATH_MS = 100
const ENOUGH_JOBS = 100
const RENEW_EVERY_MS = LEASE_MS / 3
/** Other processes enqueue into PostgreSQL, and a NOTIFY can be lost with its connection. */
const LONGEST_SLEEP_MS = 1_000
/** Alone on the embedded database only the leases of results that were not recorded come due unannounced. */
const LONGEST_SLEEP_EMBEDDED_MS = 10_000
const HELD_PAUSE_MS = 10
const AFTER_FAULT_MS = 1_000
const STOP_PATIENCE_MS = 1_500

export function createWorker(parts: WorkerParts): Worker {
  return new JobWorker(parts)
}

interface Running {
  job: ClaimedJob
  abort: AbortController
  done: Promise<void>
}

class JobWorker implements Worker {
  readonly #parts: WorkerParts
  readonly #lease = randomUUID()
  readonly #alarm: Alarm
  readonly #running = new Map<JobId, Running>()
  #turn: Promise<unknown> = Promise.resolve()
  #loop: Promise<void> | undefined
  #stopping = false
  #ended = 0
  #renewal: { cancel(): void } | undefined

  constructor(parts: WorkerParts) {
    this.#parts = parts
    this.#alarm = new Alarm(parts.clock)
  }

  start(): void {
    this.#loop ??= this.#run()
  }

  wake(): void {
    this.#alarm.ring()
  }

  async settle(): Promise<void> {
    for (;;) {
      const ended = this.#ended
      const found = await this.#pass()
      // A job that ended during the pass made room, or work, that the pass did not see.
      if (found === 'work' || ended !== this.#ended) continue
      if (found === 'held') await delay(HELD_PAUSE_MS)
      else if (this.#running.size === 0) return
      else await Promise.race([...this.#running.values()].map((running) => running.done))
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true
    this.wake()
    await this.#loop
    const left = [...this.#running.values()]
    for (const { abort } of left) abort.abort(new Error('the worker stops'))
    const patience = new AbortController()
    await Promise.race([
      Promise.all(left.map((running) => running.done)),
      delay(STOP_PATIENCE_MS, undefined, { signal: patience.signal }).catch(() => {}),
    ])
    patience.abort()
    this.#renewal?.cancel()
    const unfinished = [...this.#running.keys()]
    if (unfinished.length > 0) await releaseJobs(this.#parts.db, this.#lease, unfinished)
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      this.#alarm.reset()
      const begun = performance.now()
      const pause = await this.#passOrPause()
      if (pause > 0) await this.#alarm.sleep(pause)
      const { size } = this.#running
      const until = begun + (size === 0 || size >= ENOUGH_JOBS ? LONG_BREATH_MS : BREATH_MS)
      await delay(Math.max(0, until - performance.now()))
    }
  }

  /** Milliseconds until there is something to do again. */
  async #passOrPause(): Promise<number> {
    const { db, clock, log } = this.#parts
    try {
      const found = await this.#pass()
      if (found === 'work') return 0
      if (found === 'held') {
        // The other transaction ends in real time, whatever clock the schedule follows.
        await delay(HELD_PAUSE_MS)
        return 0
      }
      const now = clock.now()
      const next = await nextRun(db, now)
      const longest = db.embedded ? LONGEST_SLEEP_EMBEDDED_MS : LONGEST_SLEEP_MS
      return next ? Math.min(next.getTime() - now.getTime(), longest) : longest
    } catch (error) {
      log.error({ reason: words(error) }, 'the worker could not look for work')
      return AFTER_FAULT_MS
    }
  }

  /** One look at the log and the queue; one at a time, whoever asks. */
  #pass(): Promise<'work' | 'held' | 'nothing'> {
    const pass = this.#turn.then(() => this.#look())
    this.#turn = pass.catch(() => {})
    return pass
  }

  async #look(): Promise<'work' | 'held' | 'nothing'> {
    const read = await Promise.allSettled((this.#parts.tails ?? []).map((tail) => tail.step()))
    const claimed = this.#stopping ? [] : await this.#claim()
    for (const job of claimed) this.#begin(job)
    // A tail that breaks holds up no job.
    for (const step of read) if (step.status === 'rejected') throw step.reason
    const steps = read.map((step) => (step.status === 'fulfilled' ? step.value : 'end'))
    if (claimed.length > 0 || steps.includes('more')) return 'work'
    return steps.includes('held') ? 'held' : 'nothing'
  }

  async #claim(): Promise<ClaimedJob[]> {
    const rooms = this.#rooms()
    if (rooms.length === 0) return []
    return claimJobs(this.#parts.db, {
      lease: this.#lease,
      now: this.#parts.clock.now(),
      rooms,
      busy: this.#busyLanes(),
      running: [...this.#running.keys()],
    })
  }

  #rooms(): Room[] {
    const { handlers, limits = {} } = this.#parts
    const jobs = [...this.#running.values()].map((running) => running.job)
    return Object.keys(handlers)
      .map((name) => {
        const { atOnce, perLane } = limits[name] ?? DEFAULT_LIMIT
        return { name, free: atOnce - jobs.filter((job) => job.name === name).length, perLane }
      })
      .filter((room) => room.free > 0)
  }

  #busyLanes(): BusyLane[] {
    const lanes = new Map<string, BusyLane>()
    for (const { job } of this.#running.values()) {
      const key = JSON.stringify([job.name, job.lane])
      const taken = (lanes.get(key)?.taken ?? 0) + 1
      lanes.set(key, { name: job.name, lane: job.lane, taken })
    }
    return [...lanes.values()]
  }

  #begin(job: ClaimedJob): void {
    const abort = new AbortController()
    const done = this.#work(job, abort.signal).finally(() => {
      this.#running.delete(job.id)
      this.#ended += 1
      this.wake()
    })
    this.#running.set(job.id, { job, abort, done })
    this.#renewal ??= this.#parts.clock.after(RENEW_EVERY_MS, () => void this.#renew())
  }

  /** Never rejects: a result that cannot be recorded is repeated when the lease runs out. */
  async #work(job: ClaimedJob, signal: AbortSignal): Promise<void> {
    const { db, log } = this.#parts
    try {
      const outcome = await this.#outcome(job, signal)
      if (outcome.kind === 'done') await deleteJob(db, this.#lease, job.id)
      if (outcome.kind === 'again') await postponeJob(db, this.#lease, job.id, outcome)
      if (outcome.kind === 'release') await releaseJobs(db, this.#lease, [job.id])
    } catch (error) {
      if (this.#stopping) return
      log.error({ job: job.id, name: job.name, reason: words(error) }, 'job result not recorded')
    }
  }

  async #outcome(job: ClaimedJob, signal: AbortSignal): Promise<Ending> {
    const { clock, log, handlers } = this.#parts
    try {
      const handler = handlers[job.name]
      if (!handler) return { kind: 'release' }
      const outcome = await handler(jobOf(job), signal)
      return outcome.kind === 'again' ? { ...outcome, error: null } : outcome
    } catch (error) {
      // What is closed around a job breaks it, and may do so before the job is told.
      if (signal.aborted || this.#stopping) return { kind: 'release' }
      const at = new Date(clock.now().getTime() + backoff(job.attempts))
      const about = { job: job.id, name: job.name, attempt: job.attempts, again: at.toISOString() }
      log.error({ ...about, reason: words(error), err: error }, 'job broke')
      return { kind: 'again', at, error: words(error) }
    }
  }

  async #renew(): Promise<void> {
    const { db, clock, log } = this.#parts
    this.#renewal = undefined
    const ids = [...this.#running.keys()]
    if (ids.length === 0) return
    this.#renewal = clock.after(RENEW_EVERY_MS, () => void this.#renew())
    try {
      const ours = await renewLeases(db, this.#lease, ids, clock.now())
      for (const id of ids) {
        if (!ours.has(id)) this.#running.get(id)?.abort.abort(new Error('the lease was lost'))
      }
    } catch (error) {
      log.warn({ jobs: ids.length, reason: words(error) }, 'leases not renewed')
    }
  }
}

type Ending =
  | { kind: 'done' }
  | { kind: 'again'; at: Date; error: string | null }
  | { kind: 'recorded' }
  | { kind: 'release' }

const jobOf = (row: ClaimedJob): Job => ({
  id: row.id,
  orgId: row.org_id,
  payload: row.payload,
  attempt: row.attempts,
  createdAt: row.created_at,
})

const words = (error: unknown) => (error instanceof Error ? error.message : String(error))
