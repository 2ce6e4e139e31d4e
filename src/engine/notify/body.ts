// The body of a webhook: what an event of the log looks like to the receiver.
import type { EventRow } from '../events.ts'
import type { Mailbox } from '../messages/address.ts'
import type { Authentication, Message } from '../messages/message.ts'

export type Told = Message

/** `message` is the one the event is about; undefined for events about something else. */
export function renderBody(event: EventRow, message: Told | undefined): string {
  const data = message ? aboutMessage(event, message) : aboutOther(event)
  return JSON.stringify({ event: event.event, timestamp: event.created_at.toISOString(), data })
}

/** A domain is the organization's, not the inbox's whose endpoint is told. */
function aboutOther({ event, inbox_id, data }: EventRow): object {
  return event === 'domain.verified' ? data : { inbox_id, ...data }
}

function aboutMessage(event: EventRow, message: Told): object {
  switch (event.event) {
    case 'email.received':
      return { ...received(message), ...event.data }
    case 'thread.created':
      return { ...created(message), ...event.data }
    case 'thread.merged':
    case 'thread.split':
      return { thread_id: message.thread_id, inbox_id: message.inbox_id, ...event.data }
    case 'email.sent':
      return { ...sent(message), ...event.data }
    case 'email.delivered':
    case 'email.bounced':
    case 'email.failed':
    case 'email.complained':
    case 'email.unsubscribed':
      return { ...envelope(message), delivery: message.delivery, ...event.data }
    case 'email.pending_review':
    case 'email.approved':
      return { ...held(message), ...event.data }
    case 'document.ready':
    case 'document.failed':
    case 'domain.verified':
    case 'inbox.sending_stopped':
    case 'inbox.sending_resumed':
      return { inbox_id: event.inbox_id, ...event.data }
  }
}

/** The first eight are AIThreads' own, in its order. */
const received = (message: Told) => ({
  email_id: message.id,
  thread_id: message.thread_id,
  inbox_id: message.inbox_id,
  from: message.from && mailbox(message.from),
  to: message.to.map(mailbox),
  subject: message.subject,
  text_body: message.text_body,
  received_at: message.received_at,
  cc: message.cc.map(mailbox),
  html_body: message.html_body,
  new_text: message.new_text,
  attachments: message.attachments,
  authentication: message.authentication && verdicts(message.authentication),
  auto_reply: message.auto_reply,
  message_id_header: message.message_id_header,
})

const verdicts = ({ spf, dkim, dmarc }: Authentication) => ({ spf, dkim, dmarc })

const created = (message: Told) => ({
  thread_id: message.thread_id,
  inbox_id: message.inbox_id,
  email_id: message.id,
  direction: message.direction,
  from: message.from && mailbox(message.from),
  to: message.to.map(mailbox),
  subject: message.subject,
  created_at: message.created_at,
})

const sent = (message: Told) => ({
  ...envelope(message),
  bcc: message.bcc?.map(mailbox),
  text_body: message.text_body,
  html_body: message.html_body,
  attachments: message.attachments,
  delivery: message.delivery,
  sent_at: message.sent_at,
})

/** Whoever is asked sees everybody who would get it. */
const held = (message: Told) => ({
  ...envelope(message),
  bcc: message.bcc?.map(mailbox),
  text_body: message.text_body,
  attachments: message.attachments,
})

const envelope = (message: Told) => ({
  email_id: message.id,
  thread_id: message.thread_id,
  inbox_id: message.inbox_id,
  from: message.from && mailbox(message.from),
  to: message.to.map(mailbox),
  cc: message.cc.map(mailbox),
  subject: message.subject,
  message_id_header: message.message_id_header,
})

/** The address first, as the documentation writes it; jsonb keeps no order of its own. */
const mailbox = ({ email, name }: Mailbox) => ({ email, ...(name === undefined ? {} : { name }) })
