import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { listAudit } from '../../../src/engine/access/audit.ts'
import type { MessageId } from '../../../src/engine/ids.ts'
import type { MessageRow } from '../../../src/engine/messages/message.ts'
import { getThread } from '../../../src/engine/messages/operations.ts'
import {
  mergeThreads,
  splitThread,
  undoThread,
} from '../../../src/engine/messages/rearrange/operations.ts'
import type { ThreadRow } from '../../../src/engine/messages/thread.ts'
import { type SendWorld, sendWorld, type TestInbox } from '../send/send-world.ts'

let world: SendWorld
let inbox: TestInbox
/** Message-IDs differ from test to test. */
let n = 0

/** What was written into the journal, besides the file. */
const journal: object[] = []

beforeAll(async () => {
  world = await sendWorld()
  const { blobs } = world.engine
  const { journal: write } = blobs
  blobs.journal = async (orgId, entry) => {
    await write(orgId, entry)
    journal.push(entry)
  }
})
beforeEach(async () => {
  n += 1
  inbox = await world.inbox()
})
afterAll(() => world.quit())

const idOf = (name: string) => `<${name}${n}@x.test>`

/** A mail that answers the one named, a minute later. */
async function mail(name: string, answers?: string, more: string[] = []) {
  world.clock.advance(60_000)
  const tie = answers === undefined ? [] : [`In-Reply-To: ${idOf(answers)}`]
  return world.mail(inbox, `${name}${n}`, [...tie, ...more])
}
const thread = (thread_id: string) => getThread.run(world.engine, world.owner, { thread_id })
const in_ = () => ({ inbox_id: inbox.id })
const merge = (into_thread_id: string, thread_id: string) =>
  mergeThreads.run(world.engine, world.owner, { ...in_(), into_thread_id, thread_id })
const split = (thread_id: string, message_id: string) =>
  splitThread.run(world.engine, world.owner, { ...in_(), thread_id, message_id })
const undo = (thread_id: string) =>
  undoThread.run(world.engine, world.owner, { ...in_(), thread_id })
const read = (id: string, is_read: boolean) =>
  world.engine.db.query('UPDATE threads SET is_read = $2 WHERE id = $1', [id, is_read])
/** Everything that a rearrangement could change. */
const rows = async () => ({
  threads: await world.engine.db.query<ThreadRow>(
    'SELECT * FROM threads WHERE inbox_id = $1 ORDER BY id',
    [inbox.id],
  ),
  messages: await world.engine.db.query<Pick<MessageRow, 'id' | 'thread_id'>>(
    'SELECT id, thread_id FROM messages WHERE inbox_id = $1 ORDER BY id',
    [inbox.id],
  ),
})
const shown = async () => {
  const { threads, messages } = await rows()
  return { threads: threads.map(({ kept_apart_from: _, ...row }) => row), messages }
}
const subjects = (whole: { messages: { subject: string }[] }) =>
  whole.messages.map(({ subject }) => subject.replace(`Order `, '').replace(String(n), ''))

