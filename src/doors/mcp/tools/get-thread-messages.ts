import { z } from 'zod'
import { ValidationFailed } from '../../../engine/errors.ts'
import { findThread } from '../../../engine/messages/load.ts'
import { getMessage } from '../../../engine/messages/operations.ts'
import { showThread } from '../../../engine/messages/thread.ts'
import { costOf, filled, type JsonObject } from '../answer.ts'
import { leanRow } from '../lean.ts'
import { newestMessages } from '../newest-messages.ts'
import { readCursor, receiptOf } from '../receipt.ts'
import { threadRow } from '../thread-row.ts'
import { toSecond } from '../times.ts'
import { type Call, tool } from '../tool.ts'

/** Of the receipt with a cursor, and the notes. */
const RECEIPT_TOKENS = 170
/** Of the budget that the thread's own row may take; the messages are what was asked for. */
const HEAD_SHARE = 0.25
const FORM = { several: true, alone: true, lean: false, own: new Set<string>() }

export const getThreadMessagesTool = tool({
  name: 'get_thread_messages',
  toolset: 'mail',
  title: 'Read a conversation',
  description: [
    'The messages of a thread, oldest first',
    { needs: 'get_thread_messages.include_quoted', says: ', quoted history folded away' },
    '. If they do not fit max_tokens the oldest are left out and the receipt says so. Read before you answer.',
    { needs: 'get_message', says: ' One long message: get_message.' },
  ],
  scope: 'email:read',
  hints: { writes: false },
  input: z.strictObject({
    thread_id: z.string().describe('Thread id.'),
    max_tokens: z.int().min(500).max(20000).default(6000).describe('Budget for the result.'),
    include_quoted: z.boolean().optional().describe('Show quoted history too.'),
    after_message_id: z.string().optional().describe('Only what came after this message.'),
    cursor: z.string().optional().describe('next_cursor of the previous result.'),
  }),
  async run(call, { thread_id, max_tokens, include_quoted, after_message_id, cursor }) {
    const { engine, caller } = call
    const thread = showThread(await findThread(engine, caller, thread_id))
    const after =
      after_message_id === undefined
        ? undefined
        : await startAfter(call, thread_id, after_message_id)
    const head = { thread: headWithin(threadRow(call, thread, FORM), max_tokens * HEAD_SHARE) }
    const evidence = filled({
      last_message_id: thread.last_message_id,
      latest_inbound_at: thread.latest_inbound_at && toSecond(thread.latest_inbound_at),
      checked_through: toSecond(call.startedAt),
    })
    const budget = max_tokens - costOf({ ...head, ...evidence }) - RECEIPT_TOKENS
    const page = await newestMessages(call, {
      threadId: thread_id,
      after,
      budget,
      shown: { quoted: include_quoted ?? false },
      ...readCursor(cursor),
    })
    const receipt = receiptOf(call, page)
    return { result: { ...head, messages: page.rows, ...evidence, receipt } }
  },
})

/** What stands below the messages again goes before anything else is cut. */
function headWithin(thread: JsonObject, budget: number): JsonObject {
  if (costOf(thread) <= budget) return thread
  const { last_message_id: _, latest_inbound_at: __, ...rest } = thread
  return leanRow(rest, budget)
}

async function startAfter({ engine, caller }: Call, threadId: string, messageId: string) {
  const message = await getMessage.run(engine, caller, { message_id: messageId })
  if (message.thread_id === threadId) return message
  throw new ValidationFailed([
    { field: 'after_message_id', message: `is of another thread, ${message.thread_id}` },
  ])
}
