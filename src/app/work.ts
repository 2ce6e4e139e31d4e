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
import { COMPLAINED_JOB, readComplained } from '../engine/receive/complained.ts'
import { sweep } from '../engine/receive/sweep.ts'
import { BOUNCED_JOB, recordBounce } from '../engine/send/bounced.ts'
import { createDelivery, type WaysOut } from '../engine/send/deliver.ts'
import { DELIVER_JOB } from '../engine/send/outgoing.ts'

/** Documents are read on the main thread and written to the one connection. */
const READ_LIMIT = { atOnce: 2, perLane: 2 }

const SWEEP_AFTER_MS = 60_000
const SWEEP_EVERY_MS = 86_400_000

export interface Outside extends WaysOut {
  poster: HttpPoster
}

export function createWork(engine: Engine, { poster, ...ways }: Outside): Worker {
  const { db, clock, log } = engine
  return createWorker({
    db,
    clock,
    log,
    handlers: {
      'inboxes.erase': eraseInbox(engine),
      [READ_JOB]: readDocument(engine),
      [ERASE_JOB]: eraseDocument(engine),
      [DELIVER_JOB]: createDelivery(engine, ways),
      [BOUNCED_JOB]: recordBounce(engine),
      [COMPLAINED_JOB]: readComplained(engine),
      [POST_JOB]: postDeliveries({ ...engine, poster }),
    },
    tails: [webhookTail(engine)],
    limits: { [POST_JOB]: POST_LIMIT, [READ_JOB]: READ_LIMIT },
  })
}

/** Sweeps once the start's own work is done, and then once a day. */
export function keepSwept(engine: Engine): { close(): Promise<void> } {
  const { clock, log } = engine
  let ended = false
  const go = () => {
    timer = clock.after(SWEEP_EVERY_MS, go)
    sweep(engine).catch(({ message }: Error) => {
      // A stop in the middle takes the database away; what is left lies there until the next start.
      if (!ended) log.warn({ reason: message }, 'sweeping failed; it is tried again')
    })
  }
  let timer = clock.after(SWEEP_AFTER_MS, go)
  return {
    async close() {
      ended = true
      timer.cancel()
    },
  }
}
