// Delivering: one recipient domain of one mail at a time, each recipient with an end of its own.
import { z } from 'zod'
import { domainOf } from '../addresses.ts'
import { judgeSender } from '../domains/usable.ts'
import type { MessageId } from '../ids.ts'
import type { Job, JobHandler, JobOutcome } from '../jobs/handler.ts'
import type { Engine, HandOver } from '../ports.ts'
import { type Begun, createLedger, type Entry, type Ledger, type Recipient } from './ledger.ts'
import { endingOf, isOverdue, nextAttempt, nextLook } from './outcome.ts'
import { type Ended, record } from './record.ts'
import { isUnderWay } from './summary.ts'
import { type Leg, legsOf, type WaysOut } from './ways.ts'

type Parts = Pick<Engine, 'db' | 'clock' | 'log' | 'blobs' | 'settings'> & { ledger: Ledger }

/**
 * A destination that hangs fills its own lane; twenty must hang at once before another waits for them. Most wait for a
 * connection: so many are claimed at once that a claim every tenth of a second keeps the connections busy.
 */
export const DELIVER_LIMIT = { atOnce: 200, perLane: 10 }

/** How often mail of an inbox whose sending was stopped is looked at; whoever clears the inbox wakes it at once. */
const HOUR_MS = 3_600_000

/** What the job remembers between attempts. An attempt that broke by a fault of ours does not count. */
const Payload = z.object({
  message_id: z.string().transform((id) => id as MessageId),
  domain: z.string(),
  attempt: z.number().default(0),
})

/**
 * The handler of `send.deliver`. An attempt goes to every recipient of the domain that has no end yet; the next one
 * follows `outboundRetrySchedule`, five days at most. It may be repeated at any moment: recipients with an end are
 * left alone, our own inboxes recognise the same bytes, and everybody else gets them with the same Message-ID.
 */
export function createDelivery(engine: Omit<Parts, 'ledger'>, ways: WaysOut): JobHandler {
  const parts = { ...engine, ledger: createLedger(engine) }
  return async (job, signal) => {
    const { message_id, domain, attempt } = Payload.parse(job.payload)
    const mail = await parts.ledger.begin({ org_id: job.orgId, message_id })
    const open = mail?.recipients.filter((one) => isOpenAt(domain, one)) ?? []
    if (mail?.stopped)
      return { kind: 'again', at: new Date(engine.clock.now().getTime() + HOUR_MS) }
    if (mail === undefined || open.length === 0) return { kind: 'done' }
    const waitsFor = troubleOf(parts, mail)
    return deliver(parts, ways, {
      ...mail,
      waitsFor,
      open,
      domain,
      job,
      attempt: attempt + 1,
      signal,
    })
  }
}

/** A domain may have been lost since the mail was accepted from an address on it. */
function troubleOf(
  { settings }: Parts,
  { message, sender_domain: row }: Begun,
): string | undefined {
  const { org_id: orgId, envelope } = message
  const domain = domainOf(envelope.mail_from)
  const trouble = judgeSender(settings, { orgId, domain, row })
  if (trouble === undefined) return undefined
  const { because, fix } = trouble
  return `${envelope.mail_from} ${because}, so nobody outside can be written to from it. ${fix}`
}

const DRY_RUN = 'kept, not sent: OUTBOUND is dry-run'

interface Delivery extends Begun {
  /** Whom this attempt is for. */
  open: Recipient[]
  domain: string
  job: Job
  /** Why nothing may leave from the sender's domain; undefined where all is well. */
  waitsFor: string | undefined
  /** 1-based. */
  attempt: number
  signal: AbortSignal
}

async function deliver(parts: Parts, ways: WaysOut, delivery: Delivery): Promise<JobOutcome> {
  const { clock } = parts
  const { message, recipients, signal, job, attempt } = delivery
  const started = clock.now()
  const ended = isOverdue(job.createdAt, attempt, started)
    ? delivery.open.map(givenUp)
    : await saying(parts, delivery, handOver(parts, ways, delivery))
  const at = clock.now()
  // A stop in the middle is nobody's failure: the attempt is made again and does not count.
  const jobAfter = (now: readonly Recipient[]) =>
    signal.aborted && now.some((one) => isOpenAt(delivery.domain, one))
      ? null
      : jobOf(parts, delivery, now, at)
  const after = await record(parts, { message, recipients, ended, at, jobAfter }, signal)
  logAttempt(parts, delivery, after, started)
  return jobAfter(after) === null ? { kind: 'again', at } : { kind: 'recorded' }
}

/** Most servers answer within this time, and a state that nobody sees costs as much as one that stays. */
const SOON_MS = 1_000

