// Bytes are kept while a message, a document or an upload uses them, and no longer.
import type { OrgId } from './ids.ts'
import type { Engine } from './ports.ts'

/**
 * Deletes the bytes that nothing uses any more. A mail to two inboxes, or a document that is also an
 * attachment, is one blob: it goes with the last of them.
 */
export async function removeUnused(
  { db, blobs }: Pick<Engine, 'db' | 'blobs'>,
  orgId: OrgId,
  hashes: readonly string[],
): Promise<void> {
  for (const sha256 of new Set(hashes)) {
    const unused = () => isUnused({ db }, orgId, sha256)
    if (await unused()) await blobs.remove(orgId, sha256, unused)
  }
}

async function isUnused(
  { db }: Pick<Engine, 'db'>,
  orgId: OrgId,
  sha256: string,
): Promise<boolean> {
  const [use] = await db.query(
    `SELECT 1 WHERE EXISTS (SELECT 1 FROM messages WHERE org_id = $1 AND raw_sha256 = $2)
       OR EXISTS (SELECT 1 FROM documents WHERE org_id = $1 AND sha256 = $2)
       OR EXISTS (SELECT 1 FROM uploads WHERE org_id = $1 AND sha256 = $2)`,
    [orgId, sha256],
    'is_blob_unused',
  )
  return use === undefined
}
