// What the messages of a batch tell their threads, folded to one row a thread before it goes to the database. Pure.
import type { InboxId, MessageId, OrgId, ThreadId } from '../ids.ts'
import { distinct, type Mailbox } from './address.ts'
import type { NewMessage } from './store.ts'
import type { ThreadRow } from './thread.ts'

/** One row for all that joins a thread at once. */
export interface ThreadNews {
  org_id: OrgId
  inbox_id: InboxId
  thread_id: ThreadId
  added: number
  participants: Mailbox[]
  inbound_at: Date | null
  outbound: boolean
  is_news: boolean
  earliest_at: Date
  earliest_subject: string
  newest_at: Date
  newest_id: MessageId
  preview: string
  waiting_on: ThreadRow['waiting_on']
}

/** The news of each thread, in the order in which the threads come up. */
export function newsOf(messages: readonly NewMessage[]): ThreadNews[] {
  const threads = new Map<string, NewMessage[]>()
  for (const message of messages) {
    const key = `${message.org_id} ${message.thread_id}`
    const others = threads.get(key)
    if (others === undefined) threads.set(key, [message])
    else others.push(message)
  }
  return [...threads.values()].map(folded)
}

function folded(messages: readonly NewMessage[]): ThreadNews {
  const inOrder = messages.toSorted(byAge)
  const [earliest] = inOrder as [NewMessage]
  const newest = inOrder.at(-1) as NewMessage
  return {
    org_id: newest.org_id,
    inbox_id: newest.inbox_id,
    thread_id: newest.thread_id,
    added: messages.length,
    participants: distinct(messages.flatMap(({ participants }) => participants)),
    inbound_at: inOrder.findLast(({ direction }) => direction === 'inbound')?.created_at ?? null,
    outbound: messages.some(({ direction }) => direction === 'outbound'),
    is_news: messages.some(({ is_news }) => is_news),
    earliest_at: earliest.created_at,
    earliest_subject: earliest.subject,
    newest_at: newest.created_at,
    newest_id: newest.id,
    preview: newest.preview,
    waiting_on: newest.waiting_on,
  }
}

/** A thread that begins with these messages: it is written once, and not touched again. */
export const begunWith = (thread: ThreadRow, news: ThreadNews): ThreadRow => ({
  ...thread,
  subject: news.earliest_subject,
  participants: news.participants,
  message_count: news.added,
  is_read: !news.is_news,
  waiting_on: news.waiting_on,
  preview: news.preview,
  last_message_id: news.newest_id,
  last_message_at: news.newest_at,
  latest_inbound_at: news.inbound_at,
  has_outbound: news.outbound,
  created_at: news.earliest_at,
})

const byAge = (a: NewMessage, b: NewMessage) =>
  a.created_at.getTime() - b.created_at.getTime() || (a.id < b.id ? -1 : 1)
