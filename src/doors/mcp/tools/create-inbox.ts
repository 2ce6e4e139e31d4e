import { z } from 'zod'
import { createInbox } from '../../../engine/inboxes/operations.ts'
import { filled } from '../answer.ts'
import { operationInput } from '../arguments.ts'
import { tool } from '../tool.ts'

export const createInboxTool = tool({
  name: 'create_inbox',
  toolset: 'mail',
  title: 'Create inbox',
  description: ['Make a new email address. Not needed to write from one that you already have.'],
  scope: 'inbox:write',
  hints: { writes: true, idempotent: true },
  input: z.strictObject({
    username: z.string().describe('Part before the @: letters, digits, . _ -'),
    display_name: z.string().optional().describe('Name in From.'),
    domain: z.string().optional().describe('A verified domain; the default domain if left out.'),
    client_id: z
      .string()
      .optional()
      .describe('Your own id: the same one again returns the same inbox.'),
  }),
  aliases: { name: 'display_name' },
  conflict: 'username',
  fields: { name: 'display_name' },
  async run({ engine, caller, fence }, { display_name: name, ...rest }) {
    const wish = operationInput(createInbox, { ...rest, ...(name === undefined ? {} : { name }) })
    const inbox = await createInbox.run(engine, caller, wish)
    return {
      result: filled({
        inbox_id: inbox.id,
        address: inbox.address,
        display_name: inbox.display_name && fence.short(inbox.display_name),
        is_active: inbox.is_active,
        created: inbox.created,
      }),
    }
  },
})