/** Says `sending` once a hand-over takes its time. */
async function saying<T>(
  { clock, ledger, log }: Parts,
  { message, domain }: Delivery,
  work: Promise<T>,
): Promise<T> {
  let marked: Promise<void> | undefined
  const timer = clock.after(SOON_MS, () => {
    marked = ledger.sending(message, domain).catch(({ message: reason }: Error) => {
      log.warn({ message_id: message.id, reason }, 'a mail is under way and could not be marked')
    })
  })
  try {
    return await work
  } finally {
    timer.cancel()
    await marked
  }
}

const isOpenAt = (domain: string, { email, status }: Recipient) =>
  domainOf(email) === domain && isUnderWay(status)

/** The job as it is after this attempt: gone with its last recipient, else due at the next one. */
function jobOf(
  { settings }: Parts,
  { message, domain, waitsFor, job, attempt }: Delivery,
  after: readonly Recipient[],
  at: Date,
): Entry['job'] {
  const left = after.filter((one) => isOpenAt(domain, one))
  const claimed = { id: job.id, attempts: job.attempt }
  const about = { message_id: message.id, domain }
  if (waitsFor !== undefined && left.some(({ detail }) => detail === waitsFor)) {
    // Nothing was tried, so it counts for nothing; a check that finds the domain in order wakes the job by its name.
    const payload = {
      ...about,
      attempt: attempt - 1,
      sender_domain: domainOf(message.envelope.mail_from),
    }
    return { ...claimed, run_at: nextLook(at, job.createdAt), payload }
  }
  const next = nextAttempt(settings.outboundRetrySchedule, attempt, at, job.createdAt)
  return { ...claimed, run_at: left.length === 0 ? null : next, payload: { ...about, attempt } }
}

async function handOver(parts: Parts, ways: WaysOut, delivery: Delivery): Promise<Ended[]> {
  const { message, open, job, attempt } = delivery
  const asked = open.map(({ email }) => email)
  const { org_id, inbox_id, answered_id } = message
  const mail = { org_id, inbox_id, answered_id, emails: asked }
  const ended: Ended[] = (await parts.ledger.suppressed(mail)).map(({ email, detail }) => ({
    email,
    status: 'suppressed',
    code: null,
    detail,
  }))
  const emails = asked.filter((email) => !ended.some((end) => end.email === email))
  const [legs, raw] = await Promise.all([
    legsOf(parts, ways, delivery, emails),
    parts.blobs.get(message.org_id, message.raw_sha256),
  ])
  for (const leg of legs) {
    const envelope = { from: message.envelope.mail_from, to: leg.to }
    const answers = await leg.handOver({ envelope, raw })
    const now = parts.clock.now()
    const next =
      leg.way === 'waits'
        ? nextLook(now, job.createdAt)
        : nextAttempt(parts.settings.outboundRetrySchedule, attempt, now, job.createdAt)
    ended.push(
      ...leg.to.flatMap((email, i) => endOf(email, leg, answers[i], next === null, delivery)),
    )
  }
  return ended
}

function endOf(
  email: string,
  { way }: Leg,
  answer: HandOver | undefined,
  lastAttempt: boolean,
  { waitsFor, signal }: Delivery,
): Ended[] {
  if (way === 'dry-run') return [{ email, status: 'dry_run', code: null, detail: DRY_RUN }]
  if (way === 'waits') return [{ email, ...waiting(waitsFor ?? '', lastAttempt) }]
  if (answer === undefined) throw new Error(`the drain said nothing about ${email}`)
  const open = answer.kind === 'deferred' || answer.kind === 'uncertain'
  if (open && signal.aborted) return []
  const ended: Ended = { email, way, ...endingOf(answer, way, lastAttempt) }
  return answer.kind === 'accepted' && answer.remoteId !== undefined
    ? [{ ...ended, remoteId: answer.remoteId }]
    : [ended]
}

/** Handed to nobody. */
const waiting = (detail: string, last: boolean, code: number | null = null) =>
  endingOf({ kind: 'deferred', code, detail }, 'relay', last)

/** Nobody tries any more: what was said last stays. */
const givenUp = ({ email, code, detail }: Recipient): Ended => ({
  email,
  ...waiting(detail ?? '', true, code),
})

function logAttempt(
  { clock, log }: Parts,
  { message, domain, attempt }: Delivery,
  recipients: readonly Recipient[],
  started: Date,
): void {
  const counts: Partial<Record<Recipient['status'], number>> = {}
  for (const { email, status } of recipients) {
    if (domainOf(email) === domain) counts[status] = (counts[status] ?? 0) + 1
  }
  const ms = clock.now().getTime() - started.getTime()
  log.info({ message_id: message.id, domain, attempt, recipients: counts, ms }, 'mail handed over')
}
