// Takes a document out: gone at once for everybody, its passages and bytes follow slice by slice.

import type { DocumentId } from '../ids.ts'
import type { JobHandler } from '../jobs/handler.ts'
import { newJob } from '../jobs/job.ts'
import type { Engine } from '../ports.ts'
import { removeUnused } from '../unused-blob.ts'
import type { DocumentRow } from './document.ts'
import { forgetChunks } from './read.ts'

/** The job that erases what a deleted document leaves behind. */
export const ERASE_JOB = 'documents.erase'

/** Deletes the row and enqueues the erasing of the rest, in one statement; false where it is gone already. */
export async function removeDocument(
  { db, clock, jobs }: Pick<Engine, 'db' | 'clock' | 'jobs'>,
  { org_id, id, sha256 }: DocumentRow,
): Promise<boolean> {
  const payload = { document_id: id, sha256 }
  const job = newJob(ERASE_JOB, { orgId: org_id, payload }, clock.now())
  const gone = await db.query(
    `WITH gone AS (
       DELETE FROM documents WHERE org_id = $1 AND id = $2 RETURNING 1
     )
     INSERT INTO jobs
     SELECT j.* FROM jsonb_populate_record(NULL::jobs, $3::jsonb) AS j, gone RETURNING 1`,
    [org_id, id, JSON.stringify(job)],
  )
  jobs.wake()
  return gone.length > 0
}

/** The job `documents.erase` { document_id, sha256 }: safe to repeat. The bytes stay while another document or mail has the same. */
export const eraseDocument =
  (engine: Pick<Engine, 'db' | 'blobs'>): JobHandler =>
  async ({ orgId, payload }) => {
    await forgetChunks(engine, orgId, payload.document_id as DocumentId)
    await removeUnused(engine, orgId, [String(payload.sha256)])
    return { kind: 'done' }
  }
