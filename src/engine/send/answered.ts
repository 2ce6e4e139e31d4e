// From which inbox a mail is written, in which thread, and which message it answers.
import { type Caller, requireScope } from '../caller.ts'
import { Unprocessable, ValidationFailed } from '../errors.ts'
import type { InboxId } from '../ids.ts'
import { resolveInbox, theInbox } from '../inboxes/find.ts'
import type { InboxRow } from '../inboxes/inbox.ts'
import { findMessage, findThread } from '../messages/load.ts'
import type { MessageRow } from '../messages/message.ts'
import type { ThreadRow } from '../messages/thread.ts'
import { NOT_GONE } from '../messages/waiting.ts'
import type { Engine } from '../ports.ts'
import type { MessageInput } from './written.ts'

type Db = Pick<Engine, 'db'>

export interface Place {
  inbox: InboxRow
  /** Absent for a mail that begins a thread. */
  answered?: MessageRow
  /** What is handed on to others, in a thread of its own. */
  forwarded?: MessageRow
}

/** Reports of delivery (RFC 3464 and what came before): nobody reads an answer to them. */
const BOUNCES = [
  'bounce',
  'delay',
  'complaint',
  'receipt',
  'empty_envelope_sender',
  'mailer_daemon',
]

/**
 * Where the mail belongs. Throws NotFound for what the caller cannot see, Forbidden for a key that may not read what it
 * would hand on, ValidationFailed for a thread or message of another inbox and where an inbox has to be named,
 * Unprocessable for an agent that answers a machine.
 */
export async function placeOf(engine: Db, caller: Caller, input: MessageInput): Promise<Place> {
  if (input.include_quoted || input.forward_message_id !== undefined) {
    requireScope(caller, 'email:read')
  }
  const named =
    input.inbox_id === undefined ? undefined : await theInbox(engine, caller, input.inbox_id)
  const forwarded = await forwardedBy(engine, caller, input, named?.id)
  const answered = await answeredBy(engine, caller, input, named?.id)
  const origin = answered ?? forwarded
  const inbox = named ?? (await inboxOf(engine, caller, origin))
  if (answered !== undefined) refuseMachine(caller, answered)
  return {
    inbox,
    ...(answered === undefined ? {} : { answered }),
    ...(forwarded === undefined ? {} : { forwarded }),
  }
}

const inboxOf = (engine: Db, caller: Caller, origin: MessageRow | undefined): Promise<InboxRow> =>
  origin === undefined
    ? theInbox(engine, caller, undefined)
    : resolveInbox(engine, caller, origin.inbox_id)

async function forwardedBy(
  engine: Db,
  caller: Caller,
  { forward_message_id: id }: MessageInput,
  inboxId: InboxId | undefined,
): Promise<MessageRow | undefined> {
  if (id === undefined) return undefined
  const message = await findMessage(engine, caller, id)
  requireInbox('forward_message_id', message.inbox_id, inboxId)
  return message
}

async function answeredBy(
  engine: Db,
  caller: Caller,
  { thread_id, reply_to_message_id }: MessageInput,
  inboxId: InboxId | undefined,
): Promise<MessageRow | undefined> {
  if (reply_to_message_id !== undefined) {
    const message = await findMessage(engine, caller, reply_to_message_id)
    requireInbox('reply_to_message_id', message.inbox_id, inboxId)
    return message
  }
  if (thread_id === undefined) return undefined
  const thread = await findThread(engine, caller, thread_id)
  requireInbox('thread_id', thread.inbox_id, inboxId)
  return newest(engine, caller, thread)
}

function requireInbox(field: string, actual: InboxId, named: InboxId | undefined): void {
  if (named === undefined || named === actual) return
  throw new ValidationFailed([{ field, message: `belongs to another inbox, ${actual}` }], {
    fix: `Write from ${actual}, or leave inbox_id out.`,
  })
}

/**
 * The newest message of a thread that came or went: none that waits or was never let go, no bounce, and for an
 * agent no automatic mail, unless the thread holds nothing else.
 */
async function newest({ db }: Db, caller: Caller, thread: ThreadRow): Promise<MessageRow> {
  const [row] = await db.query<MessageRow>(
    `SELECT * FROM messages WHERE org_id = $1 AND thread_id = $2 AND NOT (status = ANY($5))
     ORDER BY direction = 'inbound' AND auto_reply IS NOT NULL AND ($3 OR auto_reply = ANY($4)),
       created_at DESC, id DESC LIMIT 1`,
    [thread.org_id, thread.id, caller.agent, BOUNCES, NOT_GONE],
  )
  if (row !== undefined) return row
  throw new ValidationFailed([
    { field: 'thread_id', message: 'holds no message that came or went yet' },
  ])
}

/** Two machines that answer each other never stop: an agent answers people only. RFC 3834 §2. */
function refuseMachine(caller: Caller, { direction, auto_reply }: MessageRow): void {
  if (!caller.agent || direction === 'outbound' || auto_reply === null) return
  throw new Unprocessable(
    'automatic_mail',
    `This is automatic mail (${auto_reply}); an agent does not answer it.`,
    {
      fix: 'Leave it unanswered, or write a new mail without thread_id and reply_to_message_id.',
    },
  )
}
