// Sending: what may be refused is refused before anything is stored; what is stored will be delivered.
import { z } from 'zod'
import { operation } from '../operation.ts'
import { flag } from '../page.ts'
import { repeatKey } from './repeat/key.ts'
import { Sent } from './sent.ts'
import { judge, submit } from './submit.ts'
import { messageInput } from './written.ts'

/** What a mail may carry besides its own words: when it goes, and what makes sending it safe. */
export const sendInput = messageInput.extend({
  send_at: z.string().optional(),
  if_last_message_id: z.string().optional(),
  idempotency_key: z.string().optional(),
  dry_run: flag.optional(),
})

/**
 * Puts a mail on its way: composed, kept with its bytes and queued; the worker delivers it. With `send_at` it waits
 * for its hour, and where a person has to say yes it waits for that. `dry_run` only says what would become of it.
 * A repeat under the same `idempotency_key` within 24 h gets the first answer and sends nothing.
 * Bodies, headers and attachments together have at most 25 MiB, each address field 50 addresses, the subject 998 characters.
 * Throws ValidationFailed, NotFound, Conflict (inactive inbox; a key that was used for another request), ThreadMoved,
 * TooLarge, Unprocessable (`sender_domain_unusable`, `automatic_mail`, `all_recipients_suppressed`),
 * Forbidden (`recipient_not_allowed`, `read_only`), RateLimited.
 */
export const sendMessage = operation({
  name: 'send_message',
  summary:
    'Send a new mail, a reply (thread_id or reply_to_message_id) or a forward (forward_message_id).',
  scope: 'email:send',
  reads: false,
  input: sendInput,
  output: Sent,
  async run(engine, caller, input) {
    const { send_at, if_last_message_id, idempotency_key, dry_run, ...mail } = input
    const submission = { mail, sendAt: send_at, ifLastMessageId: if_last_message_id }
    if (dry_run) return judge(engine, caller, submission)
    const repeat = repeatKey('send_message', { ...input, idempotency_key })
    return submit(engine, caller, { ...submission, repeat })
  },
})
