import { z } from 'zod'
import { visibleInboxes } from '../../../engine/inboxes/find.ts'
import { draftRow } from '../draft-row.ts'
import { listed, readCursor } from '../receipt.ts'
import { tool } from '../tool.ts'

export const listDraftsTool = tool({
  name: 'list_drafts',
  toolset: 'drafts',
  title: 'List drafts',
  description: ['Drafts and scheduled mails, newest first.'],
  scope: 'email:read',
  hints: { writes: false },
  input: z.strictObject({
    inbox_id: z.string().optional().describe('Inbox id or address; all your inboxes if left out.'),
    thread_id: z.string().optional().describe('Only of this thread.'),
    limit: z.int().min(1).max(100).default(20).describe('How many.'),
    cursor: z.string().optional().describe('next_cursor of the previous result.'),
  }),
  async run(call, { cursor: text, ...filter }) {
    const { engine, caller } = call
    const { listDrafts } = await import('../../../engine/send/drafts/operations.ts')
    const { seen, cursor } = readCursor(text)
    const wish = { ...filter, offset: 0, cursor, with_scheduled: true }
    const page = await listDrafts.run(engine, caller, wish)
    const several =
      filter.inbox_id === undefined && (await visibleInboxes(engine, caller)).length > 1
    return listed(call, {
      rows: page.data.map((draft) => ({
        id: draft.id,
        place: { at: new Date(draft.updated_at), id: draft.id },
        row: draftRow(call, draft, several),
      })),
      total: page.pagination.total,
      seen,
      more: page.pagination.next_cursor !== undefined,
    })
  },
})
