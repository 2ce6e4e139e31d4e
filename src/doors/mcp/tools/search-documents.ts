import { z } from 'zod'
import { searchDocuments } from '../../../engine/documents/operations.ts'
import { theInbox } from '../../../engine/inboxes/find.ts'
import { filled } from '../answer.ts'
import { operationInput } from '../arguments.ts'
import { listed } from '../receipt.ts'
import { tool } from '../tool.ts'

export const searchDocumentsTool = tool({
  name: 'search_documents',
  toolset: 'knowledge',
  title: 'Search the knowledge base',
  description: [
    'Passages of the uploaded documents that fit a question, best first, each with its chunk_id. For a ready text to answer from: get_context.',
    { needs: 'search_messages', says: ' Not for mail: search_messages.' },
  ],
  scope: 'inbox:read',
  hints: { writes: false },
  input: z.strictObject({
    q: z.string().describe('Question or words.'),
    inbox_id: z
      .string()
      .optional()
      .describe(
        "Whose documents, with the organization's; needed only if you have several inboxes.",
      ),
    limit: z.int().min(1).max(20).default(5).describe('How many.'),
  }),
  async run(call, { inbox_id, q, limit }) {
    const { engine, caller, fence } = call
    const inbox = await theInbox(engine, caller, inbox_id)
    const question = operationInput(searchDocuments, { inbox_id: inbox.id, q, limit })
    const found = await searchDocuments.run(engine, caller, question)
    return listed(call, {
      head: { query: fence.short(found.query), mode: found.mode },
      rows: found.data.map((passage) => ({
        id: passage.chunk_id,
        row: filled({
          chunk_id: passage.chunk_id,
          document_id: passage.document_id,
          document_name: fence.short(passage.document_name),
          content: fence.body(passage.content),
          relevance: passage.relevance,
          score: passage.score,
          heading: passage.heading && fence.short(passage.heading),
        }),
      })),
      total: found.total,
      seen: 0,
      more: found.total > found.data.length,
    })
  },
})
