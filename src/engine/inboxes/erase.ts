// Deleting an inbox: it is gone at once for everybody, its mail is then erased slice by slice.

import type { InboxId, OrgId } from '../ids.ts'
import type { JobHandler } from '../jobs/handler.ts'
import { newJob } from '../jobs/job.ts'
import type { Engine } from '../ports.ts'
import { forgetRecent } from '../recent-addresses.ts'
import { removeUnused } from '../unused-blob.ts'

/** Rows erased in one statement: well under 50 ms on the embedded database, which has one connection. */
const SLICE = 200

/** Tables whose rows belong to an inbox and to nothing else. */
const TABLES = [
  'message_ids',
  'seen',
  'attachments',
  'list_entries',
  'idempotency',
  'drafts',
  'reviews',
  'suppressions',
  'inbox_health',
  'chunks',
  'webhook_deliveries',
  'events',
  'threads',
] as const

/**
 * Marks the inbox deleted, retires its address for good and enqueues the erasing, in one statement.
 * The journal is written first: it keeps a rebuild from the raw store from bringing the inbox back.
 */
export async function deleteInboxRow(
  { db, clock, blobs }: Pick<Engine, 'db' | 'clock' | 'blobs'>,
  orgId: OrgId,
  inboxId: InboxId,
): Promise<void> {
  const now = clock.now()
  const [inbox] = await db.query<{ address: string }>(
    'SELECT address FROM inboxes WHERE org_id = $1 AND id = $2',
    [orgId, inboxId],
  )
  await blobs.journal(orgId, {
    kind: 'inbox_deleted',
    at: now,
    inbox_id: inboxId,
    ...(inbox && { address: inbox.address }),
  })
  const job = newJob('inboxes.erase', { orgId, payload: { inbox_id: inboxId } }, now)
  await db.query(
    `WITH gone AS (
       UPDATE inboxes SET deleted_at = $3, is_active = false WHERE org_id = $1 AND id = $2
     ), retired AS (
       UPDATE directory_address SET retired_at = $3 WHERE org_id = $1 AND inbox_id = $2
     )
     INSERT INTO jobs (id, org_id, name, payload, run_at, created_at)
     VALUES ($4, $1, $5, $6, $3, $3)`,
    [orgId, inboxId, now, job.id, job.name, JSON.stringify(job.payload)],
  )
  forgetRecent({ db })
}

/** The job `inboxes.erase`: safe to repeat, since it asks each time what is still there. */
export const eraseInbox =
  (engine: Pick<Engine, 'db' | 'blobs'>): JobHandler =>
  async ({ orgId, payload }) => {
    const inboxId = payload.inbox_id as InboxId
    while (await eraseMessages(engine, orgId, inboxId)) await engine.db.quiet()
    await eraseFiles(engine, 'documents', orgId, inboxId)
    await eraseFiles(engine, 'uploads', orgId, inboxId)
    await eraseAttempts(engine, orgId, inboxId)
    for (const table of TABLES) await eraseRows(engine, table, orgId, inboxId)
    return { kind: 'done' }
  }

async function eraseMessages(
  { db, blobs }: Pick<Engine, 'db' | 'blobs'>,
  orgId: OrgId,
  inboxId: InboxId,
) {
  const rows = await db.query<{ id: `msg_${string}`; raw_sha256: string }>(
    `SELECT id, raw_sha256 FROM messages WHERE org_id = $1 AND inbox_id = $2 LIMIT ${SLICE}`,
    [orgId, inboxId],
  )
  for (const { id } of rows) await blobs.removeSidecar(orgId, id)
  const ids = rows.map(({ id }) => id)
  await db.query('DELETE FROM recipients WHERE org_id = $1 AND message_id = ANY($2)', [orgId, ids])
  await db.query('DELETE FROM messages WHERE org_id = $1 AND id = ANY($2)', [orgId, ids])
  await removeUnused(
    { db, blobs },
    orgId,
    rows.map(({ raw_sha256 }) => raw_sha256),
  )
  return rows.length > 0
}

/** Tables whose rows each stand for a blob. */
async function eraseFiles(
  { db, blobs }: Pick<Engine, 'db' | 'blobs'>,
  table: 'documents' | 'uploads',
  orgId: OrgId,
  inboxId: InboxId,
) {
  const rows = await db.query<{ sha256: string }>(
    `DELETE FROM ${table} WHERE org_id = $1 AND inbox_id = $2 RETURNING sha256`,
    [orgId, inboxId],
  )
  await removeUnused(
    { db, blobs },
    orgId,
    rows.map(({ sha256 }) => sha256),
  )
}

async function eraseRows(
  { db }: Pick<Engine, 'db'>,
  table: string,
  orgId: OrgId,
  inboxId: InboxId,
) {
  for (;;) {
    await db.quiet()
    const gone = await db.query(
      `DELETE FROM ${table} WHERE ctid = ANY(ARRAY(
         SELECT ctid FROM ${table} WHERE org_id = $1 AND inbox_id = $2 LIMIT ${SLICE})) RETURNING 1`,
      [orgId, inboxId],
    )
    if (gone.length === 0) return
  }
}

async function eraseAttempts({ db }: Pick<Engine, 'db'>, orgId: OrgId, inboxId: InboxId) {
  await db.query(
    `DELETE FROM webhook_attempts a USING webhook_deliveries d
     WHERE d.org_id = $1 AND d.inbox_id = $2 AND a.org_id = d.org_id AND a.delivery_id = d.id`,
    [orgId, inboxId],
  )
}
