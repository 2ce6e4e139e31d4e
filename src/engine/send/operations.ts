// Sending: what may be refused is refused before anything is stored; what is stored will be delivered.
import { z } from 'zod'
import type { Caller } from '../caller.ts'
import { Conflict, Forbidden } from '../errors.ts'
import { Message, showMessage } from '../messages/message.ts'
import { storeMessages } from '../messages/store.ts'
import { operation } from '../operation.ts'
import type { Engine } from '../ports.ts'
import { batchOf, type Outgoing, sidecarOf } from './outgoing.ts'
import { prepare } from './prepare.ts'
import { refusalOf } from './verdict.ts'
import { type MessageInput, messageInput } from './written.ts'

/** How often a mail is prepared again after its thread or inbox has changed meanwhile. */
const MAX_DECISIONS = 4

/**
 * Puts a mail on its way: composed, kept with its bytes and queued; the worker delivers it.
 * Bodies and headers together have at most 25 MiB, each address field 50 addresses, the subject 998 characters.
 * Throws ValidationFailed, NotFound, Conflict (inactive inbox), TooLarge, Unprocessable (`sender_domain_unusable`,
 * `automatic_mail`), Forbidden (`recipient_not_allowed`, `read_only`).
 */
export const sendMessage = operation({
  name: 'send_message',
  summary: 'Send a new mail, or a reply with thread_id or reply_to_message_id.',
  scope: 'email:send',
  reads: false,
  input: messageInput,
  output: Message.extend({ message_id: z.string() }),
  async run(engine, caller, input) {
    refuseReadOnly(engine)
    const { row, recipients } = await keep(engine, caller, input)
    engine.jobs.wake()
    return { ...showMessage(row, [], recipients), message_id: row.id }
  },
})

function refuseReadOnly({ settings }: Engine): void {
  if (!settings.readOnly) return
  throw new Forbidden('Nothing can be sent: MCP_READ_ONLY is set.', {
    code: 'read_only',
    fix: 'Read instead, or start Postroom with MCP_READ_ONLY=false.',
  })
}

async function keep(engine: Engine, caller: Caller, input: MessageInput): Promise<Outgoing> {
  for (let decisions = 0; decisions < MAX_DECISIONS; decisions++) {
    const outgoing = await prepare(engine, caller, input)
    if (outgoing.verdict.kind !== 'allow') throw refusalOf(outgoing.verdict.reasons)
    const { row, raw } = outgoing
    // Bytes and sidecar first: a row never points at what a power cut could take.
    await Promise.all([
      engine.blobs.put(row.org_id, row.raw_sha256, raw),
      engine.blobs.putSidecar(row.org_id, row.id, sidecarOf(outgoing)),
    ])
    if ((await storeMessages(engine, batchOf(outgoing, engine.settings))) === 'stored')
      return outgoing
    await engine.blobs.removeSidecar(row.org_id, row.id)
  }
  throw new Conflict('The thread kept changing while the mail was stored.', {
    fix: 'Send the same request again.',
  })
}
