// A change of threads by hand: journalled, then made by one statement with its audit and its events.
import type { AuditRow } from '../../audit.ts'
import { Conflict } from '../../errors.ts'
import type { EventRow } from '../../events.ts'
import type { MessageId, OrgId, ThreadId } from '../../ids.ts'
import type { Engine } from '../../ports.ts'
import { isAboutChange } from '../store.ts'
import type { ThreadRow } from '../thread.ts'

/** How often a change is decided again after mail has come into its threads meanwhile. */
const MAX_DECISIONS = 8

/** What a thread shows that does not follow from the rows of its messages. */
export type Summary = Pick<
  ThreadRow,
  'id' | 'preview' | 'waiting_on' | 'is_read' | 'is_archived' | 'kept_apart_from'
>

/** All messages of `from_id` go over to `into_id`, and the id leads there from now on. */
export interface Joining {
  into_id: ThreadId
  from_id: ThreadId
  message_ids: MessageId[]
}

/** These messages of `from_id` become the thread `into_id`. */
export interface Parting {
  from_id: ThreadId
  into_id: ThreadId
  message_ids: MessageId[]
}

export interface Change {
  org_id: OrgId
  /** The messages of each thread that the change was decided on, sorted. */
  held: { id: ThreadId; message_ids: MessageId[] }[]
  merge?: Joining
  move?: Parting
  rebuild: Summary[]
  audit: AuditRow
  events: EventRow[]
}

/**
 * Makes a change; it is decided again where mail came in between. Undefined decides that nothing has to change.
 * The journal comes first: what outlives the database must not lack what a caller was told.
 */
export async function rearrange(
  engine: Pick<Engine, 'db' | 'blobs' | 'jobs'>,
  decide: () => Promise<Change | undefined>,
): Promise<void> {
  for (let decisions = 0; decisions < MAX_DECISIONS; decisions++) {
    const change = await decide()
    if (change === undefined) return
    await engine.blobs.journal(change.org_id, {
      kind: 'threads_rearranged',
      at: change.audit.at,
      change: replayable(change),
    })
    if (await made(engine, change)) {
      engine.jobs.wake()
      return
    }
    await engine.blobs.journal(change.org_id, {
      kind: 'rearrangement_withdrawn',
      audit_id: change.audit.id,
    })
  }
  throw new Conflict('The threads kept changing while they were rearranged.', {
    fix: 'Send the same request again.',
  })
}

async function made({ db }: Pick<Engine, 'db'>, change: Change): Promise<boolean> {
  try {
    await db.query('SELECT rearrange_threads($1)', [JSON.stringify(change)], 'rearrange_threads')
    return true
  } catch (error) {
    if (isAboutChange(error)) return false
    throw error
  }
}

/**
 * The change as `rearrange_threads` takes it once more: its events were told already, and no words of a mail
 * (the previews; the statement makes them anew) go where they would outlive their inbox.
 */
const replayable = (change: Change) => ({
  ...change,
  audit: { ...change.audit },
  events: [],
  rebuild: change.rebuild.map(({ preview: _, ...summary }) => summary),
})
