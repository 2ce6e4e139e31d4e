// The work that goes on behind the doors: every job's handler by its name, the readers of the event log, and sweeping up.
import { ERASE_JOB, eraseDocument } from '../engine/documents/delete.ts'
import { readDocument } from '../engine/documents/read.ts'
import { READ_JOB } from '../engine/documents/upload.ts'
import { recheckDomains } from '../engine/domains/recheck.ts'
import { createSigner } from '../engine/domains/sign.ts'
import { eraseInbox } from '../engine/inboxes/erase.ts'
import { createWorker, type Worker } from '../engine/jobs/worker.ts'
import { postDeliveries } from '../engine/notify/attempt.ts'
import { POST_JOB, POST_LIMIT } from '../engine/notify/delivery.ts'
import { webhookTail } from '../engine/notify/tail.ts'
import type { Engine, HttpPoster } from '../engine/ports.ts'
import { COMPLAINED_JOB, readComplained } from '../engine/receive/complained.ts'
import { noteNewest, sweep } from '../engine/receive/sweep.ts'
import { BOUNCED_JOB, recordBounce } from '../engine/send/bounced.ts'
import { forgetCounters } from '../engine/send/caps/caps.ts'
import { createDelivery, DELIVER_LIMIT } from '../engine/send/deliver.ts'
import { DELIVER_JOB } from '../engine/send/outgoing.ts'
import { forgetAnswers } from '../engine/send/repeat/answered-before.ts'
import { expireReview } from '../engine/send/reviews/expire.ts'
import { EXPIRE_JOB, NOTICE_JOB } from '../engine/send/reviews/hold.ts'
import { tellOfReview } from '../engine/send/reviews/notice.ts'
import { RELEASE_JOB, releaseScheduled } from '../engine/send/schedule/release.ts'
import type { WaysOut } from '../engine/send/ways.ts'
import { analyzeGrown, vacuumDue } from '../platform/vacuum.ts'

/** Documents are read on the main thread and written to the one connection. */
const READ_LIMIT = { atOnce: 2, perLane: 2 }

const CHORES_AFTER_MS = 60_000
const DAY_MS = 86_400_000
const TEN_MINUTES_MS = 600_000
const QUARTER_MINUTE_MS = 15_000

export interface Outside extends WaysOut {
  poster: HttpPoster
}

export function createWork(engine: Engine, { poster, ...ways }: Outside): Worker {
  const { db, clock, log } = engine
  const outside: WaysOut = { sign: createSigner(engine), ...ways }
  return createWorker({
    db,
    clock,
    log,
    handlers: {
      'inboxes.erase': eraseInbox(engine),
      [READ_JOB]: readDocument(engine),
      [ERASE_JOB]: eraseDocument(engine),
      [DELIVER_JOB]: createDelivery(engine, outside),
      [RELEASE_JOB]: releaseScheduled(engine),
      [EXPIRE_JOB]: expireReview(engine),
      [NOTICE_JOB]: tellOfReview(engine, outside),
      [BOUNCED_JOB]: recordBounce(engine),
      [COMPLAINED_JOB]: readComplained(engine),
      [POST_JOB]: postDeliveries({ ...engine, poster }),
    },
    tails: [webhookTail(engine)],
    limits: { [POST_JOB]: POST_LIMIT, [READ_JOB]: READ_LIMIT, [DELIVER_JOB]: DELIVER_LIMIT },
  })
}

interface Chore {
  name: string
  everyMs: number
  work(engine: Engine): Promise<unknown>
}

/** What is done once the start's own work is over, and then again and again. */
const CHORES: readonly Chore[] = [
  { name: 'noting the newest mail', everyMs: QUARTER_MINUTE_MS, work: noteNewest },
  { name: 'sweeping', everyMs: DAY_MS, work: sweep },
  { name: 'forgetting answers', everyMs: DAY_MS, work: forgetAnswers },
  { name: 'forgetting counters', everyMs: DAY_MS, work: forgetCounters },
  { name: 'checking domains', everyMs: DAY_MS, work: recheckDomains },
  { name: 'counting rows', everyMs: QUARTER_MINUTE_MS, work: ({ db }) => analyzeGrown(db) },
  { name: 'vacuuming', everyMs: TEN_MINUTES_MS, work: ({ db }) => vacuumDue(db) },
]

export function keepHouse(engine: Engine): { close(): Promise<void> } {
  const { clock, log } = engine
  let ended = false
  const timers = new Map<Chore, { cancel(): void }>()
  const go = (chore: Chore) => {
    timers.set(
      chore,
      clock.after(chore.everyMs, () => go(chore)),
    )
    chore.work(engine).catch(({ message: reason }: Error) => {
      // A stop in the middle takes the database away; what is left is done after the next start.
      if (!ended) log.warn({ chore: chore.name, reason }, 'a chore failed; it is tried again')
    })
  }
  for (const chore of CHORES) {
    timers.set(
      chore,
      clock.after(Math.min(CHORES_AFTER_MS, chore.everyMs), () => go(chore)),
    )
  }
  return {
    async close() {
      ended = true
      for (const timer of timers.values()) timer.cancel()
    },
  }
}
