// Finding drafts, and the mails that wait for their hour beside them.
import { type Caller, seesInbox } from '../../caller.ts'
import { NotFound, ValidationFailed } from '../../errors.ts'
import type { InboxId } from '../../ids.ts'
import { resolveInbox } from '../../inboxes/find.ts'
import type { InboxRow } from '../../inboxes/inbox.ts'
import type { MessageRow } from '../../messages/message.ts'
import type { PageInput } from '../../page.ts'
import { placeOf } from '../../page.ts'
import type { Engine } from '../../ports.ts'
import { type Draft, type DraftRow, showDraft, showScheduled } from './draft.ts'

type Db = Pick<Engine, 'db'>

/** The draft's thread may have been joined to another since. */
const DRAFTS = `
  SELECT d.*, coalesce(r.into_id, d.thread_id) AS thread_id FROM drafts d
  JOIN inboxes i ON i.org_id = d.org_id AND i.id = d.inbox_id AND i.deleted_at IS NULL
  LEFT JOIN thread_redirects r ON r.org_id = d.org_id AND r.id = d.thread_id`

/** A draft the caller may see. Throws NotFound; ValidationFailed where it belongs to another inbox than the one named. */
export async function findDraft(
  engine: Db,
  caller: Caller,
  { draft_id, inbox_id }: { draft_id: string; inbox_id?: string | undefined },
): Promise<{ draft: DraftRow; inbox: InboxRow }> {
  const named = inbox_id === undefined ? undefined : await resolveInbox(engine, caller, inbox_id)
  const [draft] = await engine.db.query<DraftRow>(
    `${DRAFTS} WHERE d.org_id = $1 AND d.id = $2`,
    [caller.orgId, draft_id],
    'find_draft',
  )
  if (draft === undefined || !seesInbox(caller, draft.inbox_id))
    throw new NotFound('draft', draft_id)
  if (named !== undefined && named.id !== draft.inbox_id) {
    const message = `this draft belongs to the inbox ${draft.inbox_id}`
    throw new ValidationFailed([{ field: 'draft_id', message }])
  }
  return { draft, inbox: named ?? (await resolveInbox(engine, caller, draft.inbox_id)) }
}

export interface Listed {
  inboxIds: readonly InboxId[] | null
  threadId: string | undefined
  /** Whether mails that wait for their hour are listed too. */
  scheduled: boolean
}

interface Entry {
  id: string
  at: Date
}

const WAITING = `
  SELECT d.id, d.updated_at AS at FROM drafts d
  JOIN inboxes i ON i.org_id = d.org_id AND i.id = d.inbox_id AND i.deleted_at IS NULL
  LEFT JOIN thread_redirects r ON r.org_id = d.org_id AND r.id = d.thread_id
  WHERE d.org_id = $1 AND ($2::text[] IS NULL OR d.inbox_id = ANY($2)) AND d.sent_message_id IS NULL
    AND ($3::text IS NULL OR coalesce(r.into_id, d.thread_id) = $3)
  UNION ALL
  SELECT m.id, m.created_at AS at FROM messages m
  JOIN inboxes i ON i.org_id = m.org_id AND i.id = m.inbox_id AND i.deleted_at IS NULL
  WHERE $4 AND m.org_id = $1 AND ($2::text[] IS NULL OR m.inbox_id = ANY($2)) AND m.status = 'scheduled'
    AND ($3::text IS NULL OR m.thread_id = $3)`

/** What waits, newest first: one more than the page, and how many there are. */
export async function waiting(
  { db }: Db,
  { orgId }: Caller,
  { inboxIds, threadId, scheduled }: Listed,
  page: PageInput,
): Promise<{ entries: Entry[]; total: number }> {
  const place = placeOf(page.cursor, 'drf', 'msg')
  const values = [orgId, inboxIds, threadId ?? null, scheduled]
  const [count] = await db.query<{ total: number }>(
    `SELECT count(*) AS total FROM (${WAITING}) AS w`,
    values,
    'count_waiting',
  )
  const entries = await db.query<Entry>(
    `SELECT id, at FROM (${WAITING}) AS w
     WHERE $5::timestamptz IS NULL OR (at, id COLLATE "C") < ($5, $6)
     ORDER BY at DESC, id COLLATE "C" DESC LIMIT $7 OFFSET $8`,
    [...values, place?.at ?? null, place?.id ?? null, page.limit + 1, page.offset],
    'list_waiting',
  )
  return { entries, total: count?.total ?? 0 }
}

/** The drafts and scheduled mails with these ids, by id. */
export async function shownById(
  { db }: Db,
  { orgId }: Caller,
  ids: readonly string[],
): Promise<Map<string, Draft>> {
  const drafts = await db.query<DraftRow & Pick<InboxRow, 'address' | 'display_name'>>(
    `SELECT d.*, i.address, i.display_name FROM (${DRAFTS}) AS d
     JOIN inboxes i ON i.org_id = d.org_id AND i.id = d.inbox_id
     WHERE d.org_id = $1 AND d.id = ANY($2)`,
    [orgId, ids],
    'drafts_by_id',
  )
  const mails = await db.query<MessageRow & { attachment_ids: string[] }>(
    `SELECT m.*, ARRAY(
       SELECT a.id FROM attachments a WHERE a.org_id = m.org_id AND a.message_id = m.id
       ORDER BY a.position) AS attachment_ids
     FROM messages m WHERE m.org_id = $1 AND m.id = ANY($2)`,
    [orgId, ids],
    'scheduled_by_id',
  )
  const shown = [
    ...drafts.map((row) => showDraft(row, row)),
    ...mails.map((row) => showScheduled(row, row.attachment_ids)),
  ]
  return new Map(shown.map((draft) => [draft.id, draft]))
}
