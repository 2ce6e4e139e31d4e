// From a parsed mail to the rows that keep it in one inbox.
import { idSuffix, newId } from '../../platform/ids.ts'
import { newEvent } from '../events.ts'
import type { MessageId } from '../ids.ts'
import { newJob } from '../jobs/job.ts'
import type { AttachmentRow, Authentication, Bounce, MessageRow } from '../messages/message.ts'
import { type Batch, type MessageIdRow, newThread, withThreadNews } from '../messages/store.ts'
import type { AddressFound } from '../recent-addresses.ts'
import { BOUNCED_JOB } from '../send/bounced.ts'
import { senderFlags } from './authenticate/sender-flags.ts'
import { COMPLAINED_JOB } from './complained.ts'
import type { Incoming } from './incoming.ts'
import { idsOf, type Knowledge, type Place } from './thread.ts'
import type { Parsed } from './understand.ts'

/** One mail for one inbox, ready but for its thread. */
export interface Arrival {
  inbox: AddressFound
  messageId: MessageId
  incoming: Incoming
  parsed: Parsed
  attachments: AttachmentRow[]
  rawSha256: string
  fingerprint: string
  at: Date
  /** Null where it was not judged: mail between our own inboxes. */
  authentication: Authentication | null
}

/** The same bytes within this time are the same delivery. */
const SEEN_DAYS = 7
const DAY_MS = 86_400_000

/** Gives a mail its ids in one inbox. */
export function arrivalOf(
  inbox: AddressFound,
  messageId: MessageId,
  mail: Omit<Arrival, 'inbox' | 'messageId' | 'attachments'>,
): Arrival {
  const attachments = mail.parsed.attachments.map((attachment, position) => ({
    org_id: inbox.org_id,
    id: newId('att', mail.at),
    inbox_id: inbox.inbox_id,
    message_id: messageId,
    position,
    filename: attachment.filename,
    content_type: attachment.contentType,
    size: attachment.size,
    inline: attachment.inline,
    content_id: attachment.contentId,
  }))
  // By name: every mail passes here, and a spread takes four times as long.
  return {
    inbox,
    messageId,
    incoming: mail.incoming,
    parsed: mail.parsed,
    attachments,
    rawSha256: mail.rawSha256,
    fingerprint: mail.fingerprint,
    at: mail.at,
    authentication: mail.authentication,
  }
}

/** What the raw bytes do not say: enough to make the same message with the same ids again. */
export const sidecarOf = ({
  inbox,
  messageId,
  incoming,
  attachments,
  rawSha256,
  at,
  authentication,
}: Arrival) => ({
  id: messageId,
  direction: 'inbound',
  organization: inbox.org_id,
  inbox: { id: inbox.inbox_id, address: inbox.address },
  raw_sha256: rawSha256,
  envelope: envelopeOf(incoming),
  peer: incoming.peer,
  received_at: at,
  ...(incoming.imported ? { created_at: incoming.imported.at } : {}),
  authentication,
  attachment_ids: attachments.map(({ id }) => id),
})

/** With how it stood in the file that it was imported from, so that it is exported the same again. */
const envelopeOf = ({ envelope, imported }: Incoming): MessageRow['envelope'] =>
  imported === undefined ? envelope : { ...envelope, mbox: imported.form }

/** Adds a mail to a batch, in the place that was decided for it. Returns the row. */
export function addArrival(
  batch: Batch,
  arrival: Arrival,
  place: Place,
  knowledge: Knowledge,
): MessageRow {
  const row = messageRow(arrival, place, knowledge)
  const { org_id, inbox_id, thread_id, id: message_id } = row
  const { at, incoming } = arrival
  const isNews = incoming.imported?.isNews ?? true
  const known = isNews ? {} : { imported: true }
  const about = {
    orgId: org_id,
    inboxId: inbox_id,
    threadId: thread_id,
    messageId: message_id,
    data: known,
  }
  if (place.kind === 'new') {
    batch.threads.push(newThread(row))
    batch.events.push(newEvent('thread.created', about, at))
  }
  if (place.kind === 'joins' && place.merges.length > 0) {
    batch.merges.push({ org_id, into_id: thread_id, from_ids: place.merges })
    const data = { merged_thread_ids: place.merges, ...known }
    batch.events.push(newEvent('thread.merged', { ...about, data }, at))
  }
  batch.messages.push(withThreadNews(row, isNews))
  batch.attachments.push(...arrival.attachments)
  batch.message_ids.push(...idRows(row, arrival, place, knowledge))
  const expires_at = new Date(at.getTime() + SEEN_DAYS * DAY_MS)
  batch.seen.push({ org_id, inbox_id, hash: arrival.fingerprint, message_id, expires_at })
  batch.events.push(newEvent('email.received', about, at))
  // What an old report said of a mail of ours was known when it came.
  if (row.bounce?.message_id && incoming.imported === undefined) {
    const payload = { message_id }
    batch.jobs.push(newJob(BOUNCED_JOB, { orgId: org_id, payload }, at))
  }
  if (row.auto_reply === 'complaint' && incoming.imported === undefined) {
    batch.jobs.push(newJob(COMPLAINED_JOB, { orgId: org_id, payload: { message_id } }, at))
  }
  return row
}