describe('merge', () => {
  test('the older id stays, whichever is named; the younger leads to it', async () => {
    const a = await mail('a')
    const b = await mail('b')
    await read(a.thread_id, true)
    const joined = await merge(b.thread_id, a.thread_id)
    expect(joined).toMatchObject({ id: a.thread_id, message_count: 2, is_read: false })
    expect(joined).toMatchObject({ subject: a.subject, last_message_id: b.id })
    expect(subjects(await thread(b.thread_id))).toEqual(['a', 'b'])
    await mail('c', 'b')
    expect(await thread(a.thread_id)).toMatchObject({ id: a.thread_id, message_count: 3 })
  })

  test('two that are one already stay as they are, without a trace', async () => {
    const a = await mail('a')
    const b = await mail('b')
    await merge(a.thread_id, b.thread_id)
    const before = await rows()
    expect(await merge(a.thread_id, b.thread_id)).toMatchObject({ id: a.thread_id })
    expect(await merge(b.thread_id, b.thread_id)).toMatchObject({ id: a.thread_id })
    expect(await rows()).toEqual(before)
  })

  test('a thread of another inbox is 400, an unknown one 404', async () => {
    const a = await mail('a')
    inbox = await world.inbox()
    const b = await mail('b')
    await expect(merge(b.thread_id, a.thread_id)).rejects.toMatchObject({ status: 400 })
    await expect(merge(a.thread_id, b.thread_id)).rejects.toMatchObject({ status: 400 })
    const unknown = 'thr_00000000000000000000000000'
    await expect(merge(b.thread_id, unknown)).rejects.toMatchObject({ status: 404 })
  })

  test('undo gives both back exactly, read state and all', async () => {
    const a = await mail('a', undefined, ['Cc: carl@x.test'])
    await mail('a2', 'a')
    const b = await mail('b')
    await read(a.thread_id, true)
    const before = await shown()
    await merge(a.thread_id, b.thread_id)
    expect(await undo(a.thread_id)).toMatchObject({ id: a.thread_id, is_read: true })
    expect(await shown()).toEqual(before)
    expect(await thread(b.thread_id)).toMatchObject({ id: b.thread_id, is_read: false })
  })

  test('undo after mail has come: each goes with what it answers', async () => {
    const a = await mail('a')
    const b = await mail('b')
    await read(a.thread_id, true)
    await merge(a.thread_id, b.thread_id)
    await mail('b2', 'b')
    await mail('b3', 'b2')
    await mail('a2', 'a')
    await undo(b.thread_id)
    expect(subjects(await thread(a.thread_id))).toEqual(['a', 'a2'])
    expect(subjects(await thread(b.thread_id))).toEqual(['b', 'b2', 'b3'])
    await mail('b4', 'b3', [`References: ${idOf('a')} ${idOf('b3')}`])
    expect(subjects(await thread(b.thread_id))).toEqual(['b', 'b2', 'b3', 'b4'])
    expect(await thread(a.thread_id)).toMatchObject({ message_count: 2, is_read: false })
  })

  test('undo works through older merges, the newest first, and then says that nothing is left', async () => {
    const a = await mail('a')
    const b = await mail('b')
    const c = await mail('c')
    const before = await shown()
    await merge(b.thread_id, c.thread_id)
    await merge(a.thread_id, b.thread_id)
    await undo(c.thread_id)
    expect(subjects(await thread(c.thread_id))).toEqual(['b', 'c'])
    await undo(b.thread_id)
    expect(await shown()).toEqual(before)
    await expect(undo(a.thread_id)).rejects.toMatchObject({ status: 409 })
  })
})

