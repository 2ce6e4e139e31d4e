import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { MessageId } from '../../../src/engine/ids.ts'
import { type RearrangeWorld, rearrangeWorld } from './rearrange-world.ts'

let w: RearrangeWorld

beforeAll(async () => {
  w = await rearrangeWorld()
})
beforeEach(() => w.fresh())
afterAll(() => w.quit())

describe('merge', () => {
  test('the older id stays, whichever is named; the younger leads to it', async () => {
    const a = await w.mail('a')
    const b = await w.mail('b')
    await w.read(a.thread_id, true)
    const joined = await w.merge(b.thread_id, a.thread_id)
    expect(joined).toMatchObject({ id: a.thread_id, message_count: 2, is_read: false })
    expect(joined).toMatchObject({ subject: a.subject, last_message_id: b.id })
    expect(w.subjects(await w.thread(b.thread_id))).toEqual(['a', 'b'])
    await w.mail('c', 'b')
    expect(await w.thread(a.thread_id)).toMatchObject({ id: a.thread_id, message_count: 3 })
  })

  test('two that are one already stay as they are, without a trace', async () => {
    const a = await w.mail('a')
    const b = await w.mail('b')
    await w.merge(a.thread_id, b.thread_id)
    const before = await w.rows()
    expect(await w.merge(a.thread_id, b.thread_id)).toMatchObject({ id: a.thread_id })
    expect(await w.merge(b.thread_id, b.thread_id)).toMatchObject({ id: a.thread_id })
    expect(await w.rows()).toEqual(before)
  })

  test('a thread of another inbox is 400, an unknown one 404', async () => {
    const a = await w.mail('a')
    await w.fresh()
    const b = await w.mail('b')
    await expect(w.merge(b.thread_id, a.thread_id)).rejects.toMatchObject({ status: 400 })
    await expect(w.merge(a.thread_id, b.thread_id)).rejects.toMatchObject({ status: 400 })
    const unknown = 'thr_00000000000000000000000000'
    await expect(w.merge(b.thread_id, unknown)).rejects.toMatchObject({ status: 404 })
  })

  test('undo gives both back exactly, read state and all', async () => {
    const a = await w.mail('a', undefined, ['Cc: carl@x.test'])
    await w.mail('a2', 'a')
    const b = await w.mail('b')
    await w.read(a.thread_id, true)
    const before = await w.shown()
    await w.merge(a.thread_id, b.thread_id)
    expect(await w.undo(a.thread_id)).toMatchObject({ id: a.thread_id, is_read: true })
    expect(await w.shown()).toEqual(before)
    expect(await w.thread(b.thread_id)).toMatchObject({ id: b.thread_id, is_read: false })
  })

  test('undo after mail has come: each goes with what it answers', async () => {
    const a = await w.mail('a')
    const b = await w.mail('b')
    await w.read(a.thread_id, true)
    await w.merge(a.thread_id, b.thread_id)
    await w.mail('b2', 'b')
    await w.mail('b3', 'b2')
    await w.mail('a2', 'a')
    await w.undo(b.thread_id)
    expect(w.subjects(await w.thread(a.thread_id))).toEqual(['a', 'a2'])
    expect(w.subjects(await w.thread(b.thread_id))).toEqual(['b', 'b2', 'b3'])
    await w.mail('b4', 'b3', [`References: ${w.idOf('a')} ${w.idOf('b3')}`])
    expect(w.subjects(await w.thread(b.thread_id))).toEqual(['b', 'b2', 'b3', 'b4'])
    expect(await w.thread(a.thread_id)).toMatchObject({ message_count: 2, is_read: false })
  })

  test('undo works through older merges, the newest first, and then says that nothing is left', async () => {
    const a = await w.mail('a')
    const b = await w.mail('b')
    const c = await w.mail('c')
    const before = await w.shown()
    await w.merge(b.thread_id, c.thread_id)
    await w.merge(a.thread_id, b.thread_id)
    await w.undo(c.thread_id)
    expect(w.subjects(await w.thread(c.thread_id))).toEqual(['b', 'c'])
    await w.undo(b.thread_id)
    expect(await w.shown()).toEqual(before)
    await expect(w.undo(a.thread_id)).rejects.toMatchObject({ status: 409 })
  })
})

