// The arguments of a mail that is sent or drafted: named alike, refused alike.
import { z } from 'zod'
import { ValidationFailed } from '../../engine/errors.ts'
import { timeOf } from './times.ts'

const NO_HTML = 'is not taken here; write markdown_body, which is sent as text and HTML'

const list = () => z.array(z.string()).optional()
const text = () => z.string().optional()

export const mailFields = {
  inbox_id: text().describe(
    'Inbox id or address to write from; needed only if you have several and there is no thread or message.',
  ),
  to: list().describe('"a@b.example" or "Name <a@b.example>". Left out in a reply: the sender.'),
  cc: list().describe('As to.'),
  bcc: list().describe('As to.'),
  subject: text().describe('Left out in a reply or forward: Re:/Fwd: of the original.'),
  text_body: text().describe('Plain text; give this or markdown_body.'),
  markdown_body: text().describe('Markdown, sent as text and HTML.'),
  thread_id: text().describe('Answer the newest message of this thread.'),
  reply_to_message_id: text().describe('Answer exactly this message.'),
  reply_all: z.boolean().optional().describe('Answer everybody on it.'),
  forward_message_id: text().describe('Forward this message with its attachments.'),
  attachment_ids: list().describe('att_ ids, or doc_ ids of documents.'),
  citations: list().describe('chunk_ids that the text rests on.'),
  send_at: text().describe('ISO 8601 UTC, to send later.'),
}

export const mailAliases = {
  body: 'text_body',
  text: 'text_body',
  body_text: 'text_body',
  content: 'text_body',
  markdown: 'markdown_body',
}

export const mailInstead = { html_body: NO_HTML, html: NO_HTML, body_html: NO_HTML }

/** In the words of tools, which take no HTML. A forward says enough by itself. */
export function requireText(input: {
  text_body?: string | undefined
  markdown_body?: string | undefined
  forward_message_id?: string | undefined
}): void {
  if (input.text_body?.trim() || input.markdown_body?.trim() || input.forward_message_id) return
  const message = 'the mail has no text; give text_body or markdown_body'
  throw new ValidationFailed([{ field: 'text_body', message }])
}

/** An hour as models write it, in UTC where no zone is named. Empty stays empty: it takes the hour away. */
export function hourOf({ send_at }: { send_at?: string | undefined }): { send_at?: string } {
  if (send_at === undefined) return {}
  const at = send_at.trim() === '' ? undefined : timeOf('send_at', send_at)
  return { send_at: at?.toISOString() ?? '' }
}
