import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Caller } from '../../../src/engine/caller.ts'
import { deleteInbox } from '../../../src/engine/inboxes/operations.ts'
import { mergeThreads } from '../../../src/engine/messages/rearrange/operations.ts'
import { deleteDraft, getDraft, sendDraft } from '../../../src/engine/send/drafts/operations.ts'
import { onItsWay } from '../../world/sent.ts'
import { draftsIn, MINUTE } from './draft-world.ts'
import { type SendWorld, sendWorld, type TestInbox } from './send-world.ts'

type Drafts = ReturnType<typeof draftsIn>

let world: SendWorld
let inbox: TestInbox
let draft: Drafts['draft']
let get: Drafts['get']
let change: Drafts['change']
let send: Drafts['send']
let discard: Drafts['discard']
let list: Drafts['list']
let later: Drafts['later']

beforeAll(async () => {
  world = await sendWorld()
})
beforeEach(async () => {
  inbox = await world.inbox()
  await world.calm()
  Object.assign(world.engine.settings, { agentSendPolicy: 'open' })
  const drafts = draftsIn(world, inbox)
  ;({ draft, get, change, send, discard, list, later } = drafts)
})
afterAll(() => world.quit())

describe('sending a draft', () => {
  test('sends it once, whoever asks and however often', async () => {
    const { id } = await draft()
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(id).then(onItsWay)))
    expect(new Set(answers.map((one) => one.id)).size).toBe(1)
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1)
    await world.settle()
    expect(world.relay.taken).toHaveLength(1)
    const again = onItsWay(await send(id))
    expect(again).toMatchObject({ id: answers[0]?.id, replayed: true, status: 'sent' })
    expect(await get(id)).toMatchObject({ status: 'sent', message_id: again.id })
    expect((await list()).data).toEqual([])
  })

  test('as a trial stores nothing', async () => {
    const { id } = await draft()
    const before = await world.kept()
    expect(await send(id, { dry_run: true })).toEqual({ verdict: 'allow', reasons: [] })
    expect(await world.kept()).toEqual(before)
    expect((await get(id)).status).toBe('draft')
  })

  test('is refused where it was changed in the same moment', async () => {
    const { id } = await draft()
    const { db } = world.engine
    let moved = false
    const urgent: typeof db.urgent = async (text, ...rest) => {
      if (text.includes('store_messages') && !moved) {
        moved = true
        await change(id, { subject: 'Not what was approved' })
      }
      return db.urgent(text, ...rest)
    }
    const engine = { ...world.engine, db: { ...db, urgent } }
    const racing = sendDraft.run(engine, world.owner, { draft_id: id })
    await expect(racing).rejects.toMatchObject({
      status: 409,
      message: expect.stringContaining('changed'),
    })
    expect((await world.list(inbox)).data).toEqual([])
  })

  test('of an agent’s draft by a person is a person’s mail', async () => {
    const { id } = await draft({}, world.agent)
    const { id: mail } = onItsWay(await send(id))
    const [row] = await world.engine.db.query('SELECT by_agent FROM messages WHERE id = $1', [mail])
    expect(row).toEqual({ by_agent: false })
  })

  test('with an hour plans it', async () => {
    const send_at = later(60)
    const { id } = await draft({ send_at })
    expect(onItsWay(await send(id))).toMatchObject({ status: 'scheduled', send_at })
    world.clock.advance(60 * MINUTE)
    await world.settle()
    expect(world.relay.taken).toHaveLength(1)
  })
})