describe('split', () => {
  test('the message and what came after it go to a thread named after it', async () => {
    const a = await mail('a')
    await mail('b', 'a')
    const c = await mail('c', 'b', ['Cc: carl@x.test'])
    const d = await mail('d', 'c')
    const answer = await split(a.thread_id, c.id)
    expect(answer).toMatchObject({ id: a.thread_id, message_count: 2, subject: a.subject })
    const fresh = answer.new_thread
    expect(fresh).toMatchObject({ id: c.id.replace('msg', 'thr'), message_count: 2 })
    expect(fresh).toMatchObject({ subject: c.subject, last_message_id: d.id, waiting_on: 'us' })
    expect(fresh.participants.map(({ email }) => email)).toContain('carl@x.test')
    expect(answer.participants.map(({ email }) => email)).not.toContain('carl@x.test')
    expect(subjects(await thread(fresh.id))).toEqual(['c', 'd'])
  })

  test('at the first message it is a 400 that says why; of another thread too', async () => {
    const a = await mail('a')
    await mail('b', 'a')
    const other = await mail('other')
    const first = split(a.thread_id, a.id)
    await expect(first).rejects.toMatchObject({ status: 400 })
    await expect(first).rejects.toThrow(/message_id: is the first of the thread/)
    await expect(split(a.thread_id, other.id)).rejects.toThrow(/not in the thread/)
    const nobody: MessageId = 'msg_00000000000000000000000000'
    await expect(split(a.thread_id, nobody)).rejects.toMatchObject({ status: 404 })
  })

  test('later mail stays in its part, though its References name both, and is no conflict', async () => {
    const a = await mail('a')
    await mail('b', 'a')
    const c = await mail('c', 'b')
    const { new_thread } = await split(a.thread_id, c.id)
    const references = [`References: ${idOf('a')} ${idOf('b')} ${idOf('c')}`]
    const inNew = await mail('d', 'c', references)
    expect(inNew).toMatchObject({ thread_id: new_thread.id, match: { method: 'in_reply_to' } })
    const inOld = await mail('e', 'b', references)
    expect(inOld.thread_id).toBe(a.thread_id)
    const byReferences = await mail('f', undefined, references)
    expect(byReferences.thread_id).toBe(new_thread.id)
    for (const { sender_flags } of [inNew, inOld, byReferences]) {
      expect(sender_flags).not.toContain('thread_conflict')
    }
  })

  test('it holds while its parts go into other threads by mail', async () => {
    const older = await mail('older')
    const a = await mail('a')
    const b = await mail('b', 'a')
    const { new_thread } = await split(a.thread_id, b.id)
    await mail('tie', 'older', [`References: ${idOf('b')}`])
    expect(await thread(new_thread.id)).toMatchObject({ id: older.thread_id, message_count: 3 })
    const both = await mail('both', 'a', [`References: ${idOf('b')}`])
    expect(both.thread_id).toBe(a.thread_id)
  })

  test('a person’s merge ends what a split has kept apart', async () => {
    const a = await mail('a')
    const b = await mail('b', 'a')
    const { new_thread } = await split(a.thread_id, b.id)
    await merge(a.thread_id, new_thread.id)
    expect((await rows()).threads).toMatchObject([{ id: a.thread_id, kept_apart_from: [] }])
  })

  test('ids that were only mentioned go with who mentioned them first', async () => {
    const a = await mail('a', undefined, ['References: <lost-a@x.test>'])
    const b = await mail('b', 'a', ['References: <lost-a@x.test> <lost-b@x.test>'])
    const { new_thread } = await split(a.thread_id, b.id)
    world.clock.advance(60_000)
    const late = await world.mail(inbox, 'lost-b')
    expect(late).toMatchObject({ thread_id: new_thread.id, match: { method: 'referenced_by' } })
    expect((await world.mail(inbox, 'lost-a')).thread_id).toBe(a.thread_id)
  })

  test('a thread that a mail had joined can be taken out again under its old id', async () => {
    const a = await mail('a')
    const b = await mail('b')
    await mail('tie', 'a', [`References: ${idOf('b')}`])
    expect((await thread(b.thread_id)).id).toBe(a.thread_id)
    const { new_thread } = await split(a.thread_id, b.id)
    expect(new_thread.id).toBe(b.thread_id)
    expect(subjects(await thread(b.thread_id))).toEqual(['b', 'tie'])
  })

  test('undo gives the thread back exactly; the id of the other leads there', async () => {
    const a = await mail('a', undefined, ['References: <lost@x.test>'])
    const b = await mail('b', 'a')
    await mail('c', 'b')
    await read(a.thread_id, true)
    const before = await rows()
    const { new_thread } = await split(a.thread_id, b.id)
    expect(new_thread.is_read).toBe(true)
    expect(await undo(new_thread.id)).toMatchObject({ id: a.thread_id })
    expect(await rows()).toEqual(before)
    expect((await thread(new_thread.id)).id).toBe(a.thread_id)
    await split(a.thread_id, b.id)
    await mail('d', 'c')
    expect(await undo(a.thread_id)).toMatchObject({ message_count: 4, is_read: false })
  })

  test('undo waits for a later change of the other part, and names it', async () => {
    const a = await mail('a')
    const b = await mail('b', 'a')
    const c = await mail('c', 'b')
    const { new_thread } = await split(a.thread_id, b.id)
    await split(new_thread.id, c.id)
    const early = undo(a.thread_id)
    await expect(early).rejects.toMatchObject({ status: 409 })
    await expect(early).rejects.toThrow(/split since/)
    await undo(new_thread.id)
    expect(await undo(a.thread_id)).toMatchObject({ message_count: 3 })
  })

  test('undo says which mail’s thread a part has gone into', async () => {
    const older = await mail('older')
    const a = await mail('a')
    const b = await mail('b', 'a')
    await split(a.thread_id, b.id)
    await mail('tie', 'older', [`References: ${idOf('b')}`])
    const late = undo(a.thread_id)
    await expect(late).rejects.toMatchObject({ status: 409 })
    await expect(late).rejects.toThrow(`has gone into ${older.thread_id} since`)
  })
})

