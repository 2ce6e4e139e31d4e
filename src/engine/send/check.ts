// What would become of a mail: asked before it is written for good.
import { operation } from '../operation.ts'
import { sendInput } from './operations.ts'
import { Judged } from './sent.ts'
import { judge } from './submit.ts'

/**
 * The verdict over a mail as `sendMessage` would take it, with every reason; nothing is stored and no cap counts it.
 * Throws ValidationFailed, NotFound, TooLarge and ThreadMoved as sending does.
 */
export const checkMessage = operation({
  name: 'check_message',
  summary:
    'Say whether a mail would go, wait for a person or be refused, and why; nothing is stored.',
  scope: 'email:send',
  reads: true,
  input: sendInput,
  output: Judged,
  run(engine, caller, { send_at, if_last_message_id, idempotency_key: _, dry_run: __, ...mail }) {
    return judge(engine, caller, { mail, sendAt: send_at, ifLastMessageId: if_last_message_id })
  },
})
