// Takes a document in: its bytes are kept first, then the row and the job that reads it go in together.
import { createHash } from 'node:crypto'
import { newId } from '../../platform/ids.ts'
import { NotFound, TooLarge, UnsupportedType, ValidationFailed } from '../errors.ts'
import type { InboxRow } from '../inboxes/inbox.ts'
import { newJob } from '../jobs/job.ts'
import type { Engine } from '../ports.ts'
import type { Format } from './chunk.ts'
import type { DocumentRow } from './document.ts'

export interface Upload {
  filename: string
  name?: string | undefined
  content_type?: string | undefined
  bytes: Uint8Array
}

/** The job that reads an uploaded document. */
export const READ_JOB = 'documents.read'

const MIB = 1024 * 1024
const MAX_BYTES = 20 * MIB
const NAME_LENGTH = 200
const TYPES: Record<Format, string> = { markdown: 'text/markdown', plain: 'text/plain' }
const EXTENSIONS: Record<string, Format> = { md: 'markdown', markdown: 'markdown', txt: 'plain' }
const TAKEN = 'Markdown (.md, .markdown) and plain text (.txt)'

/**
 * Stores a document, at most 20 MiB, and enqueues its reading; resolves once the bytes and the row survive a power cut.
 * The same bytes under the same name in the same inbox are the document that is there already.
 * Throws UnsupportedType, TooLarge, ValidationFailed, NotFound (the inbox was deleted meanwhile).
 */
export async function storeDocument(
  { db, clock, blobs, jobs }: Pick<Engine, 'db' | 'clock' | 'blobs' | 'jobs'>,
  inbox: Pick<InboxRow, 'org_id' | 'id'>,
  upload: Upload,
): Promise<{ document: DocumentRow; created: boolean }> {
  const contentType = TYPES[formatOf(upload)]
  const name = nameOf(upload)
  if (upload.bytes.length > MAX_BYTES) {
    throw new TooLarge(
      `A document may have 20 MB; this one has ${megabytes(upload.bytes.length)} MB.`,
      {
        fix: 'Split the document, or upload only the part that is needed.',
      },
    )
  }
  const sha256 = createHash('sha256').update(upload.bytes).digest('hex')
  await blobs.put(inbox.org_id, sha256, upload.bytes)
  const now = clock.now()
  const id = newId('doc', now)
  const job = newJob(READ_JOB, { orgId: inbox.org_id, payload: { document_id: id } }, now)
  const values = [inbox.org_id, inbox.id, id, name, contentType, sha256, upload.bytes.length, now]
  const [document] = await db.query<DocumentRow & { here: boolean }>(
    INSERT,
    [...values, JSON.stringify(job)],
    'insert_document',
  )
  if (document === undefined) throw new NotFound('inbox', inbox.id)
  // The last other use of the bytes may have been deleted before our row was there.
  if (!(await blobs.has(inbox.org_id, sha256))) await blobs.put(inbox.org_id, sha256, upload.bytes)
  jobs.wake()
  return { document, created: document.id === id }
}

/**
 * Row and job, or neither; the existing row where the same is there already. The update of nothing
 * makes ON CONFLICT return the row that is in the way, also one that a parallel upload just committed.
 */
const INSERT = `
  WITH document AS (
    INSERT INTO documents AS d
      (org_id, inbox_id, id, name, content_type, sha256, size, version, status, created_at, updated_at)
    SELECT $1, i.id, $3, $4, $5, $6, $7, 1, 'processing', $8, $8
    FROM inboxes i WHERE i.org_id = $1 AND i.id = $2 AND i.deleted_at IS NULL FOR SHARE
    ON CONFLICT (org_id, inbox_id, name, sha256) DO UPDATE SET name = d.name
    RETURNING d.*
  ), job AS (
    INSERT INTO jobs
    SELECT j.* FROM jsonb_populate_record(NULL::jobs, $9::jsonb) AS j, document
    WHERE document.id = $3
  )
  SELECT * FROM document`

/** By the name's ending; where it has none, by the declared type. */
function formatOf({ filename, content_type }: Upload): Format {
  const ending = /\.([^./\\]*)$/.exec(filename.trim())?.[1]?.toLowerCase()
  const declared = content_type?.split(';')[0]?.trim().toLowerCase()
  const byType = (Object.keys(TYPES) as Format[]).find((format) => TYPES[format] === declared)
  const format = ending === undefined ? byType : EXTENSIONS[ending]
  if (format) return format
  const what = ending === undefined ? 'has no ending that tells its type' : `is a .${ending} file`
  throw new UnsupportedType(`${JSON.stringify(oneLine(filename))} ${what}.`, {
    fix: `Upload ${TAKEN}.`,
    details: [{ field: 'file', message: `must be ${TAKEN}` }],
  })
}

function nameOf({ name, filename }: Upload): string {
  const shown = oneLine(name ?? '') || oneLine(filename.replace(/^.*[/\\]/, ''))
  if (shown) return shown
  throw new ValidationFailed([{ field: 'name', message: 'must not be empty' }])
}

/** Names stand in lists and in the headers of context blocks: one line, nothing that hides or reorders. */
function oneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029\s]+/gu, ' ')
    .trim()
    .slice(0, NAME_LENGTH)
    .toWellFormed()
}

const megabytes = (bytes: number) => (bytes / MIB).toFixed(1)
