// A thread that went on while an answer to it was written: the answer is refused, with what came since.
import type { Caller } from '../caller.ts'
import { Refusal, ValidationFailed } from '../errors.ts'
import { findMessage, findThread, showMessages } from '../messages/load.ts'
import type { Message, MessageRow } from '../messages/message.ts'
import type { Conditions } from '../messages/store.ts'
import { NOT_GONE } from '../messages/waiting.ts'
import type { Engine } from '../ports.ts'

type Db = Pick<Engine, 'db'>

/** Messages that are shown to whoever knew less. */
const MAX_NEWER = 20

/** 409: the thread has newer messages than the one that the sender knew. */
export class ThreadMoved extends Refusal {
  override readonly name = 'ThreadMoved'
  readonly status = 409
  /** Oldest first, at most 20. */
  readonly newer: readonly Message[]

  constructor(lastKnown: string, newer: readonly Message[]) {
    const ids = newer.map(({ id }) => id).join(', ')
    super('thread_moved', `The thread has gone on since ${lastKnown}: ${ids}.`, {
      fix: `Read what is new, and send again with if_last_message_id ${newer.at(-1)?.id} if the answer still fits.`,
      details: [{ field: 'if_last_message_id', message: 'is not the last message any more' }],
    })
    this.newer = newer
  }
}

/**
 * What has to hold when the mail is stored, so that it follows the message that the sender knew.
 * Throws ThreadMoved where it does not hold now, ValidationFailed for a message of another thread and for a mail
 * that answers nothing, NotFound.
 */
export async function stillLast(
  engine: Db,
  caller: Caller,
  mail: Pick<MessageRow, 'thread_id' | 'match_method'>,
  lastKnown: string | undefined,
): Promise<Conditions['threads']> {
  if (lastKnown === undefined) return []
  if (mail.match_method === 'new') {
    throw wrong('goes with thread_id or reply_to_message_id, and this mail begins a thread')
  }
  const known = await findMessage(engine, caller, lastKnown)
  const thread = await findThread(engine, caller, mail.thread_id)
  if (known.thread_id !== thread.id) throw wrong(`is of another thread, ${known.thread_id}`)
  const newer = await newerThan(engine, known)
  if (newer.length > 0) {
    throw new ThreadMoved(lastKnown, await showMessages(engine, caller.orgId, newer))
  }
  return [{ org_id: thread.org_id, id: thread.id, last_message_id: thread.last_message_id }]
}

const wrong = (message: string) => new ValidationFailed([{ field: 'if_last_message_id', message }])

function newerThan({ db }: Db, known: MessageRow): Promise<MessageRow[]> {
  return db.query<MessageRow>(
    `SELECT * FROM messages
     WHERE org_id = $1 AND thread_id = $2 AND (created_at, id) > ($3, $4) AND status <> ALL($5)
     ORDER BY created_at, id LIMIT ${MAX_NEWER}`,
    [known.org_id, known.thread_id, known.created_at, known.id, NOT_GONE],
    'newer_in_thread',
  )
}
