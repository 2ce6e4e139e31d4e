// Delivering: our own inboxes through the way mail comes in, the world through the drain, each recipient with an end of its own.
import { z } from 'zod'
import { domainOf } from '../addresses.ts'
import type { OrgId } from '../ids.ts'
import { findAddresses, withoutTag } from '../inboxes/find.ts'
import type { Job, JobHandler, JobOutcome } from '../jobs/worker.ts'
import type { MessageRow, RecipientRow } from '../messages/message.ts'
import type { Engine, HandOver, LocalDelivery, MailTransport, OutgoingMail } from '../ports.ts'
import { endingOf, nextAttempt, type Way } from './outcome.ts'
import { begin, type Ended, record } from './record.ts'
import { isUnderWay } from './summary.ts'

type Parts = Pick<Engine, 'db' | 'clock' | 'log' | 'blobs' | 'settings'>

export interface WaysOut {
  local: LocalDelivery
  /** Null in dry-run: nothing leaves. */
  world: MailTransport | null
}

/** What the job remembers between attempts. An attempt that broke by a fault of ours does not count. */
const Payload = z.object({
  message_id: z.string(),
  domain: z.string(),
  attempt: z.number().default(0),
  not_before: z.coerce.date().optional(),
})

/**
 * The handler of `send.deliver`. An attempt goes to every recipient that has no end yet; the next one follows
 * `outboundRetrySchedule`. It may be repeated at any moment: recipients with an end are left alone, our own
 * inboxes recognise the same bytes, and everybody else gets the same bytes with the same Message-ID.
 */
export function createDelivery(parts: Parts, ways: WaysOut): JobHandler {
  return async (job, signal) => {
    const { message_id, domain, attempt, not_before } = Payload.parse(job.payload)
    if (not_before !== undefined && not_before > parts.clock.now()) {
      return { kind: 'again', at: not_before }
    }
    const found = await load(parts, job.orgId, message_id)
    if (found === undefined || openAt(domain, found.recipients).length === 0) {
      return { kind: 'done' }
    }
    return deliver(parts, ways, { ...found, domain, job, attempt: attempt + 1, signal })
  }
}

const DRY_RUN = 'kept, not sent: OUTBOUND is dry-run'

interface Mail {
  message: MessageRow
  recipients: RecipientRow[]
}

interface Delivery extends Mail {
  /** Whose recipients are written to. */
  domain: string
  job: Job
  /** 1-based. */
  attempt: number
  signal: AbortSignal
}

interface Leg {
  way: Way | 'dry-run'
  to: string[]
  handOver(mail: OutgoingMail): Promise<HandOver[]>
}

async function deliver(parts: Parts, ways: WaysOut, delivery: Delivery): Promise<JobOutcome> {
  const { clock, blobs } = parts
  const { message, signal } = delivery
  const started = clock.now()
  const legs = await legsOf(parts, ways, delivery)
  await begin(parts, message, started)
  const raw = await blobs.get(message.org_id, message.raw_sha256)
  let state: State = { recipients: delivery.recipients, next: null }
  for (const [i, leg] of legs.entries()) {
    const mail = { envelope: { from: message.envelope.mail_from, to: leg.to }, raw }
    const answers = await leg.handOver(mail)
    state = await note(parts, { ...delivery, ...state }, leg, answers, i === legs.length - 1)
  }
  logAttempt(parts, delivery, state.recipients, started)
  if (!state.recipients.some(({ status }) => isUnderWay(status))) {
    await keepOutcome(parts, message, state.recipients)
  }
  if (openAt(delivery.domain, state.recipients).length === 0) return { kind: 'done' }
  return { kind: 'again', at: signal.aborted || state.next === null ? clock.now() : state.next }
}

/** The recipients of a domain that have no end yet. */
const openAt = (domain: string, recipients: readonly RecipientRow[]) =>
  recipients
    .filter(({ email, status }) => domainOf(email) === domain && isUnderWay(status))
    .map(({ email }) => email)

interface State {
  recipients: RecipientRow[]
  /** When the next attempt is due; null where the schedule has no further one. */
  next: Date | null
}

