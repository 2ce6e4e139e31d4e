/** A person takes a thread apart just while a mail for it is being stored. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { Message } from '../../../src/engine/messages/message.ts'
import { type RearrangeWorld, rearrangeWorld } from './rearrange-world.ts'

let w: RearrangeWorld
beforeAll(async () => {
  w = await rearrangeWorld()
})
beforeEach(() => w.fresh())
afterEach(() => vi.restoreAllMocks())
afterAll(() => w.quit())

/** Does the work after the next mail was decided on and before it is stored. */
function beforeItIsStored(work: () => Promise<unknown>): void {
  const { db } = w.engine
  const { urgent } = db
  let done = false
  vi.spyOn(db, 'urgent').mockImplementation(async (sql, values, name) => {
    if (name === 'store_messages' && !done) {
      done = true
      await work()
    }
    return urgent(sql, values, name)
  })
}

async function chain(): Promise<[Message, Message]> {
  const a = await w.mail('a')
  const b = await w.mail('b', 'a')
  return [a, b]
}

const placed = (message: object) =>
  w.engine.db.query('SELECT check_places($1)', [JSON.stringify([message])])

test('a mail whose evidence leads to another thread by now has no place there', async () => {
  const [a, b] = await chain()
  const late = {
    org_id: w.owner.orgId,
    inbox_id: w.box.id,
    thread_id: a.thread_id,
    direction: 'inbound',
    match_method: 'in_reply_to',
    match_evidence: w.idOf('b'),
  }
  await placed(late)
  const { new_thread } = await w.split(a.thread_id, b.id)
  await expect(placed(late)).rejects.toMatchObject({ code: 'PR001' })
  await placed({ ...late, thread_id: new_thread.id })
  await placed({ ...late, match_evidence: w.idOf('a') })
  await placed({ ...late, match_evidence: '<forgotten@x.test>' })
  const token = { ...late, match_method: 'reply_token', match_evidence: `x+t-${b.id.slice(4)}…@y` }
  await expect(placed(token)).rejects.toMatchObject({ code: 'PR001' })
  await placed({ ...token, thread_id: new_thread.id })
  await w.undo(a.thread_id)
  await placed(late)
})

test('an answer to what is split off meanwhile goes with it', async () => {
  const [a, b] = await chain()
  beforeItIsStored(() => w.split(a.thread_id, b.id))
  const late = await w.mail('late', 'b')
  expect(late.thread_id).toBe(b.id.replace('msg', 'thr'))
  expect(w.subjects(await w.thread(a.thread_id))).toEqual(['a'])
})

test('an answer to what stays, stays', async () => {
  const [a, b] = await chain()
  beforeItIsStored(() => w.split(a.thread_id, b.id))
  expect((await w.mail('late', 'a')).thread_id).toBe(a.thread_id)
})

test('an answer known by its token alone goes with the mail that it answers', async () => {
  const a = await w.mail('a')
  const ours = await w.send({ inbox_id: w.box.id, reply_to_message_id: a.id, text_body: 'Yes' })
  await w.engine.db.query('DELETE FROM message_ids WHERE message_id = $1', [ours.id])
  beforeItIsStored(() => w.split(a.thread_id, ours.id))
  const late = await w.mail('late', undefined, [`In-Reply-To: ${ours.message_id_header}`])
  expect(late).toMatchObject({ thread_id: ours.id.replace('msg', 'thr') })
  expect(late.match.method).toBe('reply_token')
})
