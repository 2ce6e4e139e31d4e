// The log of what happened. Every state change writes its event in the same transaction, and readers follow the log in commit order.
import { newId } from '../platform/ids.ts'
import type { EventId, InboxId, MessageId, OrgId, ThreadId } from './ids.ts'
import type { Engine } from './ports.ts'

export const EVENT_NAMES = [
  'thread.created',
  'thread.merged',
  'thread.split',
  'email.received',
  'email.sent',
  'email.delivered',
  'email.bounced',
  'email.failed',
  'email.pending_review',
  'email.approved',
  'email.complained',
  'email.unsubscribed',
  'inbox.sending_stopped',
  'inbox.sending_resumed',
  'document.ready',
  'document.failed',
  'domain.verified',
] as const
export type EventName = (typeof EVENT_NAMES)[number]

export interface EventRow {
  org_id: OrgId
  id: EventId
  event: EventName
  inbox_id: InboxId | null
  thread_id: ThreadId | null
  message_id: MessageId | null
  /** What the ids do not say; small. */
  data: Record<string, unknown>
  created_at: Date
}

/** An event of the log, ready to be stored with the change that it tells of. */
export function newEvent(
  event: EventName,
  about: {
    orgId: OrgId
    inboxId: InboxId | null
    threadId?: ThreadId
    messageId?: MessageId
    data?: Record<string, unknown>
  },
  now: Date,
): EventRow {
  return {
    org_id: about.orgId,
    id: newId('evt', now),
    event,
    inbox_id: about.inboxId,
    thread_id: about.threadId ?? null,
    message_id: about.messageId ?? null,
    data: about.data ?? {},
    created_at: now,
  }
}

/** Before anybody reads the log: counts it anew where it comes from another server. */
export async function adoptEvents({ db, log }: Pick<Engine, 'db' | 'log'>): Promise<void> {
  const [row] = await db.query<{ adopted: boolean }>('SELECT adopt_events() AS adopted')
  if (!row?.adopted) return
  log.info({}, 'the database comes from another server: its event log was counted anew')
}