test('each change is in the audit, the event log and the journal; what undoes says what', async () => {
  const a = await mail('a')
  const b = await mail('b', 'a')
  const { new_thread } = await split(a.thread_id, b.id)
  await undo(a.thread_id)
  await merge(a.thread_id, (await mail('c')).thread_id)
  const { engine, owner } = world
  const page = listAudit.input.parse({ org_id: owner.orgId, limit: 3 })
  const { data, pagination } = await listAudit.run(engine, owner, page)
  expect(data.map(({ action }) => action)).toEqual([
    'thread.merged',
    'thread.undone',
    'thread.split',
  ])
  expect(data[1]?.undoes).toBe(data[2]?.id)
  expect(data[2]).toMatchObject({
    key_id: owner.keyId,
    actor: 'first key',
    agent: false,
    inbox_id: inbox.id,
    ids: [a.thread_id, new_thread.id],
  })
  expect(pagination.total).toBeGreaterThan(3)
  expect(pagination.next_cursor).toBeDefined()
  const events = await engine.db.query(
    `SELECT event, data FROM events WHERE inbox_id = $1 AND message_id IS NULL ORDER BY seq`,
    [inbox.id],
  )
  expect(events).toMatchObject([
    { event: 'thread.split', data: { new_thread_id: new_thread.id, message_ids: [b.id] } },
    { event: 'thread.merged', data: { merged_thread_ids: [new_thread.id] } },
    { event: 'thread.merged', data: { thread_id: a.thread_id } },
  ])
  expect(journal.slice(-3)).toMatchObject([
    {
      change: { audit: { id: data[2]?.id }, move: { into_id: new_thread.id, message_ids: [b.id] } },
    },
    { change: { audit: { undoes: data[2]?.id }, merge: { from_id: new_thread.id } } },
    { change: { audit: { id: data[0]?.id }, merge: { into_id: a.thread_id } } },
  ])
})

test('the journal holds no words of a mail, and what it says makes the same threads again', async () => {
  const a = await mail('a')
  const b = await mail('b', 'a')
  const before = await rows()
  await split(a.thread_id, b.id)
  const after = await rows()
  const line = journal.at(-1) as { change: { audit: { id: string } } }
  expect(JSON.stringify(line)).not.toContain('Where is it')
  const { db } = world.engine
  await undo(a.thread_id)
  expect(await rows()).toEqual(before)
  await db.query('DELETE FROM audit WHERE id = $1 OR undoes = $1', [line.change.audit.id])
  await db.query('SELECT rearrange_threads($1)', [JSON.stringify(line.change)])
  expect(await rows()).toEqual(after)
})

test('mail that comes in while a thread is rearranged is in one of its parts, and counted', async () => {
  const a = await mail('a')
  const b = await mail('b', 'a')
  const storm = Array.from({ length: 20 }, (_, i) =>
    world.mail(inbox, `s${i}-${n}`, [`In-Reply-To: ${idOf(i % 2 ? 'a' : 'b')}`]),
  )
  const changes = async () => {
    await split(a.thread_id, b.id)
    await undo(a.thread_id)
    await split(a.thread_id, b.id)
  }
  await Promise.all([...storm, changes()])
  const { threads, messages } = await rows()
  expect(messages).toHaveLength(22)
  for (const { id, message_count } of threads) {
    expect(messages.filter(({ thread_id }) => thread_id === id)).toHaveLength(Number(message_count))
  }
  expect(threads).toHaveLength(2)
})

test('two at once: one is done, the other finds it done', async () => {
  const a = await mail('a')
  const b = await mail('b', 'a')
  await split(a.thread_id, b.id)
  const both = await Promise.allSettled([undo(a.thread_id), undo(a.thread_id)])
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  expect(await thread(a.thread_id)).toMatchObject({ message_count: 2 })
})
