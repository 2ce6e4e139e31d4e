// Joining and dividing threads by hand, and taking it back.
import { z } from 'zod'
import type { Caller } from '../../caller.ts'
import { resolveInbox } from '../../inboxes/find.ts'
import { operation } from '../../operation.ts'
import type { Engine } from '../../ports.ts'
import { findMessage, findThread } from '../load.ts'
import { showThread, Thread } from '../thread.ts'
import { rearrange } from './change.ts'
import { decideMerge, decideSplit } from './decide.ts'
import { decideUndo } from './undo.ts'

const inThread = { inbox_id: z.string(), thread_id: z.string() }

/** Throws NotFound, and ValidationFailed for threads of two inboxes. */
export const mergeThreads = operation({
  name: 'merge_threads',
  summary:
    'Join another thread of the inbox to this one: the older id stays, the younger leads to it.',
  scope: 'email:write',
  reads: false,
  input: z.strictObject({
    inbox_id: z.string(),
    into_thread_id: z.string(),
    thread_id: z.string(),
  }),
  output: Thread,
  async run(engine, caller, { inbox_id, into_thread_id, thread_id }) {
    const input = { inbox_id, thread_id: into_thread_id }
    await rearrange(engine, async () => {
      const one = await threadOf(engine, caller, input)
      const other = await findThread(engine, caller, thread_id, one.inbox_id)
      return decideMerge(engine, caller, [one, other])
    })
    return showThread(await threadOf(engine, caller, input))
  },
})

/** Throws NotFound, and ValidationFailed for a message of another thread and for the first of this one. */
export const splitThread = operation({
  name: 'split_thread',
  summary:
    'Take a message and all that came after it into a thread of their own; no mail joins the two again.',
  scope: 'email:write',
  reads: false,
  input: z.strictObject({ ...inThread, message_id: z.string() }),
  output: Thread.extend({ new_thread: Thread }),
  async run(engine, caller, { message_id, ...input }) {
    await rearrange(engine, async () => {
      const thread = await threadOf(engine, caller, input)
      const message = await findMessage(engine, caller, message_id, thread.inbox_id)
      return decideSplit(engine, caller, thread, message.id)
    })
    const message = await findMessage(engine, caller, message_id)
    const new_thread = showThread(await findThread(engine, caller, message.thread_id))
    return { ...showThread(await threadOf(engine, caller, input)), new_thread }
  },
})

/** Throws NotFound, and Conflict where there is nothing to take back or where what came since stands in the way. */
export const undoThread = operation({
  name: 'undo_thread',
  summary: 'Take back the newest merge or split of this thread that was made by hand.',
  scope: 'email:write',
  reads: false,
  input: z.strictObject(inThread),
  output: Thread,
  async run(engine, caller, input) {
    await rearrange(engine, async () =>
      decideUndo(engine, caller, await threadOf(engine, caller, input)),
    )
    return showThread(await threadOf(engine, caller, input))
  },
})

async function threadOf(
  engine: Engine,
  caller: Caller,
  { inbox_id, thread_id }: { inbox_id: string; thread_id: string },
) {
  const inbox = await resolveInbox(engine, caller, inbox_id)
  return findThread(engine, caller, thread_id, inbox.id)
}
