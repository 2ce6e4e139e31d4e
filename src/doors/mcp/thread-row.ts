// A thread in a result: as a row of a list, or alone with seconds in its times.
import type { Thread } from '../../engine/messages/thread.ts'
import { filled, inline, type JsonObject } from './answer.ts'
import { people } from './people.ts'
import { toMinute, toSecond } from './times.ts'
import type { Call } from './tool.ts'

/** Participants that are named; a list mail has hundreds. */
const MAX_PARTICIPANTS = 8
/** Of a thread's beginning: enough to tell two apart. */
const PREVIEW_LENGTH = 40

interface Form {
  /** Whether the inbox must be said: the caller sees several. */
  several: boolean
  alone: boolean
  /** In a long list a row does not say twice what its other fields say already: 35 tokens a row. */
  lean: boolean
  /** Addresses that go without saying: the caller's own. */
  own: ReadonlySet<string>
}

export function threadRow(
  { fence }: Pick<Call, 'fence'>,
  thread: Thread,
  { several, alone, lean, own }: Form,
): JsonObject {
  const time = alone ? toSecond : toMinute
  const last = time(thread.last_message_at)
  const inbound = thread.latest_inbound_at && time(thread.latest_inbound_at)
  const participants = thread.participants.filter(({ email }) => !own.has(email.toLowerCase()))
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
    last_message_at: last,
    latest_inbound_at: lean && inbound === last ? undefined : inbound,
    // The only message of a thread is what thread_id leads to.
    last_message_id: lean && thread.message_count === 1 ? undefined : thread.last_message_id,
    waiting_on: thread.waiting_on,
    preview: start(fence.short(thread.preview)),
  })
}

/** One line a thread: what every thread has by its place, the rest by its name; without a number it has one message. */
export function threadLine(row: JsonObject): string {
  const { thread_id, subject, participants = [], message_count, preview = '', ...rest } = row
  const { last_message_at, latest_inbound_at, last_message_id, ...more } = rest
  const parts = [
    `${thread_id} ${subject}`,
    inline(participants),
    `${message_count === 1 ? '' : `${message_count} messages, `}${last_message_at}`,
    inline(filled({ last_message_id, latest_inbound_at, ...more })),
    `${preview}`,
  ]
  return parts.filter((part) => part !== '').join(' | ')
}

function start(preview: string): string {
  const characters = [...preview]
  return characters.length <= PREVIEW_LENGTH
    ? preview
    : `${characters.slice(0, PREVIEW_LENGTH - 1).join('')}…`
}
