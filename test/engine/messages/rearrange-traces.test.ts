import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { listAudit } from '../../../src/engine/access/audit.ts'
import { type RearrangeWorld, rearrangeWorld } from './rearrange-world.ts'

let w: RearrangeWorld

beforeAll(async () => {
  w = await rearrangeWorld()
})
beforeEach(() => w.fresh())
afterAll(() => w.quit())

test('each change is in the audit, the event log and the journal; what undoes says what', async () => {
  const a = await w.mail('a')
  const b = await w.mail('b', 'a')
  const { new_thread } = await w.split(a.thread_id, b.id)
  await w.undo(a.thread_id)
  await w.merge(a.thread_id, (await w.mail('c')).thread_id)
  const { engine, owner } = w
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
    inbox_id: w.box.id,
    ids: [a.thread_id, new_thread.id],
  })
  expect(pagination).toEqual({ total: 3, limit: 3, offset: 0 })
  const first = await listAudit.run(engine, owner, { ...page, limit: 1 })
  const cursor = first.pagination.next_cursor
  const second = await listAudit.run(engine, owner, { ...page, limit: 1, cursor })
  expect([...first.data, ...second.data]).toEqual(data.slice(0, 2))
  const events = await engine.db.query(
    `SELECT event, data FROM events WHERE inbox_id = $1 AND message_id IS NULL ORDER BY seq`,
    [w.box.id],
  )
  expect(events).toMatchObject([
    { event: 'thread.split', data: { new_thread_id: new_thread.id, message_ids: [b.id] } },
    { event: 'thread.merged', data: { merged_thread_ids: [new_thread.id] } },
    { event: 'thread.merged', data: { thread_id: a.thread_id } },
  ])
  expect(w.journal.slice(-3)).toMatchObject([
    {
      change: { audit: { id: data[2]?.id }, move: { into_id: new_thread.id, message_ids: [b.id] } },
    },
    { change: { audit: { undoes: data[2]?.id }, merge: { from_id: new_thread.id } } },
    { change: { audit: { id: data[0]?.id }, merge: { into_id: a.thread_id } } },
  ])
})

test('the journal holds no words of a mail, and what it says makes the same threads again', async () => {
  const a = await w.mail('a')
  const b = await w.mail('b', 'a')
  const before = await w.rows()
  await w.split(a.thread_id, b.id)
  const after = await w.rows()
  const line = w.journal.at(-1) as { change: { audit: { id: string } } }
  expect(JSON.stringify(line)).not.toContain('Where is it')
  const { db } = w.engine
  await w.undo(a.thread_id)
  expect(await w.rows()).toEqual(before)
  await db.query('DELETE FROM audit WHERE id = $1 OR undoes = $1', [line.change.audit.id])
  await db.query('SELECT rearrange_threads($1)', [JSON.stringify(line.change)])
  expect(await w.rows()).toEqual(after)
})

test('mail that comes in while a thread is rearranged is in one of its parts, and counted', async () => {
  const a = await w.mail('a')
  const b = await w.mail('b', 'a')
  const storm = Array.from({ length: 20 }, (_, i) =>
    w.bare(`s${i}-${w.turn}`, [`In-Reply-To: ${w.idOf(i % 2 ? 'a' : 'b')}`]),
  )
  const changes = async () => {
    await w.split(a.thread_id, b.id)
    await w.undo(a.thread_id)
    await w.split(a.thread_id, b.id)
  }
  await Promise.all([...storm, changes()])
  const { threads, messages } = await w.rows()
  expect(messages).toHaveLength(22)
  for (const { id, message_count } of threads) {
    expect(messages.filter(({ thread_id }) => thread_id === id)).toHaveLength(Number(message_count))
  }
  expect(threads).toHaveLength(2)
})

test('two at once: one is done, the other finds it done', async () => {
  const a = await w.mail('a')
  const b = await w.mail('b', 'a')
  await w.split(a.thread_id, b.id)
  const both = await Promise.allSettled([w.undo(a.thread_id), w.undo(a.thread_id)])
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  expect(await w.thread(a.thread_id)).toMatchObject({ message_count: 2 })
})
