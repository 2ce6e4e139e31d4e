import { z } from 'zod'
import { operationInput } from '../arguments.ts'
import { judgedDraft } from '../draft-row.ts'
import { hourOf, mailAliases, mailFields, mailInstead, requireText } from '../mail-fields.ts'
import { tool } from '../tool.ts'

export const createDraftTool = tool({
  name: 'create_draft',
  toolset: 'drafts',
  title: 'Create draft',
  description: [
    'Prepare a mail, reply or forward without sending it, for a person or for send_draft.',
  ],
  scope: 'email:write',
  hints: { writes: true },
  input: z.strictObject(mailFields),
  aliases: mailAliases,
  instead: mailInstead,
  fields: { recipients: 'to' },
  async run(call, input) {
    requireText(input)
    const { createDraft, requireWhole } = await import('../../../engine/send/drafts/operations.ts')
    const mail = operationInput(createDraft, { ...input, ...hourOf(input) })
    await requireWhole(call.engine, call.caller, mail)
    return { result: judgedDraft(call, await createDraft.run(call.engine, call.caller, mail)) }
  },
})
