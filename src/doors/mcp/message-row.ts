// A message in a result: its headers, and what a person would see of its body between marks.
import type { Bounce, Message } from '../../engine/messages/message.ts'
import { costOf, filled, type JsonObject } from './answer.ts'
import { visible } from './fence.ts'
import { leanRow } from './lean.ts'
import { people, person } from './people.ts'
import { toMinute } from './times.ts'
import type { Call } from './tool.ts'

const MAX_PEOPLE = 20
/** Each step of cutting a body to its budget leaves this much of it. */
const SHRINK = 0.9

/** How much of a body is shown: what its author added, or all of it. */
export interface Shown {
  quoted: boolean
}

const FOLDED: Shown = { quoted: false }

export function messageRow(
  { fence }: Pick<Call, 'fence'>,
  message: Message,
  shown: Shown = FOLDED,
): JsonObject {
  const { text, removed } = visible(bodyOf(message, shown))
  // What was removed when the mail came in, and what only a model would have read.
  const hidden = message.hidden_text_removed + removed
  const time = message.received_at ?? message.sent_at
  return filled({
    message_id: message.id,
    direction: message.direction,
    from: message.from && person(fence, message.from),
    to: people(fence, message.to.slice(0, MAX_PEOPLE)),
    to_total: message.to.length > MAX_PEOPLE ? message.to.length : undefined,
    cc: people(fence, message.cc.slice(0, MAX_PEOPLE)),
    cc_total: message.cc.length > MAX_PEOPLE ? message.cc.length : undefined,
    [message.direction === 'inbound' ? 'received_at' : 'sent_at']: time && toMinute(time),
    status: message.direction === 'outbound' ? message.status : undefined,
    delivery: message.delivery,
    authentication: message.authentication?.summary,
    sender_flags: message.sender_flags.map(fence.short),
    auto_reply: message.auto_reply && fence.short(message.auto_reply),
    bounce: message.bounce && bounceRow(fence, message.bounce),
    codes: message.codes.map((code) => ({ ...code, value: fence.short(code.value) })),
    attachments: message.attachments
      .filter(({ inline }) => !inline)
      .map(({ id, filename, content_type, size }) =>
        filled({
          attachment_id: id,
          filename: filename && fence.short(filename),
          content_type: fence.short(content_type),
          size,
        }),
      ),
    citations: message.citations,
    hidden_text_removed: hidden > 0 ? hidden : undefined,
    text_complete: true,
    quoted_chars: foldedAway(message, shown),
    text: fence.body(text),
  })
}

const bodyOf = (message: Message, { quoted }: Shown) =>
  quoted ? message.text_body : message.new_text

/** Characters of quoted history that are not shown; undefined for none. */
function foldedAway({ quoted }: Message, shown: Shown): number | undefined {
  const length = quoted.reduce((sum, { text }) => sum + text.length, 0)
  return shown.quoted || length === 0 ? undefined : length
}

/** The report of a delivery that failed; its words come from the other side's server. */
function bounceRow(fence: Call['fence'], bounce: Bounce): JsonObject {
  return filled({
    recipients: bounce.recipients.map(({ email, permanent, code, status, reason }) =>
      filled({
        email: fence.short(email),
        permanent,
        code,
        status: status && fence.short(status),
        reason: fence.short(reason),
      }),
    ),
    original_message_id: bounce.original_message_id && fence.short(bounce.original_message_id),
    message_id: bounce.message_id,
  })
}

/**
 * The message with the beginning of its text, as much as fits. Its headers keep within half of the budget: a mail to
 * sixty people still shows what it says.
 */
export function messageStart(
  { fence }: Pick<Call, 'fence'>,
  message: Message,
  budget: number,
  shown: Shown = FOLDED,
): JsonObject {
  const { text } = visible(bodyOf(message, shown))
  const { text: _, ...headers } = messageRow({ fence }, message, shown)
  const cut = { text_complete: false, text_chars: text.length }
  const row = leanRow({ ...headers, ...cut }, budget / 2)
  const withText = (length: number) => ({
    ...row,
    text: fence.body(text.slice(0, length).toWellFormed()),
  })
  const whole = costOf(withText(text.length))
  let length = Math.floor(text.length * Math.min(1, budget / whole))
  while (length > 0 && costOf(withText(length)) > budget) length = Math.floor(length * SHRINK)
  return withText(length)
}
