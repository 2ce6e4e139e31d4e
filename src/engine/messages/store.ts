// Storing mail: whatever belongs to it goes in with one statement, all or nothing.

import type { EventRow } from '../events.ts'
import { newEvent } from '../events.ts'
import type { DraftId, InboxId, MessageId, OrgId, ReviewId, ThreadId } from '../ids.ts'
import type { JobRow } from '../jobs/job.ts'
import type { Engine } from '../ports.ts'
import { distinct, type Mailbox, withoutReplyTag } from './address.ts'
import type { AttachmentRow, MessageRow, RecipientRow } from './message.ts'
import { begunWith, newsOf, type ThreadNews } from './news.ts'
import { previewOf, type ThreadRow } from './thread.ts'

/** A message with what its thread learns from it. */
export interface NewMessage {
  row: MessageRow
  participants: Mailbox[]
  preview: string
  waiting_on: ThreadRow['waiting_on']
  /** Makes its thread unread, and takes it out of the archive. */
  is_news: boolean
}

export interface MessageIdRow {
  org_id: OrgId
  inbox_id: InboxId
  rfc_id: string
  thread_id: ThreadId
  /** Null: the id was mentioned by a mail of the thread, and its own mail has not come. */
  message_id: MessageId | null
}

/** Threads that turned out to be one: `from_ids` go into `into_id`. */
export interface Merge {
  org_id: OrgId
  into_id: ThreadId
  from_ids: ThreadId[]
}

export interface SeenRow {
  org_id: OrgId
  inbox_id: InboxId
  hash: string
  message_id: MessageId
  expires_at: Date
}

/** Under an Idempotency-Key: what was asked, and what was answered. */
export interface IdempotencyRow {
  org_id: OrgId
  route: string
  key: string
  inbox_id: InboxId
  body_sha256: string
  /** JSON, as it was given. */
  answer: string
  expires_at: Date
  /** Now: an expired row may be written over. */
  at: Date
}

export interface ReviewRow {
  org_id: OrgId
  id: ReviewId
  inbox_id: InboxId
  message_id: MessageId
  /** Of envelope and bytes: what a person approves, and nothing else. */
  sha256: string
  status: 'pending' | 'approved' | 'rejected' | 'expired'
  reasons: object[]
  expires_at: Date
  resolved_at: Date | null
  resolved_by: string | null
  note: string | null
  created_at: Date
}

/** What must still be true when a mail on its way out is stored, and is written together with it. */
export interface Conditions {
  /** Threads that must still end with the message named. */
  threads: { org_id: OrgId; id: ThreadId; last_message_id: MessageId }[]
  /** Threads in which these must still be the newest sends of agents, newest first, as `agent_sends` lists them. */
  agent_sends: { org_id: OrgId; thread_id: ThreadId; known: MessageId[] }[]
  idempotency: IdempotencyRow[]
  /** Each is raised by `added`; none may come to more than `most`. */
  counters: { org_id: OrgId; counter: string; starts_at: Date; added: number; most: number }[]
  /** Drafts that go out with this mail, unchanged since `updated_at` and never sent before. */
  drafts: { org_id: OrgId; id: DraftId; updated_at: Date; message_id: MessageId }[]
  reviews: ReviewRow[]
}

export const noConditions = (): Conditions => ({
  threads: [],
  agent_sends: [],
  idempotency: [],
  counters: [],
  drafts: [],
  reviews: [],
})

export interface Batch {
  merges: Merge[]
  messages: NewMessage[]
  threads: ThreadRow[]
  message_ids: MessageIdRow[]
  seen: SeenRow[]
  attachments: AttachmentRow[]
  recipients: RecipientRow[]
  events: EventRow[]
  jobs: JobRow[]
  /** Absent: none. */
  conditions?: Conditions
}

export const emptyBatch = (): Batch => ({
  merges: [],
  messages: [],
  threads: [],
  message_ids: [],
  seen: [],
  attachments: [],
  recipients: [],
  events: [],
  jobs: [],
})

/** SQLSTATEs after which looking up and deciding again is the answer: ours, unique violation, deadlock, serialization. */
const DECIDE_AGAIN = ['PR001', '23505', '40P01', '40001']

/**
 * Stores a batch of mail. `moved`: nothing was stored, since what the batch was decided on has changed
 * meanwhile (the same mail came in twice at once, a thread or inbox went away): look up and decide again.
 */
export async function storeMessages(
  { db }: Pick<Engine, 'db'>,
  batch: Batch,
): Promise<'stored' | 'moved'> {
  try {
    await db.urgent('SELECT store_messages($1)', [JSON.stringify(asRows(batch))], 'store_messages')
    return 'stored'
  } catch (error) {
    if (isAboutChange(error)) return 'moved'
    throw error
  }
}

/** Threads that begin here are written as they will be; those that were there learn their news. */
function asRows(batch: Batch) {
  const { threads, ...rest } = batch
  const begun = new Map(threads.map((thread) => [`${thread.org_id} ${thread.id}`, thread]))
  const news = newsOf(batch.messages)
  const beginning = (one: ThreadNews) => begun.get(`${one.org_id} ${one.thread_id}`)
  return {
    ...rest,
    messages: batch.messages.map(({ row }) => row),
    threads: news.flatMap((one) => {
      const thread = beginning(one)
      return thread === undefined ? [] : [begunWith(thread, one)]
    }),
    news: news.filter((one) => beginning(one) === undefined),
  }
}

/** Whether a statement failed since what it was decided on has changed. */
export const isAboutChange = (error: unknown): boolean =>
  DECIDE_AGAIN.includes((error as { code?: string } | null)?.code ?? '')

/**
 * What a message tells its thread: who takes part, and whose turn it is now.
 * @param isNews false: it came long ago and is known
 */
export function withThreadNews(row: MessageRow, isNews = true): NewMessage {
  const people = [...(row.from ? [row.from] : []), ...row.to, ...row.cc]
  return {
    row,
    participants: distinct(people.map(withoutReplyTag)),
    preview: previewOf(row.text_body),
    waiting_on: waitingOn(row),
    is_news: isNews && row.direction === 'inbound',
  }
}

function waitingOn(row: MessageRow): ThreadRow['waiting_on'] {
  if (row.direction === 'outbound') return 'them'
  return row.auto_reply === null ? 'us' : null
}

/** A thread that begins with this message, still without it: storing the message counts it in. */
export const newThread = (first: MessageRow): ThreadRow => ({
  org_id: first.org_id,
  id: first.thread_id,
  inbox_id: first.inbox_id,
  subject: first.subject,
  participants: [],
  message_count: 0,
  is_read: true,
  is_archived: false,
  waiting_on: null,
  preview: '',
  first_message_id: first.id,
  last_message_id: first.id,
  last_message_at: first.created_at,
  latest_inbound_at: null,
  has_outbound: false,
  created_at: first.created_at,
  kept_apart_from: [],
})

export const threadCreated = (first: MessageRow): EventRow =>
  newEvent(
    'thread.created',
    {
      orgId: first.org_id,
      inboxId: first.inbox_id,
      threadId: first.thread_id,
      messageId: first.id,
    },
    first.created_at,
  )
