// What became of a mail that a tool sent: on its way, planned, kept, held, or only judged.
import type { Message } from '../../engine/messages/message.ts'
import { getMessage } from '../../engine/messages/operations.ts'
import { WITHDRAWN } from '../../engine/messages/waiting.ts'
import type { Held, Judged, Sent, SentMessage } from '../../engine/send/sent.ts'
import { filled } from './answer.ts'
import { people, person } from './people.ts'
import { toSecond } from './times.ts'
import type { Call } from './tool.ts'

export async function sentMail(call: Call, sent: Sent) {
  if ('verdict' in sent) return judgedMail(sent)
  return 'review_id' in sent ? heldMail(call, sent) : mailOnItsWay(call, sent)
}

function mailOnItsWay({ fence }: Call, sent: SentMessage) {
  const waits = sent.status === 'scheduled' || NEVER.includes(sent.status)
  const kept = sent.delivery === 'dry-run' && !waits
  return filled({
    ...headOf(fence, sent),
    // What is kept here never goes out by itself, so this is final, whatever the outbox says meanwhile.
    status: kept ? 'dry_run' : sent.status,
    would_have_been: sent.would_have_been,
    reasons: sent.reasons?.map(reasonOf),
    next: [nextOf(sent, kept), ...leftOut(fence, sent)].join(' '),
  })
}

/** Who is on the suppression list gets nothing, and the agent must not believe otherwise. */
function leftOut(fence: Call['fence'], { recipients = [] }: SentMessage): string[] {
  const out = recipients.filter(({ status }) => status === 'suppressed')
  if (out.length === 0) return []
  const each = out.map(
    ({ email, detail }) => `${fence.short(email)} (${fence.short(detail ?? '')})`,
  )
  return [`Not sent to ${each.join(', ')}.`]
}

/** A repeat may be answered with a mail that somebody has stopped since. */
const NEVER: readonly string[] = [...WITHDRAWN, 'failed']

function nextOf({ status, delivery }: SentMessage, kept: boolean): string {
  if (status === 'scheduled') {
    return delivery === 'dry-run'
      ? 'At send_at it is kept, not sent: nothing leaves this machine. Say so.'
      : 'It goes at send_at by itself: do not send it again.'
  }
  if (NEVER.includes(status)) return `It does not go: it is ${status}.`
  return kept
    ? 'Nothing left this machine: mail to the outside is kept, not sent. Say so.'
    : 'It is on its way: do not send it again.'
}

async function heldMail(call: Call, held: Held) {
  const { engine, caller, fence } = call
  const message = await getMessage.run(engine, caller, { message_id: held.message_id })
  // A repeat: it was decided about since.
  if (message.status !== held.status) return mailOnItsWay(call, { ...message, message_id: held.id })
  return filled({
    ...headOf(fence, message),
    review: {
      review_id: held.review_id,
      reasons: held.reasons.map(reasonOf),
      expires_at: toSecond(held.expires_at),
    },
    next: `A person must approve it: tell your user (postroom reviews show ${held.review_id}), and do not send it again.`,
  })
}

/** Whom it reaches is always shown in full. */
const headOf = (fence: Call['fence'], message: Message) => ({
  message_id: message.id,
  thread_id: message.thread_id,
  status: message.status,
  delivery: message.delivery,
  from: message.from && person(fence, message.from),
  to: people(fence, message.to),
  cc: people(fence, message.cc),
  bcc: people(fence, message.bcc ?? []),
  subject: fence.short(message.subject),
  send_at: message.send_at && toSecond(message.send_at),
})

const judgedMail = ({ verdict, would_have_been, reasons }: Judged) =>
  filled({
    verdict,
    would_have_been,
    reasons: reasons.map(reasonOf),
    next: 'Nothing was sent and nothing is stored: this was a trial.',
  })

const reasonOf = (reason: Judged['reasons'][number]) => filled(reason)
