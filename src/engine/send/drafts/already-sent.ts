// A draft goes out once: whoever sends it again is answered with the mail that it became.
import { type Caller, seesInbox } from '../../caller.ts'
import { Conflict, NotFound } from '../../errors.ts'
import type { DraftId, OrgId } from '../../ids.ts'
import { showMessages } from '../../messages/load.ts'
import type { MessageRow } from '../../messages/message.ts'
import type { ReviewRow } from '../../messages/store.ts'
import type { Engine } from '../../ports.ts'
import type { Held, SentMessage } from '../sent.ts'
import { Reason } from '../verdict.ts'
import type { DraftRow } from './draft.ts'

type Db = Pick<Engine, 'db'>

/** A draft as somebody read it. */
export interface DraftVersion {
  org_id: OrgId
  id: DraftId
  updated_at: Date
}

/**
 * The mail that the draft has become; undefined where it is still the draft that was read.
 * Throws Conflict where it was changed meanwhile, NotFound where it was thrown away.
 */
export async function alreadySent(
  engine: Db,
  caller: Caller,
  read: DraftVersion,
): Promise<SentMessage | Held | undefined> {
  const [draft] = await engine.db.query<DraftRow>(
    'SELECT * FROM drafts WHERE org_id = $1 AND id = $2',
    [read.org_id, read.id],
    'draft_as_it_is',
  )
  if (draft === undefined) throw new NotFound('draft', read.id)
  if (draft.sent_message_id !== null) return mailOf(engine, caller, draft.sent_message_id)
  if (draft.updated_at.getTime() === read.updated_at.getTime()) return undefined
  throw new Conflict(`The draft ${read.id} was changed while it was being sent.`, {
    fix: 'Look at the draft as it is now, and send it again.',
  })
}

async function mailOf(engine: Db, caller: Caller, id: string): Promise<SentMessage | Held> {
  const [row] = await engine.db.query<MessageRow>(
    'SELECT * FROM messages WHERE org_id = $1 AND id = $2',
    [caller.orgId, id],
    'mail_of_draft',
  )
  if (row === undefined || !seesInbox(caller, row.inbox_id)) throw new NotFound('message', id)
  if (row.status === 'pending_review') return heldOf(engine, row)
  const [message] = await showMessages(engine, caller.orgId, [row])
  if (message === undefined) throw new Error('a row has one message')
  return { ...message, message_id: row.id, replayed: true }
}

async function heldOf({ db }: Db, { org_id, id, thread_id }: MessageRow): Promise<Held> {
  const [review] = await db.query<ReviewRow>(
    'SELECT * FROM reviews WHERE org_id = $1 AND message_id = $2',
    [org_id, id],
    'review_of_mail',
  )
  if (review === undefined) throw new Error('a held mail has a review')
  return {
    id,
    message_id: id,
    thread_id,
    review_id: review.id,
    status: 'pending_review',
    reasons: Reason.array().parse(review.reasons),
    expires_at: review.expires_at.toISOString(),
    replayed: true,
  }
}
