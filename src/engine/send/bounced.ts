// A report came in on a mail of ours: what it says of the recipients becomes their state.
import { idSuffix, newId } from '../../platform/ids.ts'
import { mailboxKey } from '../addresses.ts'
import { newEvent } from '../events.ts'
import type { OrgId } from '../ids.ts'
import { withoutTag } from '../inboxes/find.ts'
import type { JobHandler } from '../jobs/handler.ts'
import type { Bounce, MessageRow } from '../messages/message.ts'
import type { Engine } from '../ports.ts'
import { createLedger, type Entry, knownOf, type Ledger, type Recipient } from './ledger.ts'
import { type RecipientStatus, summary } from './summary.ts'
import { isUnreachable } from './suppressions/never-again.ts'

/** The job { message_id } that a bounce brings: `message_id` is the report's. */
export const BOUNCED_JOB = 'send.bounced'

type Failure = Bounce['recipients'][number]
type Parts = Pick<Engine, 'db' | 'clock'>

/** Other reports, and attempts, end meanwhile; each time one of them has made progress. */
const MAX_DECISIONS = 200
/** Bounced before, or never written to: what a report says of these is known, or made up. */
const AS_THEY_ARE: readonly RecipientStatus[] = ['bounced', 'suppressed', 'cancelled']

/** Safe to repeat: a recipient bounces once, and the event has the report's own suffix. */
export function recordBounce(engine: Parts): JobHandler {
  const parts = { ...engine, ledger: createLedger(engine) }
  return async ({ orgId, payload }) => {
    const report = await messageOf(engine, orgId, String(payload.message_id))
    const ours = report?.bounce?.message_id
    const original = ours ? await messageOf(engine, orgId, ours) : undefined
    if (report?.bounce && original?.direction === 'outbound') await record(parts, report, original)
    return { kind: 'done' }
  }
}

/** Decided on what is known of the recipients, and written where that still holds; else decided again. */
async function record(
  { clock, ledger }: Parts & { ledger: Ledger },
  report: MessageRow,
  ours: MessageRow,
): Promise<void> {
  for (let decisions = 0; decisions < MAX_DECISIONS; decisions++) {
    const recipients = await ledger.recipients(ours)
    const failed = failedAmong(recipients, report.bounce?.recipients ?? [])
    if (failed.length === 0) return
    // What our own inboxes say tells nothing about how the world takes our mail.
    const found = await ledger.inboxes(failed.map(({ email }) => email))
    const local = new Set(found.map(({ address }) => address))
    const bounced = failed.filter(({ email }) => !local.has(withoutTag(email))).length
    const decided = { report, ours, recipients, failed, bounced, now: clock.now() }
    if (await ledger.record(entryOf(decided))) return
  }
  throw new Error('the recipients of this mail kept changing while a report was written down')
}

/** Only recipients of that very mail: a forged report silences nobody it was not sent to. */
function failedAmong(recipients: readonly Recipient[], named: readonly Failure[]): Failure[] {
  return recipients.flatMap(({ email, status }) => {
    if (AS_THEY_ARE.includes(status)) return []
    const failure = named.find(
      (one) => one.permanent && mailboxKey(one.email) === mailboxKey(email),
    )
    return failure === undefined ? [] : [{ ...failure, email }]
  })
}

interface Decided {
  report: MessageRow
  ours: MessageRow
  recipients: readonly Recipient[]
  failed: readonly Failure[]
  /** How many of them are not ours. */
  bounced: number
  now: Date
}

function entryOf({ report, ours, recipients, failed, bounced, now }: Decided): Entry {
  const ended = failed.map(({ email, code, status, reason }) => {
    const detail = [status, reason].filter(Boolean).join(' ')
    return { email, status: 'bounced' as const, code, detail }
  })
  const emails = failed.map(({ email }) => email)
  const after = recipients.map((one) => (emails.includes(one.email) ? 'bounced' : one.status))
  return {
    org_id: ours.org_id,
    inbox_id: ours.inbox_id,
    message_id: ours.id,
    at: now,
    known: knownOf(recipients),
    ended,
    status: summary(after),
    sent_at: null,
    remote_ids: [],
    events: [eventOf(report, ours, failed, now)],
    job: null,
    sent: 0,
    bounced,
    refused: ended.map(({ email, code, detail }) => ({
      email,
      detail,
      suppression_id: isUnreachable(code, detail) ? newId('sup', now) : null,
    })),
    event_id: newId('evt', now),
  }
}

function eventOf(report: MessageRow, ours: MessageRow, failed: readonly Failure[], now: Date) {
  const [first] = failed
  const bounce = {
    type: 'permanent',
    code: first?.code ?? null,
    reason: first?.reason ?? null,
    recipients: failed.map(({ email }) => email),
  }
  const about = {
    orgId: ours.org_id,
    inboxId: ours.inbox_id,
    threadId: ours.thread_id,
    messageId: ours.id,
    data: { bounce },
  }
  return { ...newEvent('email.bounced', about, now), id: `evt_${idSuffix(report.id)}` }
}

async function messageOf({ db }: Parts, orgId: OrgId, id: string): Promise<MessageRow | undefined> {
  const [row] = await db.query<MessageRow>('SELECT * FROM messages WHERE org_id = $1 AND id = $2', [
    orgId,
    id,
  ])
  return row
}
