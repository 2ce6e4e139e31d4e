// Taking back the newest merge or split by hand.
import { z } from 'zod'
import type { AuditRow } from '../../audit.ts'
import type { Caller } from '../../caller.ts'
import { Conflict } from '../../errors.ts'
import type { MessageId, OrgId, ThreadId } from '../../ids.ts'
import type { Engine } from '../../ports.ts'
import type { ThreadRow } from '../thread.ts'
import type { Change, Joining } from './change.ts'
import { told } from './decide.ts'
import { partWithAnswers } from './homes.ts'
import {
  apartOfBoth,
  type Before,
  beforeOf,
  heldOf,
  idsOf,
  summaryOf,
  wholeOf,
  withOne,
} from './part.ts'

type Parts = Pick<Engine, 'db' | 'clock'>

const Ids = z.array(z.custom<MessageId>())
const Move = z.object({
  from_id: z.custom<ThreadId>(),
  into_id: z.custom<ThreadId>(),
  message_ids: Ids,
})
const Detail = z.object({
  merge: Move.optional(),
  move: Move.optional(),
  before: z.array(
    z.object({
      id: z.custom<ThreadId>(),
      is_read: z.boolean(),
      is_archived: z.boolean(),
      kept_apart_from: z.array(z.custom<ThreadId>()),
      message_ids: Ids,
    }),
  ),
})

/** Throws Conflict where there is nothing to take back, or where what came since stands in the way. */
export async function decideUndo(
  engine: Parts,
  caller: Caller,
  thread: ThreadRow,
): Promise<Change> {
  const entry = await newestEntry(engine, thread)
  await refuseNewer(engine, entry)
  const { merge, move, before } = Detail.parse(entry.detail)
  const threads = await threadsOf(engine, entry)
  if (merge)
    return part(engine, caller, {
      entry,
      merge,
      before,
      into: await there(engine, threads, merge.into_id),
      threads,
    })
  if (!move) throw new Error('an entry joins or parts')
  return join(engine, caller, {
    entry,
    before,
    into: await there(engine, threads, move.from_id),
    from: await there(engine, threads, move.into_id),
  })
}

const NOT_UNDONE = `NOT EXISTS (SELECT FROM audit u WHERE u.org_id = a.org_id AND u.undoes = a.id)`

async function newestEntry({ db }: Parts, thread: ThreadRow): Promise<AuditRow> {
  const [entry] = await db.query<AuditRow>(
    `SELECT a.* FROM audit a WHERE a.org_id = $1 AND a.ids @> ARRAY[$2] AND ${NOT_UNDONE}
       AND a.action IN ('thread.merged', 'thread.split') ORDER BY a.id DESC LIMIT 1`,
    [thread.org_id, thread.id],
  )
  if (entry !== undefined) return entry
  throw new Conflict(`There is no merge or split of ${thread.id} by hand that is not undone yet.`, {
    fix: `What a mail has joined is parted with POST …/threads/${thread.id}/split {"message_id"}.`,
  })
}

/** A later change of the other thread has to be taken back first. */
async function refuseNewer({ db }: Parts, { org_id, id, ids }: AuditRow): Promise<void> {
  const [newer] = await db.query<AuditRow>(
    `SELECT a.* FROM audit a WHERE a.org_id = $1 AND a.ids && $2::text[] AND a.id > $3 AND ${NOT_UNDONE}
       AND a.action IN ('thread.merged', 'thread.split') ORDER BY a.id DESC LIMIT 1`,
    [org_id, ids, id],
  )
  if (newer === undefined) return
  const what = newer.action === 'thread.merged' ? 'merged' : 'split'
  throw new Conflict(`${newer.ids.join(' and ')} were ${what} since.`, {
    fix: `Undo that first: POST …/threads/${newer.ids[0]}/undo.`,
  })
}

function threadsOf({ db }: Parts, { org_id, ids }: AuditRow): Promise<ThreadRow[]> {
  return db.query<ThreadRow>('SELECT * FROM threads WHERE org_id = $1 AND id = ANY($2)', [
    org_id,
    ids,
  ])
}

