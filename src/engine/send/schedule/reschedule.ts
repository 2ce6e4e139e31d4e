// A scheduled mail at another hour: the same mail with another Date, and a job for that hour.
import { createHash } from 'node:crypto'
import type { MessageRow } from '../../messages/message.ts'
import type { Engine } from '../../ports.ts'
import { removeUnused } from '../../unused-blob.ts'
import { redated } from './date-field.ts'
import { releaseJob } from './release.ts'

/**
 * Moves the mail; the worker is to be woken afterwards. False: it has gone or changed meanwhile, and nothing was done.
 * The job of the old hour finds nothing due and waits for the new one too: whichever is first lets the mail go.
 */
export async function reschedule(
  engine: Pick<Engine, 'db' | 'blobs' | 'clock'>,
  row: MessageRow,
  at: Date,
): Promise<boolean> {
  const { db, blobs, clock } = engine
  const raw = redated(await blobs.get(row.org_id, row.raw_sha256), at)
  const sha256 = createHash('sha256').update(raw).digest('hex')
  await blobs.put(row.org_id, sha256, raw)
  const moved = await db.query(
    `WITH moved AS (
       UPDATE messages SET send_at = $4, raw_sha256 = $5, size = $6
       WHERE org_id = $1 AND id = $2 AND status = 'scheduled' AND raw_sha256 = $3 RETURNING id
     ), enqueued AS (
       INSERT INTO jobs SELECT j.* FROM moved, jsonb_populate_record(NULL::jobs, $7) AS j
     )
     SELECT id FROM moved`,
    [
      row.org_id,
      row.id,
      row.raw_sha256,
      at,
      sha256,
      raw.length,
      JSON.stringify(releaseJob(row, at, clock.now())),
    ],
    'reschedule',
  )
  if (moved.length === 0) {
    await removeUnused(engine, row.org_id, [sha256])
    return false
  }
  const sidecar = await blobs.sidecar(row.org_id, row.id)
  await blobs.putSidecar(row.org_id, row.id, { ...sidecar, raw_sha256: sha256, send_at: at })
  if (sha256 !== row.raw_sha256) await removeUnused(engine, row.org_id, [row.raw_sha256])
  return true
}
