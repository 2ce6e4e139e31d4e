// A document: uploaded knowledge of an inbox. The row, and the document as the outside sees it.
import { z } from 'zod'
import type { Caller } from '../caller.ts'
import { NotFound } from '../errors.ts'
import type { DocumentId, InboxId, OrgId } from '../ids.ts'
import { scopeOf } from '../inboxes/find.ts'
import type { Engine } from '../ports.ts'

const STATUSES = ['processing', 'ready', 'failed'] as const

export interface DocumentRow {
  org_id: OrgId
  id: DocumentId
  inbox_id: InboxId
  name: string
  content_type: string
  sha256: string
  /** Bytes. */
  size: number
  version: number
  status: (typeof STATUSES)[number]
  error: string | null
  chunk_count: number
  created_at: Date
  updated_at: Date
}

export const Document = z.object({
  id: z.string(),
  inbox_id: z.string(),
  name: z.string(),
  content_type: z.string(),
  status: z.enum(STATUSES),
  error: z.string().nullable(),
  chunk_count: z.number(),
  size: z.number(),
  version: z.number(),
  created_at: z.string(),
  updated_at: z.string(),
})

export const showDocument = (row: DocumentRow): z.infer<typeof Document> => ({
  id: row.id,
  inbox_id: row.inbox_id,
  name: row.name,
  content_type: row.content_type,
  status: row.status,
  error: row.error,
  chunk_count: row.chunk_count,
  size: row.size,
  version: row.version,
  created_at: row.created_at.toISOString(),
  updated_at: row.updated_at.toISOString(),
})

/** The document a caller names, in the inbox named or in any that the caller sees. Throws NotFound. */
export async function findDocument(
  engine: Pick<Engine, 'db'>,
  caller: Caller,
  { inbox_id, document_id }: { inbox_id?: string | undefined; document_id: string },
): Promise<DocumentRow> {
  const inboxIds = await scopeOf(engine, caller, inbox_id)
  const [row] = await engine.db.query<DocumentRow>(
    `SELECT * FROM documents
     WHERE org_id = $1 AND id = $2 AND ($3::text[] IS NULL OR inbox_id = ANY($3))`,
    [caller.orgId, document_id, inboxIds],
    'find_document',
  )
  if (row === undefined) throw new NotFound('document', document_id)
  return row
}
