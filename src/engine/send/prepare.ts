// From a request to a mail that is ready to be stored: every check, and then the bytes.
import { idSuffix, newId } from '../../platform/ids.ts'
import type { Address } from '../addresses.ts'
import type { Caller } from '../caller.ts'
import { Conflict, ValidationFailed } from '../errors.ts'
import type { MessageId, OrgId, ThreadId } from '../ids.ts'
import type { InboxRow } from '../inboxes/inbox.ts'
import type { Engine } from '../ports.ts'
import { replyAddress, signedMessageId } from '../reply-token.ts'
import { type Addressees, addresseesOf } from './addressees.ts'
import { type Place, placeOf } from './answered.ts'
import type { AttachedFile } from './attached/file.ts'
import { gatherFiles, requireWireRoom } from './attached/gather.ts'
import { type Bodies, bodiesOf } from './bodies.ts'
import { checkCitations } from './citations.ts'
import { type Clearance, type Content, clear } from './clearance.ts'
import { compose, type Draft, inWireOrder } from './compose.ts'
import { headerText } from './header-text.ts'
import { type Outgoing, outgoingOf } from './outgoing.ts'
import { subjectOfForward, subjectOfReply, threadingHeaders } from './reply.ts'
import {
  type Remaining,
  suppressedRows,
  withoutSuppressed,
  withSuppressed,
} from './suppressions/suppressed.ts'
import { unsubscribeHeaders } from './suppressions/unsubscribe.ts'
import { MAX_SUBJECT, type MessageInput, readWritten, type Written } from './written.ts'

type Parts = Pick<Engine, 'db' | 'clock' | 'settings' | 'blobs' | 'mails'>

/** A mail that is ready to be stored, and whether it may go. */
export interface Prepared extends Outgoing, Pick<Clearance, 'verdict' | 'conditions'> {}

/** Checks the request against what is known and composes the mail; nothing is stored. The refusals are those of `sendMessage`. */
export async function prepare(
  engine: Parts,
  caller: Caller,
  input: MessageInput,
): Promise<Prepared> {
  const mail = await readMail(engine, caller, input)
  const { inbox, answered } = mail.place
  const { to, cc, bcc } = mail.people
  const { outside, verdict, conditions } = await clear(engine, {
    caller,
    inbox,
    threadId: answered?.thread_id,
    emails: [...to, ...cc, ...bcc].map(({ email }) => email),
    content: contentOf(mail),
  })
  const at = engine.clock.now()
  const id = newId('msg', at)
  const draft = await draftOf(engine, caller, mail, { id, at })
  const raw = await compose(draft)
  requireWireRoom(raw.length)
  const outgoing = outgoingOf({
    id,
    inbox,
    answered,
    draft,
    replyTo: mail.written.replyTo,
    bcc,
    bodies: mail.bodies,
    citations: mail.citations,
    raw,
    dryRun: outside && engine.settings.outbound === 'dry-run',
    byAgent: caller.agent,
    keyId: caller.keyId,
  })
  return {
    ...outgoing,
    recipients: [...outgoing.recipients, ...suppressedRows(outgoing.row, mail.suppressed)],
    verdict: withSuppressed(verdict, mail, inbox.id),
    conditions,
  }
}

/** All that the mail will say and to whom, before it has an id. */
interface Mail extends Remaining {
  written: Written
  place: Place
  subject: string
  bodies: Bodies
  files: AttachedFile[]
  citations: string[]
}

async function readMail(engine: Parts, caller: Caller, input: MessageInput): Promise<Mail> {
  const written = readWritten(input)
  const place = await placeOf(engine, caller, input)
  requireActive(place)
  const addressees = addresseesOf(written, place)
  if (written.listUnsubscribe) requireOne(addressees)
  const remaining = await withoutSuppressed(engine, place, addressees)
  const subject = subjectOf(written, place)
  const citations = await checkCitations(engine, caller, input.citations ?? [])
  const bodies = bodiesOf(written, place)
  const files = await gatherFiles(engine, caller, {
    items: written.items,
    forwarded: place.forwarded,
    bodies: Buffer.byteLength(bodies.text) + Buffer.byteLength(bodies.html ?? ''),
  })
  return {
    ...remaining,
    written,
    place,
    subject,
    bodies,
    citations,
    files: inWireOrder(files),
  }
}

