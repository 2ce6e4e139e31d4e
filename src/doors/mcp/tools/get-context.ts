import { z } from 'zod'
import { getContext } from '../../../engine/documents/operations.ts'
import { theInbox } from '../../../engine/inboxes/find.ts'
import { filled, type JsonObject, textOf } from '../answer.ts'
import { operationInput } from '../arguments.ts'
import { cutTo } from '../lean.ts'
import { finished } from '../receipt.ts'
import { estimateTokens } from '../tokens.ts'
import { type Call, tool } from '../tool.ts'

/** Asked of the engine, so that what is left out is known; this many are cheap to join. */
const MOST_TOKENS = 8_000
/** The engine writes no such line inside a block. */
const BLOCK_START = /\n\n(?=--- Document: )/
const HEADER = /^(--- Document: )(.*)( \(relevance: [\d.]+\) ---)/
const JOINT = '\n\n'
/** Characters of a name, of one where even the best passage alone is too long, and of one where that was not enough. */
const MAX_SHORT = 200
const SHORT = 30
const SHORTEST = 10
/** Of the budget: how far the estimate may lie below what a model counts. */
const CERTAIN_SHARE = 0.93
/** Each step of cutting the best passage leaves this much of it. */
const SHRINK = 0.97

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
    const { engine, caller } = call
    const inbox = await theInbox(engine, caller, inbox_id)
    const question = operationInput(getContext, { inbox_id: inbox.id, q, max_tokens: MOST_TOKENS })
    const found = await getContext.run(engine, caller, question)
    return { result: factsWithin(call, found, max_tokens) }
  },
})

type Found = Awaited<ReturnType<typeof getContext.run>>

/** The last blocks go first; of one that alone is too long the beginning of its words stays. */
function factsWithin(call: Call, found: Found, budget: number): JsonObject {
  const fits = (result: JsonObject) => sizeOf(call, result) <= budget * CERTAIN_SHARE
  const blocks = found.context === '' ? [] : found.context.split(BLOCK_START)
  for (let count = blocks.length; count > 0; count -= 1) {
    const result = facts(call, found, blocks.slice(0, count).join(JOINT), { count })
    if (fits(result)) return result
  }
  const [first] = blocks
  if (first === undefined) return facts(call, found, '', { count: 0, short: SHORT })
  const whole = facts(call, found, shortHeader(first), { count: 1, short: SHORT })
  // Its source says its name too.
  return fits(whole) ? whole : startOf(call, found, first.replace(HEADER, '').trimStart(), fits)
}

function startOf(call: Call, found: Found, block: string, fits: (result: JsonObject) => boolean) {
  let { length } = block
  let result: JsonObject
  do {
    const text = block.slice(0, length).toWellFormed()
    const cut = length < block.length ? { context_complete: false } : {}
    result = { ...facts(call, found, text, { count: 1, short: SHORTEST }), ...cut }
    length = Math.floor(length * SHRINK)
  } while (length > 0 && !fits(result))
  return result
}

const shortHeader = (block: string) =>
  block.replace(
    HEADER,
    (_, start: string, name: string, end: string) => `${start}${cutTo(name, SHORT)}${end}`,
  )

function facts(
  { fence }: Call,
  found: Found,
  context: string,
  { count, short = MAX_SHORT }: { count: number; short?: number },
): JsonObject {
  const name = (text: string) => cutTo(fence.short(text), short)
  const omitted = found.omitted + found.count - count
  return {
    query: name(found.query),
    context: context === '' ? '' : fence.body(context),
    count,
    ...filled({ omitted: omitted === 0 ? undefined : omitted }),
    answerable: found.answerable,
    ...filled({
      sources: found.sources.slice(0, count).map(({ document_name, heading, ...source }) =>
        filled({
          chunk_id: source.chunk_id,
          document_id: source.document_id,
          document_name: name(document_name),
          version: source.version,
          heading: heading && name(heading),
          relevance: source.relevance,
        }),
      ),
    }),
    mode: found.mode,
  }
}

/** As it is sent, with the notes around fenced words. */
function sizeOf(call: Call, facts: JsonObject): number {
  const { result } = finished(call, { result: facts })
  return Math.max(estimateTokens(JSON.stringify(result)), estimateTokens(textOf({ result })))
}