/** Our own inboxes first: they are near, and do not depend on how long the world takes. */
async function legsOf(
  { db, settings }: Parts,
  { local, world }: WaysOut,
  { message, recipients, domain }: Delivery,
): Promise<Leg[]> {
  const open = openAt(domain, recipients)
  const inboxes = await findAddresses({ db }, open.map(withoutTag))
  const ours = new Set(inboxes.map(({ address }) => address))
  const near = open.filter((email) => ours.has(withoutTag(email)))
  const far = open.filter((email) => !ours.has(withoutTag(email)))
  const legs: Leg[] = [{ way: 'local', to: near, handOver: (mail) => local.deliver(mail) }]
  // What was kept once never goes out later by itself, also where OUTBOUND has changed meanwhile.
  if (world === null || message.delivery === 'dry-run') {
    legs.push({ way: 'dry-run', to: far, handOver: () => Promise.resolve([]) })
  } else {
    const way = settings.outbound === 'mx' ? 'mx' : 'relay'
    legs.push({ way, to: far, handOver: (mail) => world.send(mail) })
  }
  return legs.filter(({ to }) => to.length > 0)
}

/** Writes down what one leg has brought. */
async function note(
  parts: Parts,
  { message, recipients, domain, job, attempt, signal }: Delivery,
  leg: Leg,
  answers: readonly HandOver[],
  lastLeg: boolean,
): Promise<State> {
  const at = parts.clock.now()
  const next = nextAttempt(parts.settings.outboundRetrySchedule, attempt, at)
  const ended = leg.to.flatMap((email, i) => endOf(email, leg, answers[i], next === null, signal))
  const payload = { message_id: message.id, domain, attempt, ...(next && { not_before: next }) }
  // A stop in the middle is nobody's failure: the attempt is made again and does not count.
  const counts = lastLeg && !signal.aborted
  const progress = counts ? { progress: { id: job.id, payload } } : {}
  const after = await record(parts, { message, recipients, ended, at, ...progress })
  return { recipients: after, next }
}

/** Beside the bytes, so that a rebuild from the raw store knows what became of the mail. */
async function keepOutcome(
  { blobs, clock }: Parts,
  { org_id, id }: MessageRow,
  recipients: readonly RecipientRow[],
): Promise<void> {
  const sidecar = await blobs.sidecar(org_id, id)
  if (sidecar === undefined) return
  const left = recipients.some(({ status }) => status === 'sent' || status === 'delivered')
  await blobs.putSidecar(org_id, id, {
    ...sidecar,
    recipients: recipients.map(({ email, status, code, detail }) => ({
      email,
      status,
      code,
      detail,
    })),
    sent_at: left ? clock.now() : null,
  })
}

function endOf(
  email: string,
  { way }: Leg,
  answer: HandOver | undefined,
  lastAttempt: boolean,
  signal: AbortSignal,
): Ended[] {
  if (way === 'dry-run') return [{ email, status: 'dry_run', code: null, detail: DRY_RUN }]
  if (answer === undefined) throw new Error(`the drain said nothing about ${email}`)
  const open = answer.kind === 'deferred' || answer.kind === 'uncertain'
  if (open && signal.aborted) return []
  const ended: Ended = { email, ...endingOf(answer, way, lastAttempt) }
  return answer.kind === 'accepted' && answer.remoteId !== undefined
    ? [{ ...ended, remoteId: answer.remoteId }]
    : [ended]
}

async function load({ db }: Parts, orgId: OrgId, id: string): Promise<Mail | undefined> {
  await db.quiet()
  const [message] = await db.query<MessageRow>(
    `SELECT m.* FROM messages m JOIN inboxes i ON i.org_id = m.org_id AND i.id = m.inbox_id
     WHERE m.org_id = $1 AND m.id = $2 AND i.deleted_at IS NULL`,
    [orgId, id],
    'send_load',
  )
  if (message === undefined) return undefined
  const recipients = await db.query<RecipientRow>(
    'SELECT * FROM recipients WHERE org_id = $1 AND message_id = $2 ORDER BY position',
    [orgId, id],
    'send_recipients',
  )
  return { message, recipients }
}

function logAttempt(
  { clock, log }: Parts,
  { message, attempt }: Delivery,
  recipients: readonly RecipientRow[],
  started: Date,
): void {
  const counts: Partial<Record<RecipientRow['status'], number>> = {}
  for (const { status } of recipients) counts[status] = (counts[status] ?? 0) + 1
  const ms = clock.now().getTime() - started.getTime()
  log.info({ message_id: message.id, attempt, recipients: counts, ms }, 'mail handed over')
}
