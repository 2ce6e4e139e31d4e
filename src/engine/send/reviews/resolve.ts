// A review comes to its end: the mail goes as it was seen, or never.
import { newAudit } from '../../audit.ts'
import type { Caller } from '../../caller.ts'
import { type EventName, newEvent } from '../../events.ts'
import type { MessageRow } from '../../messages/message.ts'
import { isAboutChange, type ReviewRow } from '../../messages/store.ts'
import type { Engine } from '../../ports.ts'
import { changeOf, type Going } from '../schedule/let-go.ts'

export interface Resolution {
  review: ReviewRow
  message: MessageRow
  at: Date
  /** Absent where its time was over: nobody decided. */
  caller?: Caller
  /** How the mail goes on; absent where it never will. */
  going?: Going
  status: 'approved' | 'rejected' | 'expired'
  /** Why not; shown to whoever wrote the mail. */
  note?: string
}

/**
 * Writes the decision down: review, mail, audit and events in one statement. False: somebody decided before, and
 * nothing was done. The worker is to be woken afterwards.
 */
export async function resolve(
  { db, blobs }: Pick<Engine, 'db' | 'blobs'>,
  resolution: Resolution,
): Promise<boolean> {
  const { review, message, at, going, status, note = null } = resolution
  const detail = detailOf(resolution)
  const change = {
    org_id: review.org_id,
    id: review.id,
    sha256: review.sha256,
    status,
    at,
    by: resolution.caller?.name ?? null,
    note,
    detail,
    ...(going && { going: changeOf(going) }),
    audit: auditOf(resolution),
    events: [eventOf(resolution, detail)],
  }
  // What a rebuild would do with the mail: never too early what lets it go, never too late that it may have gone.
  if (going?.status === 'queued') await keepStatus({ blobs }, message, 'queued')
  const done = await made({ db }, change)
  if (done && going?.status === 'scheduled') await keepStatus({ blobs }, message, 'scheduled')
  if (done && going === undefined) await keepEnd({ blobs }, message, status, detail)
  return done
}

async function made({ db }: Pick<Engine, 'db'>, change: object): Promise<boolean> {
  try {
    const [row] = await db.query<{ done: boolean }>(
      'SELECT resolve_review($1) AS done',
      [JSON.stringify(change)],
      'resolve_review',
    )
    return row?.done ?? false
  } catch (error) {
    if (isAboutChange(error)) return false
    throw error
  }
}

function detailOf({ caller, status, note }: Resolution): string {
  if (status === 'expired') return 'not sent: nobody approved it in time'
  return `not sent: rejected by ${caller?.name}${note ? `: ${note}` : ''}`
}

function auditOf({ caller, review, status, at }: Resolution) {
  if (caller === undefined) return []
  const { id, message_id, inbox_id, sha256 } = review
  const action = status === 'approved' ? 'review.approved' : 'review.rejected'
  const about = { inbox_id, ids: [id, message_id], detail: { sha256 }, undoes: null }
  return [newAudit(caller, { ...about, action }, at)]
}

/** What was held and never goes has failed, for whoever waits for it. */
function eventOf({ review, message, status, caller, note, at }: Resolution, reason: string) {
  const name: EventName = status === 'approved' ? 'email.approved' : 'email.failed'
  const about = {
    orgId: review.org_id,
    inboxId: review.inbox_id,
    threadId: message.thread_id,
    messageId: message.id,
  }
  const decided = { review_id: review.id, status, ...(caller && { by: caller.name }) }
  const data =
    status === 'approved'
      ? decided
      : { ...decided, reason, ...(note === undefined ? {} : { note }) }
  return newEvent(name, { ...about, data }, at)
}

/** Beside the bytes, so that a rebuild from the raw store knows that the mail never left. */
async function keepEnd(
  { blobs }: Pick<Engine, 'blobs'>,
  { org_id, id, envelope }: MessageRow,
  status: Resolution['status'],
  detail: string,
): Promise<void> {
  const sidecar = await blobs.sidecar(org_id, id)
  const end = { status: 'cancelled' as const, code: null, detail }
  const recipients = envelope.rcpt_to.map((email) => ({ email, ...end }))
  await blobs.putSidecar(org_id, id, { ...sidecar, status, recipients, sent_at: null })
}

async function keepStatus(
  { blobs }: Pick<Engine, 'blobs'>,
  { org_id, id }: MessageRow,
  status: Going['status'],
): Promise<void> {
  const sidecar = await blobs.sidecar(org_id, id)
  await blobs.putSidecar(org_id, id, { ...sidecar, status })
}
