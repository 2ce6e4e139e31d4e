// From a request to a mail that is ready to be stored: every check, and then the bytes.
import { idSuffix, newId } from '../../platform/ids.ts'
import { type Address, MAX_ADDRESSES, readAddress, withoutRepeats } from '../addresses.ts'
import type { Caller } from '../caller.ts'
import { Conflict, TooLarge, ValidationFailed } from '../errors.ts'
import type { MessageId, OrgId, ThreadId } from '../ids.ts'
import type { InboxRow } from '../inboxes/inbox.ts'
import type { Engine } from '../ports.ts'
import { replyAddress, signedMessageId } from '../reply-token.ts'
import { type Place, placeOf } from './answered.ts'
import { type Clearance, clear } from './clearance.ts'
import { compose, type Draft } from './compose.ts'
import { type Outgoing, outgoingOf } from './outgoing.ts'
import { recipientsOfReply, subjectOfReply, threadingHeaders } from './reply.ts'
import { textOfHtml } from './text-of-html.ts'
import { MAX_SUBJECT, type MessageInput, readWritten, type Written } from './written.ts'

const MIB = 1024 * 1024
const MAIL_LIMIT = 25 * MIB

type Parts = Pick<Engine, 'db' | 'clock' | 'settings'>

/** A mail that is ready to be stored, and whether it may go. */
export interface Prepared extends Outgoing, Pick<Clearance, 'verdict' | 'conditions'> {}

/** Checks the request against what is known and composes the mail; nothing is stored. The refusals are those of `sendMessage`. */
export async function prepare(
  engine: Parts,
  caller: Caller,
  input: MessageInput,
): Promise<Prepared> {
  const written = readWritten(input)
  requireRoom(Buffer.byteLength(written.text ?? '') + Buffer.byteLength(written.html ?? ''))
  const place = await placeOf(engine, caller, input)
  requireActive(place)
  const people = recipientsOf(written, place)
  const subject = subjectOf(written, place)
  const { inbox, answered } = place
  const clearance = await clear(engine, {
    caller,
    inbox,
    threadId: answered?.thread_id,
    emails: [...people.to, ...people.cc, ...people.bcc].map(({ email }) => email),
    content: { subject, text: written.text, html: written.html, headers: [], files: [] },
  })
  const at = engine.clock.now()
  const id = newId('msg', at)
  const threadId: ThreadId = answered?.thread_id ?? `thr_${idSuffix(id)}`
  const { messageId, replyTo } = await tokensOf(engine, inbox, { messageId: id, threadId })
  const ownId = engine.settings.outbound === 'relay' ? messageId : undefined
  const { bcc, ...open } = people
  const draft: Draft = {
    ...open,
    from: named(inbox, inbox.address),
    replyTo: written.replyTo.length > 0 ? written.replyTo : replyTo,
    subject,
    text: written.text,
    html: written.html,
    messageId,
    date: at,
    threading: threadingHeaders(answered, ownId),
    autoReplied: caller.agent && answered !== undefined,
  }
  const raw = await compose(draft)
  requireRoom(raw.length)
  const text = written.text ?? (await textOfHtml(raw))
  const dryRun = clearance.outside && engine.settings.outbound === 'dry-run'
  const { replyTo: asked } = written
  const by = { byAgent: caller.agent, keyId: caller.keyId }
  const mail = { id, inbox, answered, draft, replyTo: asked, bcc, text, raw, dryRun, ...by }
  const { verdict, conditions } = clearance
  return { ...outgoingOf(mail), verdict, conditions }
}

const named = ({ display_name: name }: InboxRow, email: string): Address =>
  name ? { email, name } : { email }

/** What an answer to this mail is known by. The address is ours alone: nobody asked for it, so messages do not show it. */
async function tokensOf(
  { db }: Pick<Engine, 'db'>,
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
  return {
    messageId: signedMessageId(row.reply_secret, inbox, mail),
    replyTo: address === undefined ? [] : [named(inbox, address)],
  }
}

function requireRoom(bytes: number): void {
  if (bytes <= MAIL_LIMIT) return
  throw new TooLarge(`The mail has ${(bytes / MIB).toFixed(1)} MB; at most 25 MB can be sent.`, {
    fix: 'Shorten text_body or html_body.',
  })
}

function requireActive({ inbox }: Place): void {
  if (inbox.is_active) return
  throw new Conflict(`The inbox ${inbox.address} is switched off and sends nothing.`, {
    fix: `Switch it on (PATCH /v1/agent/inboxes/${inbox.id} {"is_active": true}), or write from another inbox.`,
  })
}

/** Everybody once: who is in To is in neither Cc nor Bcc. */
function recipientsOf(written: Written, { answered }: Place): Pick<Written, 'to' | 'cc' | 'bcc'> {
  const to = written.to.length > 0 || answered === undefined ? written.to : answeredPeople(answered)
  if (to.length === 0) {
    const message =
      answered === undefined
        ? 'a new mail needs at least one recipient'
        : 'the message that is answered has no author; name the recipients'
    throw new ValidationFailed([{ field: 'to', message }])
  }
  const everybody = withoutRepeats([...to, ...written.cc, ...written.bcc])
  const among = (field: readonly Address[]) => field.filter((person) => everybody.includes(person))
  return { to: among(to), cc: among(written.cc), bcc: among(written.bcc) }
}

/** What came in from outside is read as strictly as what a caller writes: a header cannot add anybody. */
function answeredPeople(answered: NonNullable<Place['answered']>): Address[] {
  const people = recipientsOfReply(answered)
  const read = people.map(({ email, name }) => {
    const address = readAddress({ email, name })
    return typeof address === 'string' ? readAddress({ email }) : address
  })
  const wrong = read.filter((address) => typeof address === 'string')
  if (people.length > MAX_ADDRESSES) wrong.push(`it asks for ${people.length} recipients`)
  if (wrong.length === 0) return read.filter((address) => typeof address !== 'string')
  const message = `the author of the message cannot be answered (${wrong.join('; ')}); name the recipients`
  throw new ValidationFailed([{ field: 'to', message }])
}

function subjectOf({ subject }: Written, { answered }: Place): string {
  if (subject !== null) return subject
  if (answered !== undefined) {
    return subjectOfReply(answered.subject).slice(0, MAX_SUBJECT).toWellFormed()
  }
  throw new ValidationFailed([{ field: 'subject', message: 'a new mail needs a subject' }])
}
