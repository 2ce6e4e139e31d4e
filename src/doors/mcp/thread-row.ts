// A thread in a result: as a row of a list, or alone with seconds in its times.
import type { Thread } from '../../engine/messages/thread.ts'
import { filled, inline, type JsonObject } from './answer.ts'
import { people } from './people.ts'
import { toMinute, toSecond } from './times.ts'
import type { Call } from './tool.ts'

/** Participants that are named; a list mail has hundreds. */
const MAX_PARTICIPANTS = 8
/** Of a thread's beginning: enough to tell two apart. */
const PREVIEW_LENGTH = 60

interface Form {
  /** Whether the inbox must be said: the caller sees several. */
  several: boolean
  alone: boolean
}

export function threadRow(
  { fence }: Pick<Call, 'fence'>,
  thread: Thread,
  { several, alone }: Form,
): JsonObject {
  const time = alone ? toSecond : toMinute
  const { participants } = thread
  return filled({
    thread_id: thread.id,
    inbox_id: several ? thread.inbox_id : undefined,
    subject: fence.short(thread.subject),
    participants: people(fence, participants.slice(0, MAX_PARTICIPANTS)),
    participants_total: participants.length > MAX_PARTICIPANTS ? participants.length : undefined,
    message_count: thread.message_count,
    is_read: thread.is_read,
    is_archived: thread.is_archived,
    labels: thread.labels.map(fence.short),
    last_message_at: time(thread.last_message_at),
    latest_inbound_at: thread.latest_inbound_at && time(thread.latest_inbound_at),
    last_message_id: thread.last_message_id,
    waiting_on: thread.waiting_on,
    preview: start(fence.short(thread.preview)),
  })
}

/** One line a thread: what every thread has by its place, the rest by its name. */
export function threadLine(row: JsonObject): string {
  const { thread_id, subject, participants = [], message_count, preview = '', ...rest } = row
  const { last_message_at, latest_inbound_at, last_message_id, ...more } = rest
  const inbound = latest_inbound_at === last_message_at ? '' : ` (inbound ${latest_inbound_at})`
  return [
    `${thread_id} "${subject}"`,
    inline(participants),
    `${message_count} messages`,
    `last ${last_message_at} ${last_message_id}${latest_inbound_at === undefined ? '' : inbound}`,
    ...(Object.keys(more).length > 0 ? [inline(more)] : []),
    `${preview}`,
  ].join(' | ')
}

function start(preview: string): string {
  const characters = [...preview]
  return characters.length <= PREVIEW_LENGTH
    ? preview
    : `${characters.slice(0, PREVIEW_LENGTH - 1).join('')}…`
}
