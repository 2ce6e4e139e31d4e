import { z } from 'zod'
import { operationInput } from '../arguments.ts'
import { judgedDraft } from '../draft-row.ts'
import { hourOf, mailAliases, mailFields, mailInstead } from '../mail-fields.ts'
import { tool } from '../tool.ts'

export const updateDraftTool = tool({
  name: 'update_draft',
  toolset: 'drafts',
  title: 'Change draft',
  description: [
    'Change the fields given; "" or [] empties one. The kind (new, reply, forward) stays.',
  ],
  scope: 'email:write',
  hints: { writes: true, idempotent: true },
  input: z.strictObject({
    draft_id: z.string().describe('Draft id.'),
    to: mailFields.to.describe('As in send_email.'),
    cc: mailFields.cc,
    bcc: mailFields.bcc,
    subject: mailFields.subject.describe('Subject.'),
    text_body: mailFields.text_body.describe('Plain text.'),
    markdown_body: mailFields.markdown_body.describe('Markdown.'),
    attachment_ids: mailFields.attachment_ids.describe('All ids, replacing the old ones.'),
    citations: mailFields.citations.describe('chunk_ids.'),
    send_at: mailFields.send_at.describe('ISO 8601 UTC; "" unschedules.'),
  }),
  aliases: mailAliases,
  instead: mailInstead,
  fields: { recipients: 'to' },
  conflict: 'draft_id',
  async run(call, input) {
    const { updateDraft } = await import('../../../engine/send/drafts/operations.ts')
    const changes = operationInput(updateDraft, { ...input, ...hourOf(input) })
    return { result: judgedDraft(call, await updateDraft.run(call.engine, call.caller, changes)) }
  },
})
