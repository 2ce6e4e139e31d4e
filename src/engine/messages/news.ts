// What the messages of a batch tell their threads, folded to one row a thread before it goes to the database. Pure.
import type { InboxId, MessageId, OrgId, ThreadId } from '../ids.ts'
import { distinct, type Mailbox } from './address.ts'
import type { NewMessage } from './store.ts'
import type { ThreadRow } from './thread.ts'
import { NOT_GONE } from './waiting.ts'

/** One row for all that joins a thread at once. What is null is left as it is. */
export interface ThreadNews {
  org_id: OrgId
  inbox_id: InboxId
  thread_id: ThreadId
  added: number
  participants: Mailbox[]
  inbound_at: Date | null
  outbound: boolean
  is_news: boolean
  earliest_at: Date | null
  earliest_id: MessageId | null
  earliest_subject: string | null
  newest_at: Date | null
  newest_id: MessageId | null
  preview: string | null
  waiting_on: ThreadRow['waiting_on']
}

/** As `merge_participants` has it. */
const MAX_PARTICIPANTS = 1_000

/** The news of each thread, in the order in which the threads come up. */
export function newsOf(messages: readonly NewMessage[]): ThreadNews[] {
  const threads = new Map<string, NewMessage[]>()
  for (const message of messages) {
    const key = `${message.row.org_id} ${message.row.thread_id}`
    const others = threads.get(key)
    if (others === undefined) threads.set(key, [message])
    else others.push(message)
  }
  return [...threads.values()].map(folded)
}

/** Mail that waits, or never went, is counted, and says nothing else: nobody outside has heard of it. */
function folded(messages: readonly NewMessage[]): ThreadNews {
  const [{ row }] = messages as [NewMessage]
  const { org_id, inbox_id, thread_id } = row
  const gone = messages.filter(({ row: { status } }) => !NOT_GONE.includes(status))
  const inOrder = gone.toSorted(byAge)
  const [earliest] = inOrder
  const newest = inOrder.at(-1)
  return {
    org_id,
    inbox_id,
    thread_id,
    added: messages.length,
    participants: distinct(gone.flatMap(({ participants }) => participants)),
    inbound_at: inOrder.findLast(({ row }) => row.direction === 'inbound')?.row.created_at ?? null,
    outbound: inOrder.some(({ row }) => row.direction === 'outbound'),
    is_news: inOrder.some(({ is_news }) => is_news),
    earliest_at: earliest?.row.created_at ?? null,
    earliest_id: earliest?.row.id ?? null,
    earliest_subject: earliest?.row.subject ?? null,
    newest_at: newest?.row.created_at ?? null,
    newest_id: newest?.row.id ?? null,
    preview: newest?.preview ?? null,
    waiting_on: newest?.waiting_on ?? null,
  }
}

/** A thread that begins with these messages: it is written once, and not touched again. */
export const begunWith = (thread: ThreadRow, news: ThreadNews): ThreadRow => ({
  org_id: thread.org_id,
  id: thread.id,
  inbox_id: thread.inbox_id,
  subject: news.earliest_subject ?? thread.subject,
  participants: news.participants.slice(0, MAX_PARTICIPANTS),
  message_count: news.added,
  is_read: !news.is_news,
  is_archived: thread.is_archived,
  waiting_on: news.waiting_on,
  preview: news.preview ?? thread.preview,
  first_message_id: news.earliest_id ?? thread.first_message_id,
  last_message_id: news.newest_id ?? thread.last_message_id,
  last_message_at: news.newest_at ?? thread.last_message_at,
  latest_inbound_at: news.inbound_at,
  has_outbound: news.outbound,
  created_at: news.earliest_at ?? thread.created_at,
  kept_apart_from: thread.kept_apart_from,
})

const byAge = ({ row: a }: NewMessage, { row: b }: NewMessage) =>
  a.created_at.getTime() - b.created_at.getTime() || (a.id < b.id ? -1 : 1)
