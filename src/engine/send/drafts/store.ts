// Drafts in the database: written whole, changed only as they were read, thrown away unless they went out.
import type { Engine } from '../../ports.ts'
import type { DraftVersion } from './already-sent.ts'
import type { DraftRow } from './draft.ts'

type Db = Pick<Engine, 'db'>

/** False where the inbox was deleted meanwhile: nobody would erase it. */
export async function insertDraft({ db }: Db, row: DraftRow): Promise<boolean> {
  const made = await db.query(
    `INSERT INTO drafts SELECT d.* FROM jsonb_populate_record(NULL::drafts, $1) AS d
     JOIN inboxes i ON i.org_id = d.org_id AND i.id = d.inbox_id AND i.deleted_at IS NULL
     FOR SHARE OF i RETURNING id`,
    [JSON.stringify(row)],
    'insert_draft',
  )
  return made.length > 0
}

/** Undefined where it was changed, sent or thrown away since it was read. Two changes never have the same time. */
export async function replaceDraft(
  { db }: Db,
  { org_id, id, updated_at }: DraftVersion,
  { written, shown }: Pick<DraftRow, 'written' | 'shown'>,
  now: Date,
): Promise<DraftRow | undefined> {
  const [row] = await db.query<DraftRow>(
    `UPDATE drafts SET written = $4, shown = $5, updated_at = greatest($6, $3 + interval '1 millisecond')
     WHERE org_id = $1 AND id = $2 AND updated_at = $3 AND sent_message_id IS NULL RETURNING *`,
    [org_id, id, updated_at, JSON.stringify(written), JSON.stringify(shown), now],
    'replace_draft',
  )
  return row
}

/** False where it was sent or thrown away before. */
export async function removeDraft(
  { db }: Db,
  { org_id, id }: Pick<DraftRow, 'org_id' | 'id'>,
): Promise<boolean> {
  const gone = await db.query(
    'DELETE FROM drafts WHERE org_id = $1 AND id = $2 AND sent_message_id IS NULL RETURNING id',
    [org_id, id],
    'remove_draft',
  )
  return gone.length > 0
}
