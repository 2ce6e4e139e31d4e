// Reads an uploaded document: text, passages, index, and at the end the event that it is ready or why it is not.
import { newId } from '../../platform/ids.ts'
import { type EventName, newEvent } from '../events.ts'
import type { DocumentId, OrgId } from '../ids.ts'
import type { JobHandler } from '../jobs/handler.ts'
import type { Engine } from '../ports.ts'
import { type Passage, passagesOf } from './chunk.ts'
import { decodeText, NO_TEXT } from './decode.ts'
import type { DocumentRow } from './document.ts'
import { languageOf } from './language.ts'
import { indexWords, stemWords } from './lexemes.ts'
import { wordsOf } from './words.ts'

type Parts = Pick<Engine, 'db' | 'clock' | 'blobs' | 'jobs'>

interface Totals {
  chunk_count: number
  length: number
  language: string
}

/** Passages stored in one statement; measured on the embedded database: 0.5 ms each. */
const SLICE = 30

/**
 * The job `documents.read` { document_id }. Safe to repeat and to run twice at a time: a passage has
 * one place in its document, and only a document that is still `processing` changes its state.
 */
export const readDocument =
  (engine: Parts): JobHandler =>
  async ({ orgId, payload }, signal) => {
    const [document] = await engine.db.query<DocumentRow>(
      "SELECT * FROM documents WHERE org_id = $1 AND id = $2 AND status = 'processing'",
      [orgId, payload.document_id],
    )
    if (document === undefined) return { kind: 'done' }
    const read = decodeText(await engine.blobs.get(orgId, document.sha256))
    if (read.kind === 'unreadable') {
      await settle(engine, document, 'failed', { error: read.reason })
      return { kind: 'done' }
    }
    const totals = await storePassages(engine, document, read.text, signal)
    if (totals.chunk_count === 0) await settle(engine, document, 'failed', { error: NO_TEXT })
    else await settle(engine, document, 'ready', totals)
    return { kind: 'done' }
  }

async function storePassages(
  engine: Parts,
  document: DocumentRow,
  text: string,
  signal: AbortSignal,
): Promise<Totals> {
  const totals = { chunk_count: 0, length: 0, language: languageOf(text) }
  const format = document.content_type === 'text/markdown' ? 'markdown' : 'plain'
  for (const slice of slices(passagesOf(text, format))) {
    signal.throwIfAborted()
    totals.length += await storeSlice(engine, document, slice, totals)
    totals.chunk_count += slice.length
  }
  return totals
}

function* slices(passages: Iterable<Passage>): Generator<Passage[]> {
  let slice: Passage[] = []
  for (const passage of passages) {
    slice.push(passage)
    if (slice.length < SLICE) continue
    yield slice
    slice = []
  }
  if (slice.length > 0) yield slice
}

/** Stores passages behind those already stored; returns how many words they have. */
async function storeSlice(
  { db, clock }: Parts,
  document: DocumentRow,
  slice: readonly Passage[],
  { chunk_count, language }: Totals,
): Promise<number> {
  const about = slice.map(({ heading }) => `${document.name}\n${heading ?? ''}`)
  const words = slice.flatMap(({ content }, at) => wordsOf(`${content}\n${about[at]}`))
  await db.quiet()
  const stems = await stemWords({ db }, words, language)
  const scope = [document.org_id, document.inbox_id]
  const now = clock.now()
  const rows = slice.map(({ heading, content }, at) => ({
    id: newId('chk', now),
    position: chunk_count + at,
    heading,
    content,
    ...indexWords({ content, surroundings: about[at] ?? '', scope }, stems),
  }))
  await db.quiet()
  await db.query(
    INSERT_SLICE,
    [document.org_id, document.id, language, JSON.stringify(rows)],
    'insert_chunks',
  )
  return rows.reduce((sum, { length }) => sum + length, 0)
}

/** Stores nothing once the document is deleted; the row lock makes a deletion wait for this statement. */
const INSERT_SLICE = `
  INSERT INTO chunks AS known
    (org_id, id, inbox_id, document_id, position, heading, content, words, language, length)
  SELECT d.org_id, c.id, d.inbox_id, d.id, c.position, c.heading, c.content, c.tsvector, $3, c.length
  FROM (SELECT * FROM documents
        WHERE org_id = $1 AND id = $2 AND status = 'processing' FOR SHARE) AS d,
    jsonb_to_recordset($4::jsonb) AS c
      (id text, position integer, heading text, content text, tsvector tsvector, length integer)
  ON CONFLICT (org_id, document_id, position) DO UPDATE
    SET heading = excluded.heading, content = excluded.content, words = excluded.words,
      language = excluded.language, length = excluded.length`

/** The new state and its event, in one statement; nothing where the document is gone or settled already. */
async function settle(
  { db, clock, jobs }: Parts,
  document: DocumentRow,
  status: 'ready' | 'failed',
  outcome: Partial<Totals> & { error?: string },
): Promise<void> {
  const now = clock.now()
  const name: EventName = status === 'ready' ? 'document.ready' : 'document.failed'
  const { chunk_count = 0, length = 0, language = 'simple', error = null } = outcome
  const event = newEvent(
    name,
    {
      orgId: document.org_id,
      inboxId: document.inbox_id,
      data: {
        document_id: document.id,
        name: document.name,
        version: document.version,
        ...(error ? { error } : { chunk_count }),
      },
    },
    now,
  )
  // Left by a reading that another version of the program began.
  await forgetChunks({ db }, document.org_id, document.id, chunk_count)
  await db.quiet()
  await db.query(
    `WITH document AS (
       UPDATE documents SET status = $3, error = $4, chunk_count = $5, length = $6, language = $7, updated_at = $8
       WHERE org_id = $1 AND id = $2 AND status = 'processing' RETURNING org_id, inbox_id
     )
     INSERT INTO events (org_id, id, event, inbox_id, data, created_at)
     SELECT org_id, $9, $10, inbox_id, $11, $8 FROM document`,
    [
      document.org_id,
      document.id,
      status,
      error,
      chunk_count,
      length,
      language,
      now,
      event.id,
      event.event,
      JSON.stringify(event.data),
    ],
  )
  jobs.wake()
}

/** Deletes the passages of a document from a place on, in slices; resolves when none is left. */
export async function forgetChunks(
  { db }: Pick<Engine, 'db'>,
  orgId: OrgId,
  documentId: DocumentId,
  from = 0,
): Promise<void> {
  for (;;) {
    await db.quiet()
    const gone = await db.query(
      `DELETE FROM chunks WHERE org_id = $1 AND id = ANY(ARRAY(
         SELECT id FROM chunks WHERE org_id = $1 AND document_id = $2 AND position >= $3 LIMIT 200))
       RETURNING 1`,
      [orgId, documentId, from],
      'forget_chunks',
    )
    if (gone.length === 0) return
  }
}
