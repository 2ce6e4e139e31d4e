// What came into a thread while an answer to it was written, for the text of the refusal.
import type { Message } from '../../engine/messages/message.ts'
import { costOf, textOf } from './answer.ts'
import { createFence } from './fence.ts'
import { messageRow, messageStart } from './message-row.ts'
import { finished } from './receipt.ts'

/** The newest ones; the rest is in the thread. */
const MAX_MESSAGES = 5
/** Of one message, in tokens. */
const BUDGET = 600

/** The messages in lines, oldest first, the words of outsiders between marks. */
export function newerMessages(newer: readonly Message[]): string {
  const fence = createFence()
  const rows = newer.slice(-MAX_MESSAGES).map((message) => {
    const whole = messageRow({ fence }, message)
    return costOf(whole) <= BUDGET ? whole : messageStart({ fence }, message, BUDGET)
  })
  return textOf(finished({ fence }, { result: { newer_messages: rows } }))
}
