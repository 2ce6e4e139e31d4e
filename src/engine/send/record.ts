// What an attempt has brought, written down: recipients, message, events and the job, in one commit.
import { setTimeout as delay } from 'node:timers/promises'
import { idSuffix, newId } from '../../platform/ids.ts'
import { type EventRow, newEvent } from '../events.ts'
import type { Engine } from '../ports.ts'
import {
  type Entry,
  isAboutData,
  knownOf,
  type Ledger,
  type MailUnderWay,
  type Recipient,
} from './ledger.ts'
import type { Ending, Way } from './outcome.ts'
import { isHandedOver, isUnderWay, type RecipientStatus, summary } from './summary.ts'
import { isUnreachable } from './suppressions/never-again.ts'

/** `way` is absent where nothing was handed to anybody. */
export type Ended = Ending & { email: string; way?: Way; remoteId?: string }

export interface Attempted {
  message: MailUnderWay
  /** All recipients as they were before. */
  recipients: readonly Recipient[]
  ended: readonly Ended[]
  at: Date
  /** What becomes of the job in the same commit; given the recipients as they are now. Null: nothing. */
  jobAfter(recipients: readonly Recipient[]): Entry['job']
}

type Parts = Pick<Engine, 'blobs' | 'log'> & { ledger: Ledger }

/** Other domains of the same mail end meanwhile; each time one of them has made progress. */
const MAX_DECISIONS = 200
/** A database that is away for a moment must not make us forget that a mail was taken: it would go out twice. */
const PAUSES_MS = [200, 1_000, 4_000, 10_000]

/**
 * Writes an attempt down and returns the recipients as they are now; none where the mail is gone.
 * A recipient that is final stays as it is: an attempt that is repeated after a crash tells nothing twice.
 * What servers have said is worth more than their words: those are left out where the database refuses them.
 */
export async function record(
  parts: Parts,
  attempted: Attempted,
  signal: AbortSignal,
): Promise<readonly Recipient[]> {
  try {
    return await recordAsSaid(parts, attempted, signal)
  } catch (error) {
    if (!isAboutData(error)) throw error
    const about = { message_id: attempted.message.id, reason: (error as Error).message }
    parts.log.warn(about, 'an attempt is written down without the words of the servers')
    return recordAsSaid(parts, withoutWords(attempted), signal)
  }
}

const LEFT_OUT = 'the words of the server could not be kept'

const withoutWords = (attempted: Attempted): Attempted => ({
  ...attempted,
  ended: attempted.ended.map(({ remoteId: _, ...end }) => ({ ...end, detail: LEFT_OUT })),
})

async function recordAsSaid(
  parts: Parts,
  attempted: Attempted,
  signal: AbortSignal,
): Promise<readonly Recipient[]> {
  let known = attempted.recipients
  for (let decisions = 0; decisions < MAX_DECISIONS; decisions++) {
    const decided = decide(attempted, known)
    if (!decided.after.some(({ status }) => isUnderWay(status))) {
      await keepOutcome(parts, attempted, decided.after)
    }
    if (await written(parts, decided.entry, signal)) return decided.after
    known = await parts.ledger.recipients(attempted.message)
    if (known.length === 0) return []
  }
  throw new Error('the recipients of this mail kept changing while an attempt was written down')
}

async function written({ ledger }: Parts, entry: Entry, signal: AbortSignal): Promise<boolean> {
  for (const pause of PAUSES_MS) {
    try {
      return await ledger.record(entry)
    } catch (error) {
      if (signal.aborted || !isOutage(error)) throw error
      await delay(pause, undefined, { signal })
    }
  }
  return ledger.record(entry)
}

/** No SQLSTATE of a statement that failed: the connection did. Classes 08, 53 and 57P: the server is ending or starting. */
const isOutage = (error: unknown) =>
  !/^(?!08|53|57P)[0-9A-Z]{5}$/.test((error as { code?: string } | null)?.code ?? '')

