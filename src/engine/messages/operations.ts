// Reading threads and messages.
import { z } from 'zod'
import type { Caller } from '../caller.ts'
import { resolveInbox, scopeOf } from '../inboxes/find.ts'
import { operation } from '../operation.ts'
import { flag, makePage, type PageInput, pageInput, pageOf, placeOf } from '../page.ts'
import type { Engine } from '../ports.ts'
import { findMessage, findThread, showMessages } from './load.ts'
import { MESSAGE_STATUSES, Message, type MessageRow } from './message.ts'
import { showThread, Thread, type ThreadRow } from './thread.ts'

/** A thread is given whole up to this many messages. */
const WHOLE_THREAD = 1000

const inInbox = { inbox_id: z.string().optional() }

export const listThreads = operation({
  name: 'list_threads',
  summary: 'Threads of an inbox, or of all inboxes the caller sees, newest first.',
  scope: 'email:read',
  reads: true,
  input: z.strictObject({
    ...inInbox,
    ...pageInput,
    is_read: flag.optional(),
    is_archived: flag.optional(),
    waiting_on: z.enum(['us', 'them']).optional(),
    before: z.coerce.date().optional(),
    after: z.coerce.date().optional(),
  }),
  output: pageOf(Thread),
  async run(engine, caller, { inbox_id, ...input }) {
    const inboxIds = await scopeOf(engine, caller, inbox_id)
    const place = placeOf(input.cursor, 'thr')
    const filter = `t.org_id = $1 AND ($2::text[] IS NULL OR t.inbox_id = ANY($2))
      AND ($3::boolean IS NULL OR t.is_read = $3) AND ($4::boolean IS NULL OR t.is_archived = $4)
      AND ($5::text IS NULL OR t.waiting_on = $5)
      AND ($6::timestamptz IS NULL OR t.last_message_at < $6)
      AND ($7::timestamptz IS NULL OR t.last_message_at > $7)
      AND EXISTS (SELECT 1 FROM inboxes i WHERE i.org_id = t.org_id AND i.id = t.inbox_id AND i.deleted_at IS NULL)`
    const values = [
      caller.orgId,
      inboxIds,
      input.is_read ?? null,
      input.is_archived ?? null,
      input.waiting_on ?? null,
      input.before ?? null,
      input.after ?? null,
    ]
    const rows = await engine.db.query<ThreadRow>(
      `SELECT t.* FROM threads t WHERE ${filter}
         AND ($8::timestamptz IS NULL OR (t.last_message_at, t.id) < ($8, $9))
       ORDER BY t.last_message_at DESC, t.id DESC LIMIT $10 OFFSET $11`,
      [...values, place?.at ?? null, place?.id ?? null, input.limit + 1, input.offset],
    )
    const total = await count(engine, `threads t WHERE ${filter}`, values)
    return makePage(rows, input, total, (t) => ({ at: t.last_message_at, id: t.id }), showThread)
  },
})

export const getThread = operation({
  name: 'get_thread',
  summary: 'A thread with all its messages, oldest first.',
  scope: 'email:read',
  reads: true,
  input: z.strictObject({ ...inInbox, thread_id: z.string() }),
  output: Thread.extend({ messages: z.array(Message) }),
  async run(engine, caller, input) {
    const thread = await threadOf(engine, caller, input)
    const rows = await oldestFirst(engine, thread, { limit: WHOLE_THREAD, offset: 0 })
    const messages = await showMessages(engine, caller.orgId, rows.slice(0, WHOLE_THREAD))
    return { ...showThread(thread), messages }
  },
})

export const listThreadMessages = operation({
  name: 'list_thread_messages',
  summary: 'The messages of a thread, oldest first; all of them (up to 1,000) without a limit.',
  scope: 'email:read',
  reads: true,
  input: z.strictObject({
    ...inInbox,
    ...pageInput,
    thread_id: z.string(),
    limit: pageInput.limit.unwrap().optional(),
  }),
  output: pageOf(Message),
  async run(engine, caller, input) {
    const thread = await threadOf(engine, caller, input)
    const page = { ...input, limit: input.limit ?? WHOLE_THREAD }
    const rows = await oldestFirst(engine, thread, page)
    return pageOfMessages(engine, caller, rows, page, thread.message_count)
  },
})

