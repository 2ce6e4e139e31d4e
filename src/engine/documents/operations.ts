// Uploaded knowledge: documents in and out, passages that fit a question, a text to answer from.
import { z } from 'zod'
import { NotFound } from '../errors.ts'
import { resolveInbox, scopeOf } from '../inboxes/find.ts'
import { operation } from '../operation.ts'
import { makePage, pageInput, pageOf, placeOf } from '../page.ts'
import { joinContext } from './context.ts'
import { removeDocument } from './delete.ts'
import { Document, type DocumentRow, findDocument, showDocument } from './document.ts'
import { searchPassages } from './search.ts'
import { storeDocument } from './upload.ts'

const MAX_QUESTION = 2_000
const question = z.string().trim().min(1).max(MAX_QUESTION)
const limit = pageInput.limit
const named = z.strictObject({ inbox_id: z.string().optional(), document_id: z.string() })

export const uploadDocument = operation({
  name: 'upload_document',
  summary:
    'Upload a Markdown or text file. The same bytes and name again return the document there is.',
  scope: 'inbox:write',
  reads: false,
  input: z.strictObject({
    inbox_id: z.string(),
    filename: z.string().max(1_000),
    name: z.string().max(1_000).optional(),
    content_type: z.string().max(200).optional(),
    bytes: z.instanceof(Uint8Array),
  }),
  output: Document.extend({ created: z.boolean() }),
  async run(engine, caller, { inbox_id, ...upload }) {
    const inbox = await resolveInbox(engine, caller, inbox_id)
    const { document, created } = await storeDocument(engine, inbox, upload)
    return { ...showDocument(document), created }
  },
})

export const listDocuments = operation({
  name: 'list_documents',
  summary: 'Documents and their state, newest first.',
  scope: 'inbox:read',
  reads: true,
  input: z.strictObject({ inbox_id: z.string().optional(), ...pageInput }),
  output: pageOf(Document),
  async run(engine, caller, { inbox_id, ...page }) {
    const mine = [caller.orgId, await scopeOf(engine, caller, inbox_id)]
    const after = placeOf(page.cursor, 'doc')
    const rows = await engine.db.query<DocumentRow>(
      `SELECT * FROM documents
       WHERE org_id = $1 AND ($2::text[] IS NULL OR inbox_id = ANY($2))
         AND ($3::timestamptz IS NULL OR (created_at, id) < ($3, $4))
       ORDER BY created_at DESC, id DESC LIMIT $5 OFFSET $6`,
      [...mine, after?.at ?? null, after?.id ?? null, page.limit + 1, page.offset],
    )
    const [count] = await engine.db.query<{ total: number }>(
      `SELECT count(*) AS total FROM documents
       WHERE org_id = $1 AND ($2::text[] IS NULL OR inbox_id = ANY($2))`,
      mine,
    )
    const place = ({ created_at, id }: DocumentRow) => ({ at: created_at, id })
    return makePage(rows, page, count?.total ?? 0, place, showDocument)
  },
})

export const getDocument = operation({
  name: 'get_document',
  summary: 'One document and its state.',
  scope: 'inbox:read',
  reads: true,
  input: named,
  output: Document,
  async run(engine, caller, input) {
    return showDocument(await findDocument(engine, caller, input))
  },
})

export const deleteDocument = operation({
  name: 'delete_document',
  summary: 'Delete a document for good. No search finds it from then on.',
  scope: 'inbox:write',
  reads: false,
  input: named,
  output: z.void(),
  async run(engine, caller, input) {
    const document = await findDocument(engine, caller, input)
    if (!(await removeDocument(engine, document))) throw new NotFound('document', document.id)
  },
})

const Passage = z.object({
  document_id: z.string(),
  document_name: z.string(),
  chunk_id: z.string(),
  content: z.string(),
  score: z.number(),
  relevance: z.number(),
  heading: z.string().optional(),
})

export const searchDocuments = operation({
  name: 'search_documents',
  summary: 'Passages of the documents that fit a question, best first.',
  scope: 'inbox:read',
  reads: true,
  input: z.strictObject({ inbox_id: z.string().optional(), q: question, limit }),
  output: z.object({
    query: z.string(),
    mode: z.enum(['lexical']),
    /** How many fit, whatever the limit. */
    total: z.number(),
    data: z.array(Passage),
  }),
  async run(engine, caller, { inbox_id, q, limit }) {
    const inboxIds = await scopeOf(engine, caller, inbox_id)
    const where = { orgId: caller.orgId, inboxIds }
    const { passages, total } = await searchPassages(engine, where, q, limit)
    const data = passages.map(({ heading, version, ...passage }) => ({
      ...passage,
      ...(heading === null ? {} : { heading }),
    }))
    return { query: q, mode: 'lexical' as const, total, data }
  },
})

const Source = Passage.omit({ content: true, score: true }).extend({ version: z.number() })

export const getContext = operation({
  name: 'get_context',
  summary:
    'Passages joined to one text to answer a question from; not answerable: nothing relevant is known.',
  scope: 'inbox:read',
  reads: true,
  input: z.strictObject({
    inbox_id: z.string().optional(),
    q: question,
    max_tokens: z.coerce.number().int().min(200).max(8_000).default(2_000),
    limit,
  }),
  output: z.object({
    query: z.string(),
    context: z.string(),
    count: z.number(),
    /** Passages that belong to the answer too and found no room. */
    omitted: z.number(),
    sources: z.array(Source),
    answerable: z.boolean(),
    mode: z.enum(['lexical']),
  }),
  async run(engine, caller, { inbox_id, q, max_tokens, limit }) {
    const inboxIds = await scopeOf(engine, caller, inbox_id)
    const where = { orgId: caller.orgId, inboxIds }
    const { answering } = await searchPassages(engine, where, q, limit)
    const { context, used } = joinContext(answering, max_tokens)
    const sources = used.map(({ content, score, heading, ...source }) => ({
      ...source,
      ...(heading === null ? {} : { heading }),
    }))
    return {
      query: q,
      context,
      count: used.length,
      omitted: answering.length - used.length,
      sources,
      answerable: used.length > 0,
      mode: 'lexical' as const,
    }
  },
})