function decide(attempted: Attempted, known: readonly Recipient[]) {
  const { message, at, jobAfter } = attempted
  const open = new Set(known.filter(({ status }) => isUnderWay(status)).map(({ email }) => email))
  const ended = attempted.ended.filter(({ email }) => open.has(email))
  const after = known.map((recipient): Recipient => {
    const end = ended.find(({ email }) => email === recipient.email)
    if (end === undefined) return recipient
    const { email, status, code, detail } = end
    return { email, status, code, detail }
  })
  const entry: Entry = {
    org_id: message.org_id,
    inbox_id: message.inbox_id,
    message_id: message.id,
    at,
    known: knownOf(known),
    ended: after.filter(({ email }) => ended.some((end) => end.email === email)),
    status: summary(after.map(({ status }) => status)),
    sent_at: ended.some(({ status }) => hasLeft(status)) ? at : null,
    remote_ids: [...new Set(ended.flatMap(({ remoteId }) => remoteId ?? []))],
    events: eventsOf(message, ended, after, at),
    job: jobAfter(after),
    ...toldOutside(ended, at),
  }
  return { after, entry }
}

/** What servers of others have said: our own inboxes count for nothing here. */
function toldOutside(ended: readonly Ended[], at: Date) {
  const outside = ended.filter(({ way }) => way === 'relay' || way === 'mx')
  const refused = outside.filter(({ status }) => status === 'bounced')
  return {
    sent: outside.filter(({ status }) => hasLeft(status)).length + refused.length,
    bounced: refused.length,
    refused: refused.map(({ email, code, detail }) => ({
      email,
      detail,
      suppression_id: isUnreachable(code, detail) ? newId('sup', at) : null,
    })),
    event_id: newId('evt', at),
  }
}

function eventsOf(
  message: MailUnderWay,
  ended: readonly Ended[],
  after: readonly Recipient[],
  at: Date,
): EventRow[] {
  const about = {
    orgId: message.org_id,
    inboxId: message.inbox_id,
    threadId: message.thread_id,
    messageId: message.id,
  }
  const events: EventRow[] = []
  if (ended.some(({ status }) => isHandedOver(status))) {
    const data = { delivery: message.delivery }
    const sent = newEvent('email.sent', { ...about, data }, at)
    // Its id comes from the message's, so that the log holds it once whatever happens.
    events.push({ ...sent, id: `evt_${idSuffix(message.id)}` })
  }
  const recipients = ended.filter(({ status }) => status === 'delivered').map(({ email }) => email)
  if (recipients.length > 0) {
    events.push(newEvent('email.delivered', { ...about, data: { recipients } }, at))
  }
  const lost = ended.filter(({ status }) => isLost(status))
  for (const end of lost) {
    events.push(newEvent('email.bounced', { ...about, data: { bounce: bounceOf(end) } }, at))
  }
  const nobody = after.every(({ status }) => isLost(status))
  if (lost.length > 0 && nobody) {
    const gone = after.filter(({ status }) => isLost(status))
    const reason = gone.map(({ email, detail }) => `${email}: ${detail}`).join('; ')
    events.push(newEvent('email.failed', { ...about, data: { reason } }, at))
  }
  return events
}

const LOST: readonly RecipientStatus[] = ['bounced', 'failed', 'suppressed']
const isLost = (status: RecipientStatus) => LOST.includes(status)

const hasLeft = (status: RecipientStatus) => status === 'sent' || status === 'delivered'

const BOUNCE_TYPES: Partial<Record<RecipientStatus, string>> = {
  bounced: 'permanent',
  suppressed: 'suppressed',
}

const bounceOf = ({ status, code, detail, email }: Ended) => ({
  type: BOUNCE_TYPES[status] ?? 'transient',
  code,
  reason: detail,
  recipients: [email],
})

/**
 * Beside the bytes, so that a rebuild from the raw store knows what became of the mail. Without it a rebuild says that
 * nobody knows, and sends nothing again; the database alone keeps the mail from going out twice, so it is told in any case.
 */
async function keepOutcome(
  { blobs, log }: Parts,
  { message: { org_id, id }, at }: Attempted,
  recipients: readonly Recipient[],
): Promise<void> {
  try {
    const sidecar = await blobs.sidecar(org_id, id)
    if (sidecar === undefined) return
    const left = recipients.some(({ status }) => hasLeft(status))
    await blobs.putSidecar(org_id, id, { ...sidecar, recipients, sent_at: left ? at : null })
  } catch (error) {
    const reason = (error as Error).message
    log.error({ message_id: id, reason }, 'what became of a mail could not be kept beside it')
  }
}
