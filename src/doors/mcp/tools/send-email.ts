import { z } from 'zod'
import { operationInput } from '../arguments.ts'
import { hourOf, mailAliases, mailFields, mailInstead, requireText } from '../mail-fields.ts'
import { sentMail } from '../sent-mail.ts'
import { tool } from '../tool.ts'

export const sendEmailTool = tool({
  name: 'send_email',
  toolset: 'mail',
  title: 'Send email',
  description: [
    'Send a new mail, a reply (thread_id or reply_to_message_id) or a forward. Reply headers and recipients are filled in. Result status: queued or sent; dry_run: nothing leaves this machine; pending_review: a person must approve, tell your user and do not send it again.',
  ],
  scope: 'email:send',
  hints: { writes: true, destructive: true, open: true },
  input: z.strictObject({
    ...mailFields,
    if_last_message_id: z
      .string()
      .optional()
      .describe('Refuse if the thread has a newer message than this.'),
    idempotency_key: z.string().optional().describe('Same key and body within 24 h: one mail.'),
    dry_run: z
      .boolean()
      .optional()
      .describe('Only say whether it would go, be held or be refused, and why.'),
  }),
  aliases: mailAliases,
  instead: mailInstead,
  fields: { recipients: 'to' },
  async run(call, input) {
    requireText(input)
    // The mail libraries take 250 ms to load, which the first answer to a client must not wait for.
    const { sendMessage } = await import('../../../engine/send/operations.ts')
    const mail = operationInput(sendMessage, { ...input, ...hourOf(input) })
    return { result: await sentMail(call, await sendMessage.run(call.engine, call.caller, mail)) }
  },
})