async function there(
  { db }: Parts,
  threads: readonly ThreadRow[],
  id: ThreadId,
): Promise<ThreadRow> {
  const thread = threads.find((one) => one.id === id)
  if (thread !== undefined) return thread
  const [redirect] = await db.query<{ into_id: ThreadId; org_id: OrgId }>(
    'SELECT org_id, into_id FROM thread_redirects WHERE id = $1 AND org_id = $2',
    [id, threads[0]?.org_id],
  )
  throw new Conflict(
    `${id} has gone into ${redirect?.into_id ?? 'another thread'} since, by a mail that ties them.`,
    {
      fix: `Part them with POST …/threads/${redirect?.into_id ?? id}/split {"message_id"}.`,
    },
  )
}

interface Merged {
  entry: AuditRow
  merge: Joining
  before: Before[]
  into: ThreadRow
  threads: ThreadRow[]
}

/** A merge is taken back: the part goes out again, and mail that came since goes with what it answers. */
async function part(
  engine: Parts,
  caller: Caller,
  { entry, merge, before, into, threads }: Merged,
): Promise<Change> {
  const { into_id, from_id } = merge
  const whole = await wholeOf(engine, into)
  const settled = new Set(before.flatMap(({ message_ids }) => message_ids))
  const goes = partWithAnswers(whole.messages, new Set(merge.message_ids), settled)
  const stays = whole.messages.map(({ id }) => id).filter((id) => !goes.includes(id))
  if (threads.some(({ id }) => id === from_id) || goes.length === 0 || stays.length === 0) {
    throw new Conflict(`The messages of ${from_id} are not in ${into_id} any more.`, {
      fix: 'Look at both threads and merge or split them as they should be.',
    })
  }
  const move = { from_id: into_id, into_id: from_id, message_ids: goes.toSorted() }
  const stateOf = (id: ThreadId, now: readonly MessageId[], apart: ThreadId) => {
    const was = before.find((one) => one.id === id)
    const grew = now.some((one) => !settled.has(one))
    const { is_read, is_archived } = was === undefined || grew ? into : was
    const known = id === into_id ? into.kept_apart_from : (was?.kept_apart_from ?? [])
    return { id, is_read, is_archived, kept_apart_from: withOne(known, apart) }
  }
  return {
    org_id: caller.orgId,
    held: [heldOf(whole)],
    move,
    rebuild: [
      await summaryOf(engine, into, stays, stateOf(into_id, stays, from_id)),
      await summaryOf(engine, into, goes, stateOf(from_id, goes, into_id)),
    ],
    ...told(engine, caller, into, { move, before: [beforeOf(whole)], undoes: entry.id }),
  }
}

interface Parted {
  entry: AuditRow
  before: Before[]
  into: ThreadRow
  from: ThreadRow
}

/** A split is taken back: all go back, with what came since. */
async function join(
  engine: Parts,
  caller: Caller,
  { entry, before, into, from }: Parted,
): Promise<Change> {
  const [stays, goes] = await Promise.all([wholeOf(engine, into), wholeOf(engine, from)])
  const settled = new Set(before.flatMap(({ message_ids }) => message_ids))
  const grew = [...idsOf(stays), ...idsOf(goes)].some((id) => !settled.has(id))
  const both = {
    is_read: into.is_read && from.is_read,
    is_archived: into.is_archived && from.is_archived,
  }
  const { is_read, is_archived } = grew ? both : (before[0] ?? both)
  const state = { is_read, is_archived, kept_apart_from: await apartOfBoth(engine, into, from) }
  const merge = { into_id: into.id, from_id: from.id, message_ids: idsOf(goes) }
  const all = [...idsOf(stays), ...idsOf(goes)]
  return {
    org_id: caller.orgId,
    held: [heldOf(stays), heldOf(goes)],
    merge,
    rebuild: [await summaryOf(engine, into, all, { ...state, id: into.id })],
    ...told(engine, caller, into, {
      merge,
      before: [beforeOf(stays), beforeOf(goes)],
      undoes: entry.id,
    }),
  }
}