export const listMessages = operation({
  name: 'list_messages',
  summary: 'Messages of an inbox, or of all inboxes the caller sees, newest first.',
  scope: 'email:read',
  reads: true,
  input: z.strictObject({
    ...inInbox,
    ...pageInput,
    direction: z.enum(['inbound', 'outbound']).optional(),
    status: z.enum(MESSAGE_STATUSES).optional(),
    thread_id: z.string().optional(),
  }),
  output: pageOf(Message),
  async run(engine, caller, { inbox_id, ...input }) {
    const inboxIds = await scopeOf(engine, caller, inbox_id)
    const place = placeOf(input.cursor, 'msg')
    const filter = `m.org_id = $1 AND ($2::text[] IS NULL OR m.inbox_id = ANY($2))
      AND ($3::text IS NULL OR m.direction = $3) AND ($4::text IS NULL OR m.status = $4)
      AND ($5::text IS NULL OR m.thread_id = coalesce(
        (SELECT into_id FROM thread_redirects WHERE org_id = $1 AND id = $5), $5))
      AND EXISTS (SELECT 1 FROM inboxes i WHERE i.org_id = m.org_id AND i.id = m.inbox_id AND i.deleted_at IS NULL)`
    const values = [
      caller.orgId,
      inboxIds,
      input.direction ?? null,
      input.status ?? null,
      input.thread_id ?? null,
    ]
    const rows = await engine.db.query<MessageRow>(
      `SELECT m.* FROM messages m WHERE ${filter}
         AND ($6::timestamptz IS NULL OR (m.created_at, m.id) < ($6, $7))
       ORDER BY m.created_at DESC, m.id DESC LIMIT $8 OFFSET $9`,
      [...values, place?.at ?? null, place?.id ?? null, input.limit + 1, input.offset],
    )
    const total = await count(engine, `messages m WHERE ${filter}`, values)
    return pageOfMessages(engine, caller, rows, input, total)
  },
})

export const getMessage = operation({
  name: 'get_message',
  summary: 'One message.',
  scope: 'email:read',
  reads: true,
  input: z.strictObject({ ...inInbox, message_id: z.string() }),
  output: Message,
  async run(engine, caller, input) {
    const row = await messageOf(engine, caller, input)
    const [message] = await showMessages(engine, caller.orgId, [row])
    if (message === undefined) throw new Error('a row has one message')
    return message
  },
})

export const getRawMessage = operation({
  name: 'get_raw_message',
  summary: 'The mail exactly as it came or went, message/rfc822.',
  scope: 'email:read',
  reads: true,
  input: z.strictObject({ ...inInbox, message_id: z.string() }),
  output: z.object({ bytes: z.custom<Uint8Array>((value) => value instanceof Uint8Array) }),
  async run(engine, caller, input) {
    const row = await messageOf(engine, caller, input)
    return { bytes: await engine.blobs.get(caller.orgId, row.raw_sha256) }
  },
})

async function threadOf(
  engine: Engine,
  caller: Caller,
  input: { inbox_id?: string | undefined; thread_id: string },
) {
  const inbox = input.inbox_id && (await resolveInbox(engine, caller, input.inbox_id))
  return findThread(engine, caller, input.thread_id, inbox ? inbox.id : undefined)
}

async function messageOf(
  engine: Engine,
  caller: Caller,
  input: { inbox_id?: string | undefined; message_id: string },
) {
  const inbox = input.inbox_id && (await resolveInbox(engine, caller, input.inbox_id))
  return findMessage(engine, caller, input.message_id, inbox ? inbox.id : undefined)
}

async function count({ db }: Engine, from: string, values: readonly unknown[]): Promise<number> {
  const [row] = await db.query<{ total: number }>(`SELECT count(*) AS total FROM ${from}`, values)
  return row?.total ?? 0
}

function oldestFirst({ db }: Engine, thread: ThreadRow, page: PageInput) {
  const place = placeOf(page.cursor, 'msg')
  return db.query<MessageRow>(
    `SELECT * FROM messages WHERE org_id = $1 AND thread_id = $2
       AND ($3::timestamptz IS NULL OR (created_at, id) > ($3, $4))
     ORDER BY created_at, id LIMIT $5 OFFSET $6`,
    [thread.org_id, thread.id, place?.at ?? null, place?.id ?? null, page.limit + 1, page.offset],
  )
}

async function pageOfMessages(
  engine: Engine,
  caller: Caller,
  rows: MessageRow[],
  page: PageInput,
  total: number,
) {
  const shown = await showMessages(engine, caller.orgId, rows.slice(0, page.limit))
  const byId = new Map(shown.map((message) => [message.id, message]))
  const show = (row: MessageRow) => byId.get(row.id) as Message
  return makePage(rows, page, total, (m) => ({ at: m.created_at, id: m.id }), show)
}
