// Rows of mail that was sent, made again: in the thread it was sent in, with what is known of its fate.
import { idSuffix } from '../../../platform/ids.ts'
import type { ThreadId } from '../../ids.ts'
import type { MessageRow, RecipientRow } from '../../messages/message.ts'
import { emptyBatch, newThread, storeMessages, withThreadNews } from '../../messages/store.ts'
import type { Engine } from '../../ports.ts'
import { releaseJob } from '../../send/schedule/release.ts'
import { summary } from '../../send/summary.ts'
import { messageRow } from '../rows.ts'
import type { KeptMail } from './kept-mail.ts'
import { NOTHING_KNOWN } from './nothing-known.ts'

/** A review does not outlive the database, and without one nobody can say yes. */
const NEVER_APPROVED = 'not sent: the database was lost while this mail waited for a person'
const UNKNOWN_FATE =
  'The database was lost while this mail was under way; whether it left is not known.'

/** Stores one mail that was sent. It is never sent again; one that waits for its hour waits on. */
export async function storeOutbound(
  parts: Pick<Engine, 'db' | 'clock'>,
  kept: KeptMail,
): Promise<void> {
  const { sidecar, arrival } = kept
  const own: ThreadId = `thr_${idSuffix(sidecar.id)}`
  const thread = await currentThread(parts, kept, sidecar.thread_id ?? own)
  const now = parts.clock.now()
  const hour = hourOf(kept, now)
  const recipients = recipientsOf(kept, hour !== null)
  const made = rowOf(kept, thread ?? sidecar.thread_id ?? own, recipients)
  const row = hour === null ? made : { ...made, status: 'scheduled' as const }
  const batch = emptyBatch()
  if (thread === undefined) batch.threads.push(newThread(row))
  batch.messages.push(withThreadNews(row))
  batch.attachments.push(...arrival.attachments)
  batch.recipients.push(...recipients)
  if (hour !== null) batch.jobs.push(releaseJob(row, hour, now))
  const { org_id, inbox_id, thread_id, id: message_id, message_id_header: rfc_id } = row
  if (rfc_id !== null) batch.message_ids.push({ org_id, inbox_id, rfc_id, thread_id, message_id })
  await parts.db.quiet()
  if ((await storeMessages(parts, batch)) === 'stored') return
  // A mail that mentioned this one has its id in a thread of its own: the row goes in, and that tie is left.
  await storeMessages(parts, { ...batch, message_ids: [] })
}

/** The thread as it is called now; undefined where it is missing, since all else in it is lost. */
async function currentThread(
  { db }: Pick<Engine, 'db'>,
  { arrival }: KeptMail,
  threadId: ThreadId,
): Promise<ThreadId | undefined> {
  const [found] = await db.query<{ id: ThreadId }>(
    `SELECT id FROM threads WHERE org_id = $1 AND id = coalesce(
       (SELECT into_id FROM thread_redirects WHERE org_id = $1 AND id = $2), $2)`,
    [arrival.inbox.org_id, threadId],
  )
  return found?.id
}

function rowOf(
  { sidecar, arrival }: KeptMail,
  thread_id: ThreadId,
  recipients: readonly RecipientRow[],
): MessageRow {
  const text = arrival.parsed.read.text_body
  return {
    ...messageRow(arrival, { kind: 'new' }, NOTHING_KNOWN),
    thread_id,
    direction: 'outbound',
    status: endOf(sidecar) ?? summary(recipients.map(({ status }) => status)),
    delivery: sidecar.delivery,
    bcc: sidecar.bcc,
    reply_to: sidecar.reply_to,
    // What an agent wrote is its own: there is nothing to fold, and no code or flag to find.
    new_text: sidecar.new_text ?? null,
    text_body: text,
    quoted: sidecar.quoted,
    hidden_text_removed: 0,
    codes: [],
    links: [],
    match_method: sidecar.match?.method ?? 'explicit',
    match_evidence: sidecar.match?.evidence ?? null,
    auto_reply: null,
    bounce: null,
    sender_flags: [],
    by_agent: sidecar.by_agent,
    key_id: sidecar.key_id,
    send_at: sidecar.send_at,
    citations: sidecar.citations,
    sent_at: sidecar.sent_at ?? null,
  }
}

/** Of mail that waited for a person and never went. */
function endOf({ status }: KeptMail['sidecar']): MessageRow['status'] | undefined {
  if (status === 'rejected' || status === 'expired') return status
  return status === 'pending_review' ? 'expired' : undefined
}

/** When a mail goes that surely has not gone: nobody held it, called it off or let it go before its hour. */
function hourOf({ sidecar }: KeptMail, now: Date): Date | null {
  const { status, send_at, recipients } = sidecar
  if (status !== 'scheduled' || recipients !== undefined) return null
  return send_at !== null && send_at > now ? send_at : null
}

function recipientsOf({ sidecar, arrival }: KeptMail, waits: boolean): RecipientRow[] {
  const { envelope, delivery, received_at } = sidecar
  return envelope.rcpt_to.map((email, position) => {
    const known = sidecar.recipients?.find((one) => one.email === email)
    const dryRun = { status: 'dry_run' as const, code: null, detail: null }
    const queued = { status: 'queued' as const, code: null, detail: null }
    const lost =
      sidecar.status === 'pending_review'
        ? { status: 'cancelled' as const, code: null, detail: NEVER_APPROVED }
        : { status: 'failed' as const, code: null, detail: UNKNOWN_FATE }
    return {
      org_id: arrival.inbox.org_id,
      message_id: sidecar.id,
      email,
      position,
      ...(known ?? (waits ? queued : delivery === 'dry-run' ? dryRun : lost)),
      updated_at: received_at,
    }
  })
}
