// Taking a mail: answered if it was taken before, else prepared, judged, and stored as one that goes, waits for its hour or waits for a person.
import { createHash } from 'node:crypto'
import type { Caller } from '../caller.ts'
import { Conflict, Refusal } from '../errors.ts'
import { showMessage } from '../messages/message.ts'
import { type Batch, type Conditions, noConditions, storeMessages } from '../messages/store.ts'
import type { Engine } from '../ports.ts'
import { alreadySent, type DraftVersion } from './drafts/already-sent.ts'
import { judgedBy, verdictOn, wouldHaveBeen } from './judge.ts'
import { stillLast } from './moved.ts'
import { batchOf, type Outgoing, sidecarOf } from './outgoing.ts'
import { type Prepared, prepare } from './prepare.ts'
import { refuseReadOnly } from './read-only.ts'
import { answeredBefore, keptAnswer } from './repeat/answered-before.ts'
import type { RepeatKey } from './repeat/key.ts'
import { hold } from './reviews/hold.ts'
import { redated } from './schedule/date-field.ts'
import { releaseJob } from './schedule/release.ts'
import { readSendAt } from './schedule/send-at.ts'
import type { Held, Judged, SentMessage } from './sent.ts'
import { refusalOf } from './verdict.ts'
import type { MessageInput } from './written.ts'

/**
 * How often a mail is prepared again after its thread, inbox or a cap has changed meanwhile. Of agents that write in one
 * thread at the same time one wins at each turn, and ten win in an hour: the others are to hear why they did not.
 */
const MAX_DECISIONS = 20

export interface Submission {
  mail: MessageInput
  /** ISO 8601. */
  sendAt?: string | undefined
  /** The newest message of the thread that the sender has read. */
  ifLastMessageId?: string | undefined
  repeat?: RepeatKey | undefined
  /** The draft that the mail is made of, as it was read. */
  draft?: DraftVersion | undefined
}

/** Stores the mail and wakes the worker. The refusals are those of `sendMessage`. */
export async function submit(
  engine: Engine,
  caller: Caller,
  submission: Submission,
): Promise<SentMessage | Held> {
  refuseReadOnly(engine)
  for (let decisions = 0; decisions < MAX_DECISIONS; decisions++) {
    const before = await takenBefore(engine, caller, submission)
    if (before !== undefined) return before
    const attempt = await attempted(engine, caller, submission)
    if (attempt.kind === 'taken') return attempt.answer
    if (attempt.kind === 'moved') continue
    // What stands against it may be its own twin, which was taken since: a cap that is reached, a thread that moved.
    const twin = await takenBefore(engine, caller, submission)
    if (twin === undefined) throw attempt.error
    return twin
  }
  throw new Conflict('The thread kept changing while the mail was stored.', {
    fix: 'Send the same request again.',
  })
}

type Attempt =
  | { kind: 'taken'; answer: SentMessage | Held }
  /** What it was decided on has changed: decide again. */
  | { kind: 'moved' }
  | { kind: 'refused'; error: Refusal }

async function attempted(engine: Engine, caller: Caller, submission: Submission): Promise<Attempt> {
  try {
    const { prepared, last } = await decide(engine, caller, submission)
    const { outgoing, batch, answer } = taken(engine, prepared)
    batch.conditions = withConditions(batch.conditions, { ...submission, outgoing, answer, last })
    if (!(await stored(engine, outgoing, batch))) return { kind: 'moved' }
    engine.jobs.wake()
    return { kind: 'taken', answer }
  } catch (error) {
    if (error instanceof Refusal) return { kind: 'refused', error }
    throw error
  }
}

async function takenBefore(engine: Engine, caller: Caller, { repeat, draft }: Submission) {
  if (repeat !== undefined) return answeredBefore(engine, caller, repeat)
  return draft && alreadySent(engine, caller, draft)
}

/**
 * What would become of the mail, with every reason; nothing is stored. Refusals that are about the mail as things
 * stand (403, 409, 422, 429) are a verdict; wrong input, what is not there and a thread that moved stay errors.
 */
