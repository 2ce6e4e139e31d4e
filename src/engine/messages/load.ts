// Reading messages and threads with what hangs on them.

import { type Caller, seesInbox } from '../caller.ts'
import { NotFound, ValidationFailed } from '../errors.ts'
import type { InboxId, OrgId } from '../ids.ts'
import type { Engine } from '../ports.ts'
import {
  type AttachmentRow,
  type Message,
  type MessageRow,
  type RecipientRow,
  showMessage,
} from './message.ts'
import type { ThreadRow } from './thread.ts'

type Db = Pick<Engine, 'db'>

/** A thread the caller may see; the id of a thread that was joined to another finds the one that stayed. Throws NotFound; ValidationFailed where it belongs to another inbox than the one named. */
export async function findThread(
  { db }: Db,
  caller: Caller,
  threadId: string,
  inboxId?: InboxId,
): Promise<ThreadRow> {
  const [row] = await db.query<ThreadRow>(
    `SELECT t.* FROM threads t JOIN inboxes i ON i.org_id = t.org_id AND i.id = t.inbox_id
     WHERE t.org_id = $1 AND i.deleted_at IS NULL AND t.id = coalesce(
       (SELECT into_id FROM thread_redirects WHERE org_id = $1 AND id = $2), $2)`,
    [caller.orgId, threadId],
    'find_thread',
  )
  if (row === undefined || !seesInbox(caller, row.inbox_id)) throw new NotFound('thread', threadId)
  if (inboxId !== undefined && inboxId !== row.inbox_id)
    throw ofAnotherInbox('thread', row.inbox_id)
  return row
}

/** A message the caller may see; the same errors as findThread. */
export async function findMessage(
  { db }: Db,
  caller: Caller,
  messageId: string,
  inboxId?: InboxId,
): Promise<MessageRow> {
  const [row] = await db.query<MessageRow>(
    `SELECT m.* FROM messages m JOIN inboxes i ON i.org_id = m.org_id AND i.id = m.inbox_id
     WHERE m.org_id = $1 AND m.id = $2 AND i.deleted_at IS NULL`,
    [caller.orgId, messageId],
    'find_message',
  )
  if (row === undefined || !seesInbox(caller, row.inbox_id))
    throw new NotFound('message', messageId)
  if (inboxId !== undefined && inboxId !== row.inbox_id)
    throw ofAnotherInbox('message', row.inbox_id)
  return row
}

const ofAnotherInbox = (what: string, inboxId: InboxId) =>
  new ValidationFailed([
    { field: `${what}_id`, message: `this ${what} belongs to the inbox ${inboxId}` },
  ])

/** Rows as messages, with attachments and recipients: two look-ups for any number of rows. */
export async function showMessages(
  { db }: Db,
  orgId: OrgId,
  rows: readonly MessageRow[],
): Promise<Message[]> {
  const ids = rows.map(({ id }) => id)
  const [attachments, recipients] = await Promise.all([
    db.query<AttachmentRow>(
      'SELECT * FROM attachments WHERE org_id = $1 AND message_id = ANY($2) ORDER BY position',
      [orgId, ids],
    ),
    db.query<RecipientRow>(
      'SELECT * FROM recipients WHERE org_id = $1 AND message_id = ANY($2) ORDER BY position',
      [orgId, ids],
    ),
  ])
  const of = <Row extends { message_id: string }>(all: Row[], id: string) =>
    all.filter((row) => row.message_id === id)
  return rows.map((row) => showMessage(row, of(attachments, row.id), of(recipients, row.id)))
}

/** One message by id within an organization; undefined where it is gone. For readers that are no callers: webhooks, delivery. */
export async function loadMessage(
  engine: Db,
  orgId: OrgId,
  messageId: string,
): Promise<Message | undefined> {
  const rows = await engine.db.query<MessageRow>(
    'SELECT * FROM messages WHERE org_id = $1 AND id = $2',
    [orgId, messageId],
  )
  const [message] = await showMessages(engine, orgId, rows)
  return message
}
