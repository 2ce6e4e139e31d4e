// A thread as a change by hand sees it: its row and its messages, and what each part of it will show.
import type { MessageId, ThreadId } from '../../ids.ts'
import type { Engine } from '../../ports.ts'
import type { MessageRow } from '../message.ts'
import { withThreadNews } from '../store.ts'
import type { ThreadRow } from '../thread.ts'
import { NOT_GONE } from '../waiting.ts'
import type { Summary } from './change.ts'
import type { Link } from './homes.ts'

type Db = Pick<Engine, 'db'>

export interface Whole {
  thread: ThreadRow
  /** Oldest first. */
  messages: Link[]
}

/** What the audit keeps of a thread, so that a change can be taken back. */
export type Before = Pick<ThreadRow, 'id' | 'is_read' | 'is_archived' | 'kept_apart_from'> & {
  message_ids: MessageId[]
}

export async function wholeOf({ db }: Db, thread: ThreadRow): Promise<Whole> {
  const messages = await db.query<Link>(
    `SELECT id, message_id_header, match_evidence FROM messages
     WHERE org_id = $1 AND thread_id = $2 ORDER BY created_at, id`,
    [thread.org_id, thread.id],
  )
  return { thread, messages }
}

export const idsOf = ({ messages }: Whole): MessageId[] => messages.map(({ id }) => id).sort()

export const heldOf = (whole: Whole) => ({ id: whole.thread.id, message_ids: idsOf(whole) })

export const beforeOf = (whole: Whole): Before => ({
  id: whole.thread.id,
  is_read: whole.thread.is_read,
  is_archived: whole.thread.is_archived,
  kept_apart_from: whole.thread.kept_apart_from,
  message_ids: idsOf(whole),
})

/** @param held the messages that the thread will hold; what has not gone yet says nothing about it */
export async function summaryOf(
  { db }: Db,
  { org_id }: Pick<ThreadRow, 'org_id'>,
  held: readonly MessageId[],
  state: Omit<Summary, 'preview' | 'waiting_on'>,
): Promise<Summary> {
  const [row] = await db.query<MessageRow>(
    `SELECT * FROM messages WHERE org_id = $1 AND id = ANY($2) AND status <> ALL($3)
     ORDER BY created_at DESC, id DESC LIMIT 1`,
    [org_id, held, NOT_GONE],
  )
  if (row === undefined) return { ...state, preview: '', waiting_on: null }
  const { preview, waiting_on } = withThreadNews(row)
  return { ...state, preview, waiting_on }
}

/** What the joined thread is kept apart from: from what each of the two was, save from each other, wherever their ids lead now. */
export async function apartOfBoth({ db }: Db, a: ThreadRow, b: ThreadRow): Promise<ThreadId[]> {
  const rows = await db.query<{ id: ThreadId }>(
    `SELECT DISTINCT other AS id FROM unnest($2::text[]) AS other
     LEFT JOIN thread_redirects r ON r.org_id = $1 AND r.id = other
     WHERE coalesce(r.into_id, other) <> ALL($3::text[]) ORDER BY other`,
    [a.org_id, [...a.kept_apart_from, ...b.kept_apart_from], [a.id, b.id]],
  )
  return rows.map(({ id }) => id)
}

export const withOne = (ids: readonly ThreadId[], id: ThreadId): ThreadId[] => [
  ...new Set([...ids, id]),
]
