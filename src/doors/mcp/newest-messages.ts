// The messages of a thread that fit a budget: from the newest backwards, given back oldest first.
import type { Message } from '../../engine/messages/message.ts'
import { listMessages } from '../../engine/messages/operations.ts'
import { cursorOf } from '../../engine/page.ts'
import { costOf, type JsonObject } from './answer.ts'
import { messageRow, messageStart, type Shown } from './message-row.ts'
import { pageCursor } from './receipt.ts'
import type { Call } from './tool.ts'

/** Read from the database at a time. */
const PAGE = 25

export interface Range {
  threadId: string
  /** Only what came after this one. */
  after: Message | undefined
  /** For the rows, in tokens. */
  budget: number
  /** Messages on the pages before. */
  seen: number
  cursor?: string
  shown: Shown
}

export async function newestMessages(call: Call, range: Range) {
  const { after, seen } = range
  const window = openWindow(call, range.budget, range.shown)
  let remaining = 0
  for await (const { message, total } of backwards(call, range)) {
    remaining = after === undefined ? total - seen : remaining + 1
    const took = window.take(message)
    // Behind a message of the caller's choice nothing but counting tells how many there are.
    if (!took && after === undefined) break
  }
  const { rows } = window
  const omitted = remaining - rows.length
  const oldest = window.oldest()
  // Where the call had to stop, what was not counted may still be there.
  const more = omitted > 0 || call.signal.aborted
  return {
    rows,
    total: seen + remaining,
    returned: rows.length,
    omitted,
    nextCursor: more && oldest ? pageCursor(seen + rows.length, cursorOf(placeOf(oldest))) : null,
  }
}

/** Takes messages, newest first, until one does not fit; of the first the beginning in any case. */
function openWindow(call: Call, budget: number, shown: Shown) {
  const rows: JsonObject[] = []
  let left = budget
  let oldest: Message | undefined
  const take = (message: Message) => {
    const whole = messageRow(call, message, shown)
    if (costOf(whole) > left && rows.length > 0) {
      left = 0
      return false
    }
    const row = costOf(whole) > left ? messageStart(call, message, left, shown) : whole
    left -= costOf(row)
    rows.unshift(row)
    oldest = message
    return true
  }
  return { rows, oldest: () => oldest, take }
}

/** Newest first, page by page; ends early when the call has to. */
async function* backwards(
  { engine, caller, signal }: Call,
  { threadId, after, cursor: from }: Range,
) {
  let cursor = from
  do {
    const { data, pagination } = await listMessages.run(engine, caller, {
      thread_id: threadId,
      limit: PAGE,
      offset: 0,
      cursor,
    })
    for (const message of data) {
      if (after !== undefined && !isLater(message, after)) return
      yield { message, total: pagination.total }
    }
    cursor = pagination.next_cursor
  } while (cursor !== undefined && !signal.aborted)
}

const placeOf = ({ created_at, id }: Message) => ({ at: new Date(created_at), id })

const isLater = (message: Message, than: Message) =>
  message.created_at > than.created_at ||
  (message.created_at === than.created_at && message.id > than.id)
