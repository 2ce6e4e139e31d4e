// Deciding a merge or a split by hand.
import { idSuffix } from '../../../platform/ids.ts'
import { newAudit } from '../../audit.ts'
import type { Caller } from '../../caller.ts'
import { ValidationFailed } from '../../errors.ts'
import { newEvent } from '../../events.ts'
import type { MessageId, ThreadId } from '../../ids.ts'
import type { Engine } from '../../ports.ts'
import type { ThreadRow } from '../thread.ts'
import type { Change, Joining, Parting } from './change.ts'
import { apartOfBoth, beforeOf, heldOf, idsOf, summaryOf, wholeOf, withOne } from './part.ts'

type Parts = Pick<Engine, 'db' | 'clock'>

/** The older id stays; undefined where the two are one already. */
export async function decideMerge(
  engine: Parts,
  caller: Caller,
  pair: readonly [ThreadRow, ThreadRow],
): Promise<Change | undefined> {
  const [into, from] = pair.toSorted((a, b) => (a.id < b.id ? -1 : 1)) as [ThreadRow, ThreadRow]
  if (into.id === from.id) return undefined
  const [stays, goes] = await Promise.all([wholeOf(engine, into), wholeOf(engine, from)])
  const merge = { into_id: into.id, from_id: from.id, message_ids: idsOf(goes) }
  const state = {
    id: into.id,
    is_read: into.is_read && from.is_read,
    is_archived: into.is_archived && from.is_archived,
    kept_apart_from: await apartOfBoth(engine, into, from),
  }
  const all = [...idsOf(stays), ...idsOf(goes)]
  return {
    org_id: caller.orgId,
    held: [heldOf(stays), heldOf(goes)],
    merge,
    rebuild: [await summaryOf(engine, into, all, state)],
    ...told(engine, caller, into, { merge, before: [beforeOf(stays), beforeOf(goes)] }),
  }
}

/** The message and what came after it go. Throws ValidationFailed for a message elsewhere, and for the first. */
export async function decideSplit(
  engine: Parts,
  caller: Caller,
  thread: ThreadRow,
  messageId: MessageId,
): Promise<Change> {
  const whole = await wholeOf(engine, thread)
  const all = whole.messages.map(({ id }) => id)
  const place = all.indexOf(messageId)
  if (place < 0) throw wrongMessage(`is not in the thread ${thread.id}`)
  if (place === 0) {
    throw wrongMessage(
      'is the first of the thread, so nothing would stay; name the message that the new thread begins with',
    )
  }
  const goes = all.slice(place)
  const newId = await freeId(engine, thread, goes)
  const move = { from_id: thread.id, into_id: newId, message_ids: goes.toSorted() }
  const { is_read, is_archived, kept_apart_from } = thread
  const apart = (other: ThreadId) => withOne(kept_apart_from, other)
  const state = { is_read, is_archived }
  return {
    org_id: caller.orgId,
    held: [heldOf(whole)],
    move,
    rebuild: [
      await summaryOf(engine, thread, all.slice(0, place), {
        ...state,
        id: thread.id,
        kept_apart_from: apart(newId),
      }),
      await summaryOf(engine, thread, goes, {
        ...state,
        id: newId,
        kept_apart_from: apart(thread.id),
      }),
    ],
    ...told(engine, caller, thread, { move, before: [beforeOf(whole)] }),
  }
}

const wrongMessage = (message: string) => new ValidationFailed([{ field: 'message_id', message }])

/** A thread is named after its first message; where an imported mail is older than the thread's name, after the next that is free. */
async function freeId({ db }: Parts, { org_id }: ThreadRow, goes: readonly MessageId[]) {
  const wanted = goes.map((id): ThreadId => `thr_${idSuffix(id)}`)
  const taken = await db.query<{ id: ThreadId }>(
    'SELECT id FROM threads WHERE org_id = $1 AND id = ANY($2)',
    [org_id, wanted],
  )
  const free = wanted.find((id) => !taken.some((row) => row.id === id))
  if (free === undefined) throw wrongMessage('begins what is a thread of that name already')
  return free
}

/** The audit and the event of what is done. `undoes` is the entry that it takes back. */
export function told(
  { clock }: Pick<Engine, 'clock'>,
  caller: Caller,
  { inbox_id, org_id }: ThreadRow,
  { undoes, merge, move, before }: Told,
): Pick<Change, 'audit' | 'events'> {
  const now = clock.now()
  const [thread_id, other] = merge ? [merge.into_id, merge.from_id] : [move?.from_id, move?.into_id]
  if (thread_id === undefined || other === undefined) throw new Error('a change joins or parts')
  const action = merge ? 'thread.merged' : 'thread.split'
  const data = merge
    ? { thread_id, merged_thread_ids: [other] }
    : { thread_id, new_thread_id: other, message_ids: move?.message_ids }
  const about = { orgId: org_id, inboxId: inbox_id, threadId: thread_id, data }
  const entry = {
    inbox_id,
    ids: [thread_id, other],
    detail: { ...(merge ? { merge } : { move }), before },
  }
  const audit =
    undoes === undefined
      ? newAudit(caller, { ...entry, action, undoes: null }, now)
      : newAudit(caller, { ...entry, action: 'thread.undone', undoes }, now)
  return { audit, events: [newEvent(action, about, now)] }
}

interface Told {
  undoes?: Change['audit']['id']
  merge?: Joining
  move?: Parting
  before: ReturnType<typeof beforeOf>[]
}