describe('split', () => {
  test('the message and what came after it go to a thread named after it', async () => {
    const a = await w.mail('a')
    await w.mail('b', 'a')
    const c = await w.mail('c', 'b', ['Cc: carl@x.test'])
    const d = await w.mail('d', 'c')
    const answer = await w.split(a.thread_id, c.id)
    expect(answer).toMatchObject({ id: a.thread_id, message_count: 2, subject: a.subject })
    const fresh = answer.new_thread
    expect(fresh).toMatchObject({ id: c.id.replace('msg', 'thr'), message_count: 2 })
    expect(fresh).toMatchObject({ subject: c.subject, last_message_id: d.id, waiting_on: 'us' })
    expect(fresh.participants.map(({ email }) => email)).toContain('carl@x.test')
    expect(answer.participants.map(({ email }) => email)).not.toContain('carl@x.test')
    expect(w.subjects(await w.thread(fresh.id))).toEqual(['c', 'd'])
  })

  test('at the first message it is a 400 that says why; of another thread too', async () => {
    const a = await w.mail('a')
    await w.mail('b', 'a')
    const other = await w.mail('other')
    const first = w.split(a.thread_id, a.id)
    await expect(first).rejects.toMatchObject({ status: 400 })
    await expect(first).rejects.toThrow(/message_id: is the first of the thread/)
    await expect(w.split(a.thread_id, other.id)).rejects.toThrow(/not in the thread/)
    const nobody: MessageId = 'msg_00000000000000000000000000'
    await expect(w.split(a.thread_id, nobody)).rejects.toMatchObject({ status: 404 })
  })

  test('later mail stays in its part, though its References name both, and is no conflict', async () => {
    const a = await w.mail('a')
    await w.mail('b', 'a')
    const c = await w.mail('c', 'b')
    const { new_thread } = await w.split(a.thread_id, c.id)
    const references = [`References: ${w.idOf('a')} ${w.idOf('b')} ${w.idOf('c')}`]
    const inNew = await w.mail('d', 'c', references)
    expect(inNew).toMatchObject({ thread_id: new_thread.id, match: { method: 'in_reply_to' } })
    const inOld = await w.mail('e', 'b', references)
    expect(inOld.thread_id).toBe(a.thread_id)
    const byReferences = await w.mail('f', undefined, references)
    expect(byReferences.thread_id).toBe(new_thread.id)
    for (const { sender_flags } of [inNew, inOld, byReferences]) {
      expect(sender_flags).not.toContain('thread_conflict')
    }
  })

  test('it holds while its parts go into other threads by mail', async () => {
    const older = await w.mail('older')
    const a = await w.mail('a')
    const b = await w.mail('b', 'a')
    const { new_thread } = await w.split(a.thread_id, b.id)
    await w.mail('tie', 'older', [`References: ${w.idOf('b')}`])
    expect(await w.thread(new_thread.id)).toMatchObject({ id: older.thread_id, message_count: 3 })
    const both = await w.mail('both', 'a', [`References: ${w.idOf('b')}`])
    expect(both.thread_id).toBe(a.thread_id)
  })

  test('a person’s merge ends what a split has kept apart', async () => {
    const a = await w.mail('a')
    const b = await w.mail('b', 'a')
    const { new_thread } = await w.split(a.thread_id, b.id)
    await w.merge(a.thread_id, new_thread.id)
    expect((await w.rows()).threads).toMatchObject([{ id: a.thread_id, kept_apart_from: [] }])
  })

  test('ids that were only mentioned go with who mentioned them first', async () => {
    const a = await w.mail('a', undefined, ['References: <lost-a@x.test>'])
    const b = await w.mail('b', 'a', ['References: <lost-a@x.test> <lost-b@x.test>'])
    const { new_thread } = await w.split(a.thread_id, b.id)
    w.clock.advance(60_000)
    const late = await w.bare('lost-b')
    expect(late).toMatchObject({ thread_id: new_thread.id, match: { method: 'referenced_by' } })
    expect((await w.bare('lost-a')).thread_id).toBe(a.thread_id)
  })

  test('a thread that a mail had joined can be taken out again under its old id', async () => {
    const a = await w.mail('a')
    const b = await w.mail('b')
    await w.mail('tie', 'a', [`References: ${w.idOf('b')}`])
    expect((await w.thread(b.thread_id)).id).toBe(a.thread_id)
    const { new_thread } = await w.split(a.thread_id, b.id)
    expect(new_thread.id).toBe(b.thread_id)
    expect(w.subjects(await w.thread(b.thread_id))).toEqual(['b', 'tie'])
  })

  test('undo gives the thread back exactly; the id of the other leads there', async () => {
    const a = await w.mail('a', undefined, ['References: <lost@x.test>'])
    const b = await w.mail('b', 'a')
    await w.mail('c', 'b')
    await w.read(a.thread_id, true)
    const before = await w.rows()
    const { new_thread } = await w.split(a.thread_id, b.id)
    expect(new_thread.is_read).toBe(true)
    expect(await w.undo(new_thread.id)).toMatchObject({ id: a.thread_id })
    expect(await w.rows()).toEqual(before)
    expect((await w.thread(new_thread.id)).id).toBe(a.thread_id)
    await w.split(a.thread_id, b.id)
    await w.mail('d', 'c')
    expect(await w.undo(a.thread_id)).toMatchObject({ message_count: 4, is_read: false })
  })

  test('undo waits for a later change of the other part, and names it', async () => {
    const a = await w.mail('a')
    const b = await w.mail('b', 'a')
    const c = await w.mail('c', 'b')
    const { new_thread } = await w.split(a.thread_id, b.id)
    await w.split(new_thread.id, c.id)
    const early = w.undo(a.thread_id)
    await expect(early).rejects.toMatchObject({ status: 409 })
    await expect(early).rejects.toThrow(/split since/)
    await w.undo(new_thread.id)
    expect(await w.undo(a.thread_id)).toMatchObject({ message_count: 3 })
  })

  test('undo says which mail’s thread a part has gone into', async () => {
    const older = await w.mail('older')
    const a = await w.mail('a')
    const b = await w.mail('b', 'a')
    await w.split(a.thread_id, b.id)
    await w.mail('tie', 'older', [`References: ${w.idOf('b')}`])
    const late = w.undo(a.thread_id)
    await expect(late).rejects.toMatchObject({ status: 409 })
    await expect(late).rejects.toThrow(`has gone into ${older.thread_id} since`)
  })
})
