// Clearing away what no row points at: bytes and sidecars of mail that was never acknowledged, since its row was not stored.
// Where an older database was put back (a backup, a replica that lagged behind), acknowledged mail has no row either.
// So the newest mail that has one is noted beside the raw mail every so often; where its row is gone and its sidecar is
// not (erasing takes that too), nothing is swept until a rebuild has brought it back. What came between two notes and
// was lost is not noticed: there the grace is the time that a person has for the rebuild.
import type { MessageId, OrgId } from '../ids.ts'
import type { Blobs, Engine, Kept } from '../ports.ts'
import { removeUnused } from '../unused-blob.ts'

/** A mail is stored within seconds of its bytes; what has no row after this long never will. */
const GRACE_MS = 24 * 3_600_000
/** Beside the raw mail, and no hash: it is not listed. */
const NEWEST = 'newest.json'
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
    if (await isBehind(parts, id)) {
      parts.log.warn(
        { organization: id },
        'the database lacks mail that was acknowledged, and no files are swept: postroom reindex',
      )
      continue
    }
    for await (const slice of slices(parts.blobs.list(id))) {
      removed += await sweepSlice(parts, id, slice)
    }
  }
  if (removed > 0) parts.log.info({ removed }, 'files without a row removed')
  return removed
}

/** Notes the newest mail of each organization that has a row. Any number of processes may do so. */
export async function noteNewest(parts: Pick<Parts, 'db' | 'blobs'>): Promise<void> {
  await parts.db.quiet()
  const organizations = await parts.db.query<{ id: OrgId; newest: MessageId | null }>(
    `SELECT o.id, (SELECT max(m.id) FROM messages m WHERE m.org_id = o.id) AS newest
     FROM organizations o`,
    [],
    'note_newest',
  )
  for (const { id, newest } of organizations) {
    if (newest === null || newest === (await notedIn(parts, id))) continue
    // What shows that mail is missing must stay.
    if (await isBehind(parts, id)) continue
    await parts.blobs.put(id, NEWEST, Buffer.from(`${JSON.stringify({ id: newest })}\n`))
  }
}

/** Whether mail that had a row has none, and was not erased. */
async function isBehind({ db, blobs }: Pick<Parts, 'db' | 'blobs'>, orgId: OrgId) {
  const noted = await notedIn({ blobs }, orgId)
  if (noted === undefined) return false
  const rows = await db.query('SELECT 1 FROM messages WHERE org_id = $1 AND id = $2', [
    orgId,
    noted,
  ])
  // In this order: erasing takes the sidecar first.
  return rows.length === 0 && (await blobs.sidecar(orgId, noted)) !== undefined
}

async function notedIn(
  { blobs }: Pick<Parts, 'blobs'>,
  orgId: OrgId,
): Promise<MessageId | undefined> {
  const note = await blobs.get(orgId, NEWEST).catch(absent)
  if (note === undefined) return undefined
  // Half of it, after a power cut, says nothing.
  return /^\{"id":"(msg_[0-9a-z]{26})"\}\n$/.exec(note.toString('utf8'))?.[1] as
    | MessageId
    | undefined
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined
  throw error
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
