// Approving: the exact mail that a person saw goes on its way, after one more look at what may have changed meanwhile.
import type { Caller } from '../../caller.ts'
import { Conflict, Forbidden } from '../../errors.ts'
import { resolveInbox } from '../../inboxes/find.ts'
import type { MessageRow, RecipientRow } from '../../messages/message.ts'
import type { ReviewRow } from '../../messages/store.ts'
import type { Engine } from '../../ports.ts'
import { denialsOf } from '../clearance.ts'
import { deliverJobs } from '../outgoing.ts'
import type { Going } from '../schedule/let-go.ts'
import { releaseJob } from '../schedule/release.ts'
import { isUnderWay } from '../summary.ts'
import { refusalOf } from '../verdict.ts'
import { hashOf } from './hold.ts'
import { resolve } from './resolve.ts'

const SECOND_MS = 1000

interface Found {
  review: ReviewRow
  message: MessageRow
}

interface Mail {
  message: MessageRow
  recipients: readonly RecipientRow[]
}

/**
 * Lets a held mail go. Throws Forbidden for an agent and where the block-list or the inbox's send_policy has come to
 * forbid it; Conflict for another hash than the mail's, for bytes that are not those that were held, and for what
 * was decided or has expired.
 */
export async function approve(
  engine: Engine,
  caller: Caller,
  { review, message }: Found,
  sha256: string,
): Promise<void> {
  requirePerson(caller)
  requirePending(review, engine.clock.now())
  const recipients = await recipientsOf(engine, message)
  await requireSame(engine, { review, message, recipients }, sha256)
  await requireAllowed(engine, caller, message)
  const at = engine.clock.now()
  const going = goingOf(engine, { message, recipients }, at)
  if (!(await resolve(engine, { review, message, caller, at, going, status: 'approved' }))) {
    throw decided(review)
  }
  engine.jobs.wake()
}

/** What binds agents is not theirs to lift, whatever scopes a key has. */
export function requirePerson({ agent }: Caller): void {
  if (!agent) return
  throw new Forbidden(
    'A held mail waits for a person: an agent can neither approve nor reject it.',
    {
      fix: 'Tell your user which review waits; a person decides with: postroom reviews.',
    },
  )
}

/** Throws Conflict where there is nothing left to decide. */
export function requirePending(review: ReviewRow, now: Date): void {
  if (review.status !== 'pending') throw decided(review)
  if (review.expires_at > now) return
  throw new Conflict(`The review ${review.id} expired on ${review.expires_at.toISOString()}.`, {
    fix: 'Have the mail sent again: it is held anew.',
  })
}

export function decided({ id, status, resolved_by }: ReviewRow): Conflict {
  const by = resolved_by === null ? '' : ` by ${resolved_by}`
  const how = status === 'pending' ? 'decided meanwhile' : `${status}${by} already`
  return new Conflict(`The review ${id} was ${how}.`, {
    fix: 'Look at the review to see what became of the mail.',
  })
}

/** What is approved is what was seen, and what was seen is what lies in the store. */
async function requireSame(
  { blobs }: Pick<Engine, 'blobs'>,
  { review, message, recipients }: Found & Mail,
  sha256: string,
): Promise<void> {
  if (sha256.toLowerCase() !== review.sha256) {
    throw new Conflict(
      `The mail of ${review.id} has the hash ${review.sha256}, not the one given.`,
      {
        fix: 'Read the mail that waits, and approve it with its own sha256.',
        details: [{ field: 'sha256', message: 'is not the hash of the mail that waits' }],
      },
    )
  }
  const raw = await blobs.get(message.org_id, message.raw_sha256)
  const { rcpt_to } = message.envelope
  const strangers = recipients.filter(
    ({ email, status }) => isUnderWay(status) && !rcpt_to.includes(email),
  )
  if (strangers.length === 0 && hashOf({ row: message, raw }) === review.sha256) return
  throw new Conflict(
    `The mail of ${review.id} is not the one that was held: its bytes or its recipients differ.`,
    {
      fix: 'Reject it, and have the mail sent again.',
    },
  )
}

async function requireAllowed(engine: Engine, caller: Caller, message: MessageRow): Promise<void> {
  const inbox = await resolveInbox(engine, caller, message.inbox_id)
  if (!inbox.is_active) {
    throw new Conflict(`The inbox ${inbox.address} is switched off and sends nothing.`, {
      fix: `Switch it on (PATCH /v1/agent/inboxes/${inbox.id} {"is_active": true}), then approve.`,
    })
  }
  const reasons = await denialsOf(engine, {
    caller,
    inbox,
    threadId: message.thread_id,
    emails: message.envelope.rcpt_to,
  })
  if (reasons.length > 0) throw refusalOf(reasons)
}

/** The deliveries go to these rows: they are to be those of the envelope. */
function recipientsOf({ db }: Engine, { org_id, id }: MessageRow): Promise<RecipientRow[]> {
  return db.query<RecipientRow>(
    'SELECT * FROM recipients WHERE org_id = $1 AND message_id = $2 ORDER BY position',
    [org_id, id],
    'recipients_of_review',
  )
}

function goingOf({ settings }: Engine, { message: row, recipients }: Mail, now: Date): Going {
  if (row.send_at !== null && row.send_at > now) {
    return { row, status: 'scheduled', jobs: [releaseJob(row, row.send_at, now)] }
  }
  const firstWait = (settings.outboundRetrySchedule[0] ?? 0) * SECOND_MS
  const runAt = new Date(now.getTime() + firstWait)
  return {
    row,
    status: 'queued',
    jobs: deliverJobs({ row, recipients: [...recipients] }, runAt, now),
  }
}
