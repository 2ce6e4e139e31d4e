// The work that goes on behind the doors: every job's handler by its name, the readers of the event log, and sweeping up.
import { ERASE_JOB, eraseDocument } from '../engine/documents/delete.ts'
import { readDocument } from '../engine/documents/read.ts'
import { READ_JOB } from '../engine/documents/upload.ts'
import { eraseInbox } from '../engine/inboxes/erase.ts'
import { createWorker, type Worker } from '../engine/jobs/worker.ts'
import { postDeliveries } from '../engine/notify/attempt.ts'
import { POST_JOB, POST_LIMIT } from '../engine/notify/delivery.ts'
import { webhookTail } from '../engine/notify/tail.ts'
import type { Engine, HttpPoster } from '../engine/ports.ts'
import { sweep } from '../engine/receive/sweep.ts'

const SWEEP_AFTER_MS = 60_000
const SWEEP_EVERY_MS = 86_400_000

export interface Outside {
  poster: HttpPoster
}

export function createWork(engine: Engine, { poster }: Outside): Worker {
  const { db, clock, log } = engine
  return createWorker({
    db,
    clock,
    log,
    handlers: {
      'inboxes.erase': eraseInbox(engine),
      [READ_JOB]: readDocument(engine),
      [ERASE_JOB]: eraseDocument(engine),
      [POST_JOB]: postDeliveries({ ...engine, poster }),
    },
    tails: [webhookTail(engine)],
    limits: { [POST_JOB]: POST_LIMIT },
  })
}

/** Sweeps once the start's own work is done, and then once a day. */
export function keepSwept(engine: Engine): { close(): Promise<void> } {
  let timer = engine.clock.after(SWEEP_AFTER_MS, go)
  let running: Promise<unknown> = Promise.resolve()
  let ended = false
  function go() {
    running = sweep(engine).catch((error: Error) =>
      engine.log.warn({ reason: error.message }, 'sweeping failed; it is tried again'),
    )
    if (!ended) timer = engine.clock.after(SWEEP_EVERY_MS, go)
  }
  return {
    async close() {
      ended = true
      timer.cancel()
      await Promise.race([running, Promise.resolve()])
    },
  }
}
