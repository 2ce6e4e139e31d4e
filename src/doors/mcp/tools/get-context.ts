import { z } from 'zod'
import { getContext } from '../../../engine/documents/operations.ts'
import { theInbox } from '../../../engine/inboxes/find.ts'
import { filled, type JsonObject, textOf } from '../answer.ts'
import { operationInput } from '../arguments.ts'
import { estimateTokens } from '../tokens.ts'
import { type Call, tool } from '../tool.ts'

/** Of what stands around the context whatever it holds: the notes, the query, the verdict. */
const FRAME_TOKENS = 100
/** The engine joins no less. */
const LEAST_TOKENS = 200
/** Each source costs its frame too, and how many there are is known only afterwards. */
const TRIES = 4

export const getContextTool = tool({
  name: 'get_context',
  toolset: 'knowledge',
  title: 'Facts to answer from',
  description: [
    'Passages joined to one text for answering a question. If answerable is false nothing relevant is known: say so, do not guess.',
    {
      needs: 'send_email.citations',
      says: ' Put the chunk_ids used into citations of send_email.',
    },
  ],
  scope: 'inbox:read',
  hints: { writes: false },
  input: z.strictObject({
    q: z.string().describe('Question.'),
    inbox_id: z
      .string()
      .optional()
      .describe(
        "Whose documents, with the organization's; needed only if you have several inboxes.",
      ),
    max_tokens: z.int().min(200).max(8000).default(2000).describe('Budget for the result.'),
  }),
  async run(call, { inbox_id, q, max_tokens }) {
    const inbox = await theInbox(call.engine, call.caller, inbox_id)
    let tokens = Math.max(LEAST_TOKENS, max_tokens - FRAME_TOKENS)
    let result = await factsWithin(call, { inbox_id: inbox.id, q }, tokens)
    for (let tries = 1; tries < TRIES && sizeOf(result) > max_tokens; tries += 1) {
      tokens = Math.max(LEAST_TOKENS, tokens - (sizeOf(result) - max_tokens) - 1)
      result = await factsWithin(call, { inbox_id: inbox.id, q }, tokens)
    }
    return { result }
  },
})

async function factsWithin(
  { engine, caller, fence }: Call,
  about: { inbox_id: string; q: string },
  tokens: number,
): Promise<JsonObject> {
  const question = operationInput(getContext, { ...about, max_tokens: tokens })
  const found = await getContext.run(engine, caller, question)
  return {
    query: fence.short(found.query),
    context: found.context === '' ? '' : fence.body(found.context),
    count: found.count,
    answerable: found.answerable,
    ...filled({
      sources: found.sources.map(({ document_name, heading, ...source }) =>
        filled({
          chunk_id: source.chunk_id,
          document_id: source.document_id,
          document_name: fence.short(document_name),
          version: source.version,
          heading: heading && fence.short(heading),
          relevance: source.relevance,
        }),
      ),
    }),
    mode: found.mode,
  }
}

/** Notes included. */
const sizeOf = (result: JsonObject) =>
  FRAME_TOKENS / 2 +
  Math.max(estimateTokens(JSON.stringify(result)), estimateTokens(textOf({ result })))