describe('throwing a draft away', () => {
  test('is for good, and sending it then is not found', async () => {
    const { id } = await draft()
    expect(await discard(id)).toEqual({ id, deleted: true })
    for (const use of [get, send, discard, (gone: string) => change(gone, {})]) {
      await expect(use(id)).rejects.toMatchObject({ status: 404 })
    }
  })

  test('that was planned calls its mail off; one that went stays', async () => {
    const planned = await draft({ send_at: later(60) })
    const { id: mail } = onItsWay(await send(planned.id))
    await discard(planned.id)
    expect((await world.message(mail)).status).toBe('cancelled')
    const gone = await draft()
    await send(gone.id)
    await world.settle()
    await expect(discard(gone.id)).rejects.toMatchObject({
      status: 409,
      message: expect.stringContaining(`${gone.id} was sent`),
    })
    await expect(change(gone.id, { subject: 'x' })).rejects.toMatchObject({ status: 409 })
  })

  test('takes a planned mail by its own id too, and only from who may send', async () => {
    const { id } = await world.send({
      inbox_id: inbox.id,
      to: 'ann@x.test',
      subject: 'Planned',
      text_body: 'Hi',
      send_at: later(60),
    })
    const writer = { ...world.owner, scopes: ['email:read', 'inbox:write'] as const }
    const refused = deleteDraft.run(world.engine, writer, { draft_id: id })
    await expect(refused).rejects.toMatchObject({ status: 403 })
    await discard(id)
    expect((await world.message(id)).status).toBe('cancelled')
  })

  test('goes with its inbox', async () => {
    const { id } = await draft()
    await deleteInbox.run(world.engine, world.owner, { inbox_id: inbox.id })
    await expect(get(id)).rejects.toMatchObject({ status: 404 })
    await world.settle()
    expect(await world.engine.db.query('SELECT 1 FROM drafts WHERE id = $1', [id])).toEqual([])
  })
})

describe('the list of drafts', () => {
  test('is newest first, in pages, of a thread, with what is planned on request', async () => {
    const asked = await world.mail(inbox, 'listed')
    const made: string[] = []
    for (const over of [
      {},
      { thread_id: asked.thread_id, to: undefined, subject: undefined },
      {},
    ]) {
      world.clock.advance(MINUTE)
      made.unshift((await draft(over)).id)
    }
    const ids = async (over: object = {}) => (await list(over)).data.map(({ id }) => id)
    expect(await ids()).toEqual(made)
    expect(await ids({ thread_id: asked.thread_id })).toEqual([made[1]])
    const first = await list({ limit: 2 })
    expect(first.pagination).toMatchObject({ total: 3, limit: 2 })
    expect(await ids({ limit: 2, cursor: first.pagination.next_cursor })).toEqual([made[2]])
    expect(await ids({ limit: 1, offset: 1 })).toEqual([made[1]])
    world.clock.advance(MINUTE)
    const mail = { inbox_id: inbox.id, to: 'ann@x.test', subject: 'Planned', text_body: 'Hi' }
    const planned = await world.send({ ...mail, send_at: later(60) })
    expect(await ids({ with_scheduled: true })).toEqual([planned.id, ...made])
    const [top] = (await list({ with_scheduled: true, limit: 1 })).data
    expect(top).toMatchObject({ status: 'scheduled', send_at: later(60), subject: 'Planned' })
    const moved = await change(planned.id, { send_at: later(90) })
    expect(moved).toMatchObject({ id: planned.id, send_at: later(90) })
    await expect(change(planned.id, { subject: 'x' })).rejects.toMatchObject({ status: 409 })
  })

  test('follows a thread into the one it was joined to', async () => {
    const one = await world.mail(inbox, 'follow-1')
    const two = await world.mail(inbox, 'follow-2')
    const { id } = await draft({ thread_id: two.thread_id, to: undefined, subject: undefined })
    const join = { inbox_id: inbox.id, thread_id: two.thread_id, into_thread_id: one.thread_id }
    await mergeThreads.run(world.engine, world.owner, join)
    expect((await list({ thread_id: two.thread_id })).data).toMatchObject([
      { id, thread_id: one.thread_id },
    ])
    expect(onItsWay(await send(id)).thread_id).toBe(one.thread_id)
  })

  test('shows what the key sees, over all its inboxes', async () => {
    const { id } = await draft()
    const other = await world.inbox()
    const theirs = await draft({ inbox_id: other.id })
    const one = { ...world.owner, inboxIds: [inbox.id] }
    const seen = (caller: Caller) =>
      list({ inbox_id: undefined, limit: 100 }, caller).then(({ data }) => data.map((d) => d.id))
    expect(await seen(one)).toEqual([id])
    expect(await seen(world.owner)).toEqual(expect.arrayContaining([id, theirs.id]))
    const elsewhere = getDraft.run(world.engine, world.owner, {
      draft_id: id,
      inbox_id: other.id,
    })
    await expect(elsewhere).rejects.toMatchObject({ status: 400 })
    const stranger = { ...world.owner, inboxIds: [other.id] }
    const unseen = getDraft.run(world.engine, stranger, { draft_id: id })
    await expect(unseen).rejects.toMatchObject({ status: 404 })
  })
})
