// Clearing away what no row points at: bytes and sidecars of mail that was never acknowledged, since its row was not stored.
import type { OrgId } from '../ids.ts'
import type { Blobs, Engine, Kept } from '../ports.ts'
import { removeUnused } from '../unused-blob.ts'

/** A mail is stored within seconds of its bytes; what has no row after this long never will. */
const GRACE_MS = 10 * 60_000
const SLICE = 500
/** Leads the names of the marks (`cursors`) that rebuilds set. */
export const REBUILDING = 'rebuilding '

type Parts = Pick<Engine, 'db' | 'blobs' | 'clock' | 'log'>

/** Looks through everything that is kept, slice by slice. Returns how many files it removed. */
export async function sweep(parts: Parts): Promise<number> {
  // Where a rebuild is under way, or was broken off, what has no row yet is not lost.
  const organizations = await parts.db.query<{ id: OrgId }>(
    `SELECT id FROM organizations o
     WHERE NOT EXISTS (SELECT 1 FROM cursors c WHERE c.name = $1 || o.id)`,
    [REBUILDING],
  )
  let removed = 0
  for (const { id } of organizations) {
    for await (const slice of slices(parts.blobs.list(id))) {
      removed += await sweepSlice(parts, id, slice)
    }
  }
  if (removed > 0) parts.log.info({ removed }, 'files without a row removed')
  return removed
}

async function sweepSlice(parts: Parts, orgId: OrgId, slice: Kept[]): Promise<number> {
  await parts.db.quiet()
  const names = slice.map(nameOf)
  const rows = await parts.db.query<{ name: string }>(
    `SELECT id AS name FROM messages WHERE org_id = $1 AND id = ANY($2)
     UNION SELECT raw_sha256 FROM messages WHERE org_id = $1 AND raw_sha256 = ANY($2)
     UNION SELECT sha256 FROM documents WHERE org_id = $1 AND sha256 = ANY($2)
     UNION SELECT sha256 FROM uploads WHERE org_id = $1 AND sha256 = ANY($2)`,
    [orgId, names],
  )
  const used = new Set(rows.map(({ name }) => name))
  const limit = parts.clock.now().getTime() - GRACE_MS
  let removed = 0
  for (const kept of slice.filter((one) => !used.has(nameOf(one)))) {
    const at = await kept.writtenAt()
    if (at === undefined || at.getTime() > limit) continue
    await remove(parts, orgId, kept)
    removed += 1
  }
  return removed
}

function remove(
  { blobs, db }: Pick<Parts, 'blobs' | 'db'>,
  orgId: OrgId,
  kept: Kept,
): Promise<void> {
  if (kept.kind === 'sidecar') return blobs.removeSidecar(orgId, kept.messageId)
  return removeUnused({ db, blobs }, orgId, [kept.sha256])
}

const nameOf = (kept: Kept) => (kept.kind === 'raw' ? kept.sha256 : kept.messageId)

async function* slices(all: ReturnType<Blobs['list']>): AsyncIterable<Kept[]> {
  let slice: Kept[] = []
  for await (const kept of all) {
    slice.push(kept)
    if (slice.length < SLICE) continue
    yield slice
    slice = []
  }
  yield slice
}
