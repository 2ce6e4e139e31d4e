import { z } from 'zod'
import { visibleInboxes } from '../../../engine/inboxes/find.ts'
import { listThreads } from '../../../engine/messages/operations.ts'
import { listed, readCursor } from '../receipt.ts'
import { threadLine, threadRow } from '../thread-row.ts'
import { timeOf, toSecond } from '../times.ts'
import { tool } from '../tool.ts'

/** Rows. 20 threads cost at most 2,000 tokens, which leaves 95 for each. */
const SHORT_LIST = 10

export const listThreadsTool = tool({
  name: 'list_threads',
  toolset: 'mail',
  title: 'List conversations',
  description: [
    'Conversations, newest first, one short line each. What needs an answer: waiting_on "us". Read one with get_thread_messages',
    { needs: 'search_messages', says: '; look for words with search_messages' },
    '.',
  ],
  scope: 'email:read',
  hints: { writes: false },
  input: z.strictObject({
    inbox_id: z.string().optional().describe('Inbox id or address; all your inboxes if left out.'),
    waiting_on: z
      .enum(['us', 'them'])
      .optional()
      .describe('us: their mail is the last and no automatic one. them: ours is the last.'),
    is_read: z.boolean().optional().describe('Filter.'),
    is_archived: z.boolean().optional().describe('Filter.'),
    after: z.string().optional().describe('ISO 8601, last message after.'),
    before: z.string().optional().describe('ISO 8601, last message before.'),
    limit: z.int().min(1).max(100).default(20).describe('How many.'),
    cursor: z.string().optional().describe('next_cursor of the previous result.'),
  }),
  async run(call, { cursor: text, ...filter }) {
    const { engine, caller } = call
    const { seen, cursor } = readCursor(text)
    const page = await listThreads.run(engine, caller, {
      ...filter,
      after: timeOf('after', filter.after),
      before: timeOf('before', filter.before),
      offset: 0,
      cursor,
    })
    const inboxes = await visibleInboxes(engine, caller)
    const form = {
      several: filter.inbox_id === undefined && inboxes.length > 1,
      alone: false,
      lean: page.data.length > SHORT_LIST,
      own: new Set(inboxes.map(({ address }) => address)),
    }
    return listed(call, {
      rows: page.data.map((thread) => ({
        id: thread.id,
        place: { at: new Date(thread.last_message_at), id: thread.id },
        row: threadRow(call, thread, form),
      })),
      tail: { checked_through: toSecond(call.startedAt) },
      total: page.pagination.total,
      seen,
      more: page.pagination.next_cursor !== undefined,
      line: threadLine,
    })
  },
})