export async function judge(
  engine: Engine,
  caller: Caller,
  submission: Submission,
): Promise<Judged> {
  try {
    refuseReadOnly(engine)
    const { verdict } = (await decide(engine, caller, submission)).prepared
    return judgedBy(verdict)
  } catch (error) {
    const judged = verdictOn(error)
    if (judged === undefined) throw error
    return judged
  }
}

/** Everything that is looked up and composed. */
async function decide(engine: Engine, caller: Caller, submission: Submission) {
  const now = engine.clock.now()
  const sendAt = submission.sendAt === undefined ? null : readSendAt(submission.sendAt, now)
  const prepared = await prepare(engine, caller, submission.mail)
  const last = await stillLast(engine, caller, prepared.row, submission.ifLastMessageId)
  return { prepared: sendAt === null ? prepared : forLater(prepared, sendAt), last }
}

/** The same mail for another hour, which is its Date too. */
function forLater(prepared: Prepared, sendAt: Date): Prepared {
  const raw = redated(prepared.raw, sendAt)
  const raw_sha256 = createHash('sha256').update(raw).digest('hex')
  const row = { ...prepared.row, status: 'scheduled' as const, send_at: sendAt }
  return { ...prepared, raw, row: { ...row, raw_sha256, size: raw.length } }
}

interface Taken {
  outgoing: Outgoing
  batch: Batch
  answer: SentMessage | Held
}

/** How it is stored. Throws the refusal of a mail that may not go. */
function taken({ settings }: Engine, prepared: Prepared): Taken {
  const { verdict, conditions, ...outgoing } = prepared
  if (verdict.kind === 'deny') throw refusalOf(verdict.reasons)
  const { row } = outgoing
  const batch: Batch = { ...batchOf(outgoing, settings), conditions }
  if (row.send_at !== null) batch.jobs = [releaseJob(row, row.send_at, row.created_at)]
  if (verdict.kind === 'allow') {
    const { reasons } = verdict
    const also = { ...wouldHaveBeen(verdict), ...(reasons && { reasons }) }
    return { outgoing, batch, answer: { ...messageAnswer(outgoing), ...also } }
  }
  const held = hold(batch, outgoing, verdict.reasons, settings)
  const answer: Held = {
    id: row.id,
    message_id: row.id,
    thread_id: row.thread_id,
    review_id: held.review.id,
    status: 'pending_review',
    reasons: verdict.reasons,
    expires_at: held.review.expires_at.toISOString(),
  }
  const waiting = { ...outgoing, row: { ...row, status: 'pending_review' as const } }
  return { outgoing: waiting, batch: held.batch, answer }
}

/** In dry-run nothing waits for a person; the answer says what would have. */
const messageAnswer = ({ row, attachments, recipients }: Outgoing): SentMessage => ({
  ...showMessage(row, attachments, recipients),
  message_id: row.id,
})

interface Bound extends Submission {
  outgoing: Outgoing
  answer: SentMessage | Held
  last: Conditions['threads']
}

function withConditions(
  known: Conditions = noConditions(),
  { outgoing: { row }, answer, last, repeat, draft }: Bound,
): Conditions {
  const { org_id: orgId, inbox_id: inboxId, created_at: at, id: message_id } = row
  const sent = draft && { ...draft, message_id }
  return {
    ...known,
    threads: [...known.threads, ...last],
    idempotency: repeat ? [keptAnswer(repeat, { orgId, inboxId, answer }, at)] : [],
    drafts: sent ? [sent] : [],
  }
}

async function stored(engine: Engine, outgoing: Outgoing, batch: Batch): Promise<boolean> {
  const { row, raw } = outgoing
  // Bytes and sidecar first: a row never points at what a power cut could take.
  await Promise.all([
    engine.blobs.put(row.org_id, row.raw_sha256, raw),
    engine.blobs.putSidecar(row.org_id, row.id, sidecarOf(outgoing)),
  ])
  if ((await storeMessages(engine, batch)) === 'stored') return true
  await engine.blobs.removeSidecar(row.org_id, row.id)
  return false
}