/** The mail's own id, and those it mentions for the first time: a late parent and siblings find the thread by them. */
function idRows(
  row: MessageRow,
  { parsed }: Arrival,
  place: Place,
  knowledge: Knowledge,
): MessageIdRow[] {
  const { org_id, inbox_id, thread_id, id, message_id_header: own } = row
  // Its own id may have been mentioned in a thread that goes into this one just now.
  const ours = new Set([thread_id, ...(place.kind === 'joins' ? place.merges : [])])
  const isOurs = (rfcId: string) => ours.has(knowledge.threadOf(rfcId) ?? thread_id)
  return idsOf(parsed.ties)
    .filter((rfcId) => rfcId === own || knowledge.threadOf(rfcId) === undefined)
    .filter(isOurs)
    .map((rfc_id) => ({
      org_id,
      inbox_id,
      rfc_id,
      thread_id,
      message_id: rfc_id === own ? id : null,
    }))
}

export function messageRow(arrival: Arrival, place: Place, knowledge: Knowledge): MessageRow {
  const { inbox, incoming, parsed, messageId } = arrival
  const { read } = parsed
  const joins = place.kind === 'joins'
  return {
    org_id: inbox.org_id,
    id: messageId,
    inbox_id: inbox.inbox_id,
    thread_id: joins ? place.threadId : `thr_${idSuffix(messageId)}`,
    direction: 'inbound',
    status: 'received',
    delivery: 'email',
    from: parsed.from,
    to: parsed.to,
    cc: parsed.cc,
    bcc: [],
    reply_to: parsed.replyTo,
    subject: parsed.subject,
    text_body: read.text_body,
    html_body: parsed.html,
    new_text: read.new_text === read.text_body ? null : read.new_text,
    quoted: read.quoted,
    hidden_text_removed: read.hidden_text_removed,
    codes: read.codes,
    links: read.links,
    message_id_header: parsed.ties.messageId,
    in_reply_to: parsed.ties.inReplyTo[0] ?? null,
    references: [...parsed.ties.references],
    match_method: joins ? place.method : 'new',
    match_evidence: joins ? place.evidence : null,
    parse_status: parsed.status,
    auto_reply: parsed.autoReply,
    bounce: bounceOf(arrival, knowledge),
    authentication: arrival.authentication,
    sender_flags: flagsOf(arrival, place, knowledge),
    envelope: envelopeOf(incoming),
    raw_sha256: arrival.rawSha256,
    size: incoming.raw.length,
    by_agent: false,
    key_id: null,
    send_at: null,
    citations: [],
    sent_at: null,
    created_at: incoming.imported?.at ?? arrival.at,
  }
}

/** What is odd about the sender, in the header and in this conversation. */
function flagsOf({ parsed }: Arrival, place: Place, knowledge: Knowledge): string[] {
  const { messageId } = parsed.ties
  const reused = messageId !== null && knowledge.messageOf(messageId) !== null
  const flags: string[] = senderFlags(parsed.headerLines)
  if (reused) flags.push('reused_message_id')
  if (place.kind === 'joins' && place.conflict) flags.push('thread_conflict')
  if (place.kind === 'joins' && place.newParticipant) flags.push('new_participant')
  return flags
}

function bounceOf({ parsed: { bounce } }: Arrival, knowledge: Knowledge): Bounce | null {
  if (bounce === null) return null
  const { original_message_id } = bounce
  const ours = original_message_id === null ? null : knowledge.messageOf(original_message_id)
  return { ...bounce, message_id: ours }
}
