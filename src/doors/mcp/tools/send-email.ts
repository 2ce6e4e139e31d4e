import { z } from 'zod'
import { ValidationFailed } from '../../../engine/errors.ts'
import { operationInput } from '../arguments.ts'
import { sentMail } from '../sent-mail.ts'
import { tool } from '../tool.ts'

const NO_HTML = 'is not taken here; write markdown_body, which is sent as text and HTML'

export const sendEmailTool = tool({
  name: 'send_email',
  toolset: 'mail',
  title: 'Send email',
  description: [
    'Send a new mail',
    { needs: 'send_email.forward_message_id', says: ',' },
    { lacks: 'send_email.forward_message_id', says: ' or' },
    ' a reply (thread_id or reply_to_message_id)',
    { needs: 'send_email.forward_message_id', says: ' or a forward' },
    '. Reply headers and recipients are filled in. Result status: queued or sent; dry_run: nothing leaves this machine',
    {
      needs: 'status.pending_review',
      says: '; pending_review: a person must approve, tell your user and do not send it again',
    },
    '.',
  ],
  scope: 'email:send',
  hints: { writes: true, destructive: true, open: true },
  input: z.strictObject({
    inbox_id: z
      .string()
      .optional()
      .describe(
        'Inbox id or address to write from; needed only if you have several and there is no thread or message.',
      ),
    to: z
      .array(z.string())
      .optional()
      .describe('"a@b.example" or "Name <a@b.example>". Left out in a reply: the sender.'),
    cc: z.array(z.string()).optional().describe('As to.'),
    bcc: z.array(z.string()).optional().describe('As to.'),
    subject: z
      .string()
      .optional()
      .describe('Left out in a reply or forward: Re:/Fwd: of the original.'),
    text_body: z.string().optional().describe('Plain text; give this or markdown_body.'),
    markdown_body: z.string().optional().describe('Markdown, sent as text and HTML.'),
    thread_id: z.string().optional().describe('Answer the newest message of this thread.'),
    reply_to_message_id: z.string().optional().describe('Answer exactly this message.'),
    reply_all: z.boolean().optional().describe('Answer everybody on it.'),
    forward_message_id: z
      .string()
      .optional()
      .describe('Forward this message with its attachments.'),
    attachment_ids: z.array(z.string()).optional().describe('att_ ids, or doc_ ids of documents.'),
    citations: z.array(z.string()).optional().describe('chunk_ids that the text rests on.'),
  }),
  aliases: {
    body: 'text_body',
    text: 'text_body',
    body_text: 'text_body',
    content: 'text_body',
    markdown: 'markdown_body',
  },
  instead: { html_body: NO_HTML, html: NO_HTML, body_html: NO_HTML },
  async run(call, input) {
    requireText(input)
    // The mail libraries take 250 ms to load, which the first answer to a client must not wait for.
    const { sendMessage } = await import('../../../engine/send/operations.ts')
    const mail = operationInput(sendMessage, input)
    const sent = await sendMessage.run(call.engine, call.caller, mail)
    return { result: sentMail(call, sent) }
  },
})

/** In the words of this tool, which takes no HTML. A forward says enough by itself. */
function requireText(input: {
  text_body?: string | undefined
  markdown_body?: string | undefined
  forward_message_id?: string | undefined
}): void {
  if (input.text_body?.trim() || input.markdown_body?.trim() || input.forward_message_id) return
  const message = 'the mail has no text; give text_body or markdown_body'
  throw new ValidationFailed([{ field: 'text_body', message }])
}
