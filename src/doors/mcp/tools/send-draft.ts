import { z } from 'zod'
import { sentMail } from '../sent-mail.ts'
import { tool } from '../tool.ts'

export const sendDraftTool = tool({
  name: 'send_draft',
  toolset: 'drafts',
  title: 'Send draft',
  description: [
    'Send a draft as it stands',
    { needs: 'send_email', says: '; results as send_email' },
    '. A draft goes out once.',
  ],
  scope: 'email:send',
  hints: { writes: true, destructive: true, idempotent: true, open: true },
  input: z.strictObject({
    draft_id: z.string().describe('Draft id.'),
    if_last_message_id: z
      .string()
      .optional()
      .describe('Refuse if the thread has a newer message than this.'),
    dry_run: z.boolean().optional().describe('Only say what would happen.'),
  }),
  fields: { recipients: 'draft_id' },
  conflict: 'draft_id',
  async run(call, input) {
    const { sendDraft } = await import('../../../engine/send/drafts/operations.ts')
    const sent = await sendDraft.run(call.engine, call.caller, input)
    return { result: await sentMail(call, sent) }
  },
})
