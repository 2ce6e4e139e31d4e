// The receipt of a result: how much there is, how much of it is here, and where to go on. No cut is silent.
import { ValidationFailed } from '../../engine/errors.ts'
import { cursorOf, type Place } from '../../engine/page.ts'
import { type Answer, costOf, filled, type JsonObject, NOTES, textOf } from './answer.ts'
import { withWeekday } from './times.ts'
import { estimateTokens } from './tokens.ts'
import type { Call } from './tool.ts'

/** What a result costs at most where the caller names no budget, in tokens. */
export const USUAL_BUDGET = 6_000
/** Of the receipt, the notes and what else is around a list. */
const FRAME_TOKENS = 180
/** More ids than this cost more than they are worth: 30 are 576 tokens. */
const MAX_OMITTED_IDS = 5

export interface Listed {
  row: JsonObject
  id: string
  /** Where the list goes on after this row; absent in lists that have no further page. */
  place?: Place
}

export interface Listing {
  /** What stands before and after the rows. */
  head?: JsonObject
  tail?: JsonObject
  rows: readonly Listed[]
  total: number
  /** Rows on the pages before this one. */
  seen: number
  /** Whether the engine has further rows after these. */
  more: boolean
  line?: (row: JsonObject) => string
}

/** A list as far as it fits the budget, from its beginning. */
export function listed(call: Call, listing: Listing): Answer {
  const { head = {}, tail = {}, rows, total, seen, line } = listing
  const count = fitting(rows, USUAL_BUDGET - FRAME_TOKENS, line)
  const shown = rows.slice(0, count)
  const last = shown.at(-1)
  const more = listing.more || count < rows.length
  const receipt = receiptOf(call, {
    total,
    returned: count,
    omitted: total - seen - count,
    omittedIds: listing.more ? [] : rows.slice(count).map(({ id }) => id),
    nextCursor: more && last?.place ? pageCursor(seen + count, cursorOf(last.place)) : null,
  })
  const result = { ...head, data: shown.map(({ row }) => row), ...tail, receipt }
  return line === undefined ? { result } : { result, line }
}

interface Count {
  total: number
  returned: number
  omitted: number
  omittedIds?: readonly string[]
  nextCursor: string | null
}

export function receiptOf({ engine }: Call, count: Count): JsonObject {
  // Rows may have come or gone between the count and the page.
  const omitted = Math.max(0, count.omitted)
  const ids = count.omittedIds ?? []
  return filled({
    total: count.total,
    returned: count.returned,
    omitted,
    omitted_ids: ids.length === omitted && omitted <= MAX_OMITTED_IDS ? ids : [],
    next_cursor: count.nextCursor,
    estimated_tokens: 0,
    complete: omitted === 0 && count.nextCursor === null,
    now: withWeekday(engine.clock.now()),
  })
}

/** Adds what can be said only about the finished result: the notes around fenced words, and its size. */
export function finished({ fence }: Pick<Call, 'fence'>, answer: Answer): Answer {
  const fenced = JSON.stringify(answer.result).includes(`<<mail ${fence.id}`)
  const [before = '', after = ''] = NOTES
  const result = fenced
    ? { [before]: fence.note, ...answer.result, [after]: fence.note }
    : answer.result
  const { receipt } = result
  if (typeof receipt !== 'object' || Array.isArray(receipt)) return { ...answer, result }
  const estimated = Math.max(
    estimateTokens(JSON.stringify(result)),
    estimateTokens(textOf({ ...answer, result })),
  )
  return { ...answer, result: { ...result, receipt: { ...receipt, estimated_tokens: estimated } } }
}

/** A cursor of ours: how many rows came before, and the engine's cursor. */
export const pageCursor = (seen: number, cursor: string) => `${seen}.${cursor}`

/** Throws ValidationFailed on what is not from a receipt. */
export function readCursor(text: string | undefined): { seen: number; cursor?: string } {
  if (text === undefined) return { seen: 0 }
  const [, seen, cursor] = /^(\d{1,9})\.([\w-]+)$/.exec(text) ?? []
  if (seen !== undefined && cursor !== undefined) return { seen: Number(seen), cursor }
  throw new ValidationFailed([
    { field: 'cursor', message: 'is not one of ours; take next_cursor of the previous result' },
  ])
}

function fitting(rows: readonly Listed[], budget: number, line: Listing['line']): number {
  let left = budget
  const over = rows.findIndex(({ row }) => {
    left -= costOf(row, line)
    return left < 0
  })
  return over < 0 ? rows.length : Math.max(1, over)
}
