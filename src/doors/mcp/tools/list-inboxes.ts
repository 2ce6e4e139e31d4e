import { z } from 'zod'
import { listInboxes } from '../../../engine/inboxes/operations.ts'
import { reviewsWaiting } from '../../../engine/send/reviews/waiting.ts'
import { filled } from '../answer.ts'
import { listed, readCursor } from '../receipt.ts'
import { tool } from '../tool.ts'

export const listInboxesTool = tool({
  name: 'list_inboxes',
  toolset: 'mail',
  title: 'List inboxes',
  description: [
    'Your addresses, and the rules you work under: whether mail leaves this machine (outbound) and what a person must approve (agent_send_policy). Call it first.',
  ],
  scope: 'inbox:read',
  hints: { writes: false },
  input: z.strictObject({
    limit: z.int().min(1).max(100).default(50).describe('How many.'),
    cursor: z.string().optional().describe('next_cursor of the previous result.'),
  }),
  async run(call, { limit, cursor: text }) {
    const { settings } = call.engine
    const { seen, cursor } = readCursor(text)
    const page = await listInboxes.run(call.engine, call.caller, { limit, offset: 0, cursor })
    return listed(call, {
      head: {
        outbound: settings.outbound,
        agent_send_policy: settings.agentSendPolicy,
        reviews_waiting: await reviewsWaiting(call.engine, call.caller),
      },
      rows: page.data.map((inbox) => ({
        id: inbox.id,
        place: { at: new Date(inbox.created_at), id: inbox.id },
        row: filled({
          inbox_id: inbox.id,
          address: inbox.address,
          display_name: inbox.display_name && call.fence.short(inbox.display_name),
          is_active: inbox.is_active,
          send_policy: inbox.send_policy,
          thread_count: inbox.thread_count,
          unread_thread_count: inbox.unread_thread_count,
        }),
      })),
      total: page.pagination.total,
      seen,
      more: page.pagination.next_cursor !== undefined,
    })
  },
})
