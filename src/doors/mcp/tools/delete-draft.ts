import { z } from 'zod'
import { tool } from '../tool.ts'

export const deleteDraftTool = tool({
  name: 'delete_draft',
  toolset: 'drafts',
  title: 'Delete draft',
  description: ['Throw a draft or a scheduled mail away.'],
  scope: 'email:write',
  hints: { writes: true, destructive: true, idempotent: true },
  input: z.strictObject({ draft_id: z.string().describe('Draft id.') }),
  conflict: 'draft_id',
  async run({ engine, caller }, input) {
    const { deleteDraft } = await import('../../../engine/send/drafts/operations.ts')
    const { id, deleted } = await deleteDraft.run(engine, caller, input)
    return { result: { draft_id: id, deleted } }
  },
})
