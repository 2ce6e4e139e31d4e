/** A mail that goes: where it would be held or only judged, the test has to say so. */
import type { Caller } from '../../src/engine/caller.ts'
import type { Engine } from '../../src/engine/ports.ts'
import { sendMessage } from '../../src/engine/send/operations.ts'
import type { Sent, SentMessage } from '../../src/engine/send/sent.ts'

export async function sendMail(
  engine: Engine,
  caller: Caller,
  input: object,
): Promise<SentMessage> {
  return onItsWay(await sendMessage.run(engine, caller, sendMessage.input.parse(input)))
}

export function onItsWay(sent: Sent): SentMessage {
  if ('direction' in sent) return sent
  throw new Error(`the mail does not go: ${JSON.stringify(sent)}`)
}
