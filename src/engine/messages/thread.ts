// A thread: the messages of one conversation in one inbox. The row, and the thread as the outside sees it.
import { z } from 'zod'
import type { InboxId, MessageId, OrgId, ThreadId } from '../ids.ts'
import { Mailbox } from './address.ts'

export interface ThreadRow {
  org_id: OrgId
  id: ThreadId
  inbox_id: InboxId
  subject: string
  participants: Mailbox[]
  message_count: number
  is_read: boolean
  is_archived: boolean
  waiting_on: 'us' | 'them' | null
  preview: string
  /** Whose subject it has. */
  first_message_id: MessageId
  last_message_id: MessageId
  last_message_at: Date
  latest_inbound_at: Date | null
  /** True where it holds a mail that was sent by us. */
  has_outbound: boolean
  created_at: Date
  /** Threads that a person took it apart from: no mail joins them again. Some may have gone into others since. */
  kept_apart_from: ThreadId[]
}

export const Thread = z.object({
  id: z.string(),
  inbox_id: z.string(),
  subject: z.string(),
  message_count: z.number(),
  participants: z.array(Mailbox),
  is_read: z.boolean(),
  is_archived: z.boolean(),
  labels: z.array(z.string()),
  last_message_at: z.string(),
  last_message_id: z.string(),
  latest_inbound_at: z.string().nullable(),
  waiting_on: z.enum(['us', 'them']).optional(),
  created_at: z.string(),
  preview: z.string(),
})
export type Thread = z.infer<typeof Thread>

export const showThread = (row: ThreadRow): Thread => ({
  id: row.id,
  inbox_id: row.inbox_id,
  subject: row.subject,
  message_count: row.message_count,
  participants: row.participants,
  is_read: row.is_read,
  is_archived: row.is_archived,
  labels: [],
  last_message_at: row.last_message_at.toISOString(),
  last_message_id: row.last_message_id,
  latest_inbound_at: row.latest_inbound_at?.toISOString() ?? null,
  ...(row.waiting_on === null ? {} : { waiting_on: row.waiting_on }),
  created_at: row.created_at.toISOString(),
  preview: row.preview,
})

/** Characters of a thread's preview: what fits one line of a list. */
const PREVIEW_LENGTH = 200

/** The beginning of a text in one line. */
export function previewOf(text: string): string {
  const line = text
    .slice(0, PREVIEW_LENGTH * 4)
    .replace(/\s+/g, ' ')
    .trim()
  return line.length <= PREVIEW_LENGTH ? line : firstCharacters(line, PREVIEW_LENGTH)
}

/** No half of a surrogate pair is left at the end. */
function firstCharacters(text: string, count: number): string {
  let end = 0
  for (let n = 0; n < count && end < text.length; n += 1) {
    end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1
  }
  return text.slice(0, end)
}