/** What the guards read: also names and where answers go, which a reader sees as much as the text. Recipients are known to them. */
function contentOf({ written, people, subject, bodies, files }: Mail): Content {
  const names = [...people.to, ...people.cc, ...written.replyTo].flatMap(({ name }) => name ?? [])
  const answers = written.replyTo.map(({ email }) => email)
  const headers = Object.entries(written.headers).map(([name, value]) => `${name}: ${value}`)
  const { text, html } = bodies
  return { subject, text, html, headers: [...headers, ...names, ...answers], files }
}

async function draftOf(
  engine: Parts,
  caller: Caller,
  { written, place, people, subject, bodies, files }: Mail,
  { id, at }: { id: MessageId; at: Date },
): Promise<Draft> {
  const { inbox, answered } = place
  const threadId: ThreadId = answered?.thread_id ?? `thr_${idSuffix(id)}`
  const tokens = await tokensOf(engine, inbox, { messageId: id, threadId })
  const { messageId, replyTo } = tokens
  const ownId = engine.settings.outbound === 'relay' ? messageId : undefined
  return {
    to: people.to,
    cc: people.cc,
    from: named(inbox, inbox.address),
    replyTo: written.replyTo.length > 0 ? written.replyTo : replyTo,
    subject,
    text: bodies.text,
    html: bodies.html,
    files,
    headers: { ...written.headers, ...(written.listUnsubscribe && tokens.unsubscribe) },
    messageId,
    date: at,
    threading: threadingHeaders(answered, ownId),
    autoReplied: caller.agent && answered !== undefined,
  }
}

const named = ({ display_name: name }: InboxRow, email: string): Address =>
  name ? { email, name } : { email }

/** What an answer to this mail is known by. The address is ours alone: nobody asked for it, so messages do not show it. */
async function tokensOf(
  { db, settings }: Pick<Engine, 'db' | 'settings'>,
  inbox: InboxRow,
  mail: { messageId: MessageId; threadId: ThreadId },
) {
  const [row] = await db.query<{ id: OrgId; reply_secret: string }>(
    'SELECT id, reply_secret FROM organizations WHERE id = $1',
    [inbox.org_id],
    'reply_secret',
  )
  if (row === undefined) throw new Error('an inbox has an organization')
  const address = replyAddress(row.reply_secret, inbox, mail.messageId)
  const linked = { orgId: inbox.org_id, inboxId: inbox.id, messageId: mail.messageId }
  return {
    messageId: signedMessageId(row.reply_secret, inbox, mail),
    replyTo: address === undefined ? [] : [named(inbox, address)],
    unsubscribe: unsubscribeHeaders(settings.publicUrl, row.reply_secret, linked),
  }
}

/** The link tells who unsubscribes, so nobody else may hold it. RFC 8058 §3.1. */
function requireOne({ to, cc, bcc }: Addressees): void {
  if (to.length + cc.length + bcc.length === 1) return
  const message = 'goes with a mail to one recipient: send each a mail of their own'
  throw new ValidationFailed([{ field: 'list_unsubscribe', message }])
}

function requireActive({ inbox }: Place): void {
  if (inbox.sending_stopped_at !== null) throw stopped(inbox)
  if (inbox.is_active) return
  throw new Conflict(`The inbox ${inbox.address} is switched off and sends nothing.`, {
    fix: `Switch it on (PATCH /v1/agent/inboxes/${inbox.id} {"is_active": true}), or write from another inbox.`,
  })
}

const stopped = ({ id, address, sending_stopped_reason }: InboxRow) =>
  new Conflict(`Sending from ${address} is stopped: ${sending_stopped_reason}.`, {
    code: 'sending_stopped',
    fix: `Tell your user. A person with org:admin finds out why, mends the list of recipients, and clears it (POST /v1/agent/inboxes/${id}/health/clear).`,
  })

function subjectOf({ subject }: Written, { answered, forwarded }: Place): string {
  if (subject !== null) return headerText(subject)
  if (answered !== undefined) return cut(subjectOfReply(answered.subject))
  if (forwarded !== undefined) return cut(subjectOfForward(forwarded.subject))
  throw new ValidationFailed([{ field: 'subject', message: 'a new mail needs a subject' }])
}

const cut = (subject: string) => headerText(subject).slice(0, MAX_SUBJECT).toWellFormed()
