import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { deleteInbox } from '../../../src/engine/inboxes/operations.ts'
import { getThread } from '../../../src/engine/messages/operations.ts'
import { ThreadMoved } from '../../../src/engine/send/moved.ts'
import { forgetAnswers } from '../../../src/engine/send/repeat/answered-before.ts'
import { refused, type SendWorld, sendWorld, type TestInbox } from './send-world.ts'

const HOUR = 3_600_000

let world: SendWorld
let inbox: TestInbox

beforeAll(async () => {
  world = await sendWorld()
})
beforeEach(async () => {
  inbox = await world.inbox()
  await world.calm()
})
afterAll(() => world.quit())

const mail = (over: object = {}) => ({
  inbox_id: inbox.id,
  to: 'ann@x.test',
  subject: 'Hello',
  text_body: 'Hi',
  ...over,
})
let keys = 0
const newKey = () => `key-${++keys}`

describe('the same request again', () => {
  test('gets the first answer to the byte, and one mail goes', async () => {
    const request = mail({ idempotency_key: newKey(), cc: ['b@x.test'] })
    const first = await world.send(request)
    await world.settle()
    const { replayed, ...again } = await world.send(request)
    expect(replayed).toBe(true)
    expect(JSON.stringify(again)).toBe(JSON.stringify(first))
    await world.settle()
    expect(world.relay.taken).toHaveLength(1)
    expect((await world.message(first.id)).status).toBe('sent')
  })

  test('twenty times at once is one mail, and everybody hears the same', async () => {
    const request = mail({ idempotency_key: newKey() })
    const answers = await Promise.all(Array.from({ length: 20 }, () => world.send(request)))
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1)
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1)
    await world.settle()
    expect(world.relay.taken).toHaveLength(1)
    expect((await world.list(inbox)).pagination.total).toBe(1)
  })

  test('twenty times at once in a thread is one answer', async () => {
    const asked = await world.mail(inbox, 'parallel')
    const { to: _to, subject: _subject, ...reply } = mail({ thread_id: asked.thread_id })
    const request = { ...reply, idempotency_key: newKey(), if_last_message_id: asked.id }
    const answers = await Promise.all(Array.from({ length: 20 }, () => world.send(request)))
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1)
    const thread = { thread_id: asked.thread_id }
    const { messages } = await getThread.run(world.engine, world.owner, thread)
    expect(messages).toHaveLength(2)
  })

  test('counts once against a cap, and twenty at once are none refused', async () => {
    Object.assign(world.engine.settings, { agentCaps: '1/m' })
    world.clock.advance(HOUR)
    const request = mail({ idempotency_key: newKey() })
    const all = Array.from({ length: 20 }, () => world.send(request, world.agent))
    expect(new Set((await Promise.all(all)).map(({ id }) => id)).size).toBe(1)
    await expect(world.send(mail(), world.agent)).rejects.toMatchObject({ status: 429 })
    Object.assign(world.engine.settings, { agentCaps: 'none' })
  })

  test('is answered by its twin, where that is what stands against it', async () => {
    const asked = await world.mail(inbox, 'twin')
    const request = {
      inbox_id: inbox.id,
      thread_id: asked.thread_id,
      text_body: 'Soon.',
      if_last_message_id: asked.id,
      idempotency_key: newKey(),
    }
    const { db } = world.engine
    let twin: { id: string } | undefined
    const query: typeof db.query = async (text, values, name) => {
      if (name === 'newer_in_thread' && twin === undefined) {
        twin = { id: '' }
        world.clock.advance(1)
        twin = await world.send(request)
      }
      return db.query(text, values, name)
    }
    const engine = { ...world.engine, db: { ...db, query } }
    expect(await world.askOn(engine, request)).toEqual({ ...twin, replayed: true })
  })

  test('in another order of fields is the same request', async () => {
    const idempotency_key = newKey()
    const first = await world.send(mail({ idempotency_key }))
    const turned = Object.fromEntries(Object.entries(mail({ idempotency_key })).reverse())
    expect(await world.send(turned)).toMatchObject({ id: first.id, replayed: true })
  })

  test('is a new one after 24 hours', async () => {
    const request = mail({ idempotency_key: newKey() })
    const first = await world.send(request)
    world.clock.advance(24 * HOUR - 1)
    expect((await world.send(request)).id).toBe(first.id)
    world.clock.advance(1)
    const second = await world.send(request)
    expect(second.id).not.toBe(first.id)
    expect(await world.send(request)).toMatchObject({ id: second.id, replayed: true })
  })

  test('may be made again after it was refused: a refusal keeps nothing', async () => {
    const request = mail({ idempotency_key: newKey(), to: 'nobody' })
    await refused(world, request)
    await refused(world, request)
    await expect(world.send({ ...request, to: 'ann@x.test' })).resolves.toBeDefined()
  })

  test('as a trial keeps no key', async () => {
    const idempotency_key = newKey()
    const trial = await world.ask(mail({ idempotency_key, dry_run: true }))
    expect(trial).toEqual({ verdict: 'allow', reasons: [] })
    expect((await world.send(mail({ idempotency_key }))).replayed).toBeUndefined()
  })
})

describe('another request under the same key', () => {
  test('is refused, and nothing is stored', async () => {
    const idempotency_key = newKey()
    await world.send(mail({ idempotency_key }))
    for (const other of [
      { subject: 'Other' },
      { to: ['ann@x.test'] },
      { send_at: '2027-01-01T00:00:00Z' },
    ]) {
      const error = await refused(world, mail({ idempotency_key, ...other }))
      expect(error).toMatchObject({ status: 409, code: 'conflict' })
      expect(error.message).toContain(idempotency_key)
      expect(error.fix).toMatch(/new key/)
    }
  })

  test('of a key that sees another inbox only is refused too', async () => {
    const idempotency_key = newKey()
    const request = mail({ idempotency_key })
    await world.send(request)
    const elsewhere = { ...world.owner, inboxIds: [(await world.inbox()).id] }
    expect(await refused(world, request, elsewhere)).toMatchObject({ status: 409 })
  })

  test('of another organization is its own', async () => {
    const idempotency_key = newKey()
    await world.send(mail({ idempotency_key }))
    const stranger = { ...world.owner, orgId: 'org_elsewhere' as const }
    // It does not see the inbox; the key is not what stops it.
    expect(await refused(world, mail({ idempotency_key }), stranger)).toMatchObject({ status: 404 })
  })
})

test.each([['', '  ', 'x'.repeat(256), 'schlüssel', 'a\nb']])(
  'the key %j is refused by name',
  async (...wrong) => {
    for (const idempotency_key of wrong) {
      const { details } = await refused(world, mail({ idempotency_key }))
      expect(details).toEqual([
        { field: 'idempotency_key', message: expect.stringContaining('1 to 255') },
      ])
    }
  },
)

test('an answer is forgotten once nobody can ask for it', async () => {
  await world.send(mail({ idempotency_key: newKey() }))
  const left = async () =>
    (await world.engine.db.query('SELECT 1 FROM idempotency WHERE inbox_id = $1', [inbox.id]))
      .length
  await forgetAnswers(world.engine)
  expect(await left()).toBe(1)
  world.clock.advance(24 * HOUR)
  await forgetAnswers(world.engine)
  expect(await left()).toBe(0)
})

test('an answer that was kept goes with its inbox', async () => {
  await world.send(mail({ idempotency_key: newKey() }))
  await deleteInbox.run(world.engine, world.owner, { inbox_id: inbox.id })
  await world.settle()
  const left = await world.engine.db.query('SELECT 1 FROM idempotency WHERE inbox_id = $1', [
    inbox.id,
  ])
  expect(left).toEqual([])
})

describe('an answer to the message that was read', () => {
  const reply = (asked: { id: string; thread_id: string }, over: object = {}) => ({
    inbox_id: inbox.id,
    thread_id: asked.thread_id,
    text_body: 'It is on its way.',
    if_last_message_id: asked.id,
    ...over,
  })

  test('goes while it is the last', async () => {
    const asked = await world.mail(inbox, 'still-last')
    const sent = await world.send(reply(asked))
    expect(sent.thread_id).toBe(asked.thread_id)
    // Our own answer is a newer message, so the same request again would be a second answer.
    expect(await refused(world, reply(asked))).toMatchObject({ code: 'thread_moved' })
  })

  test('is refused with what came since, in full', async () => {
    const asked = await world.mail(inbox, 'moved')
    world.clock.advance(1000)
    const newer = await world.mail(inbox, 'moved-on', ['In-Reply-To: <moved@x.test>'])
    expect(newer.thread_id).toBe(asked.thread_id)
    const error = await refused(world, reply(asked))
    expect(error).toBeInstanceOf(ThreadMoved)
    expect(error).toMatchObject({ status: 409, code: 'thread_moved' })
    expect((error as ThreadMoved).newer).toEqual([await world.message(newer.id)])
    expect(error.fix).toContain(newer.id)
    await expect(world.send(reply(newer))).resolves.toBeDefined()
  })

  test('is refused where a mail comes in while it is stored', async () => {
    const asked = await world.mail(inbox, 'race')
    const { db } = world.engine
    let arrived = false
    const urgent: typeof db.urgent = async (text, ...rest) => {
      if (text.includes('store_messages') && !arrived) {
        arrived = true
        world.clock.advance(1000)
        await world.mail(inbox, 'race-2', ['In-Reply-To: <race@x.test>'])
      }
      return db.urgent(text, ...rest)
    }
    const engine = { ...world.engine, db: { ...db, urgent } }
    const racing = world.askOn(engine, reply(asked))
    await expect(racing).rejects.toMatchObject({ code: 'thread_moved' })
  })

  test('holds against reply_to_message_id too, and says what it needs', async () => {
    const asked = await world.mail(inbox, 'by-message')
    const { thread_id: _, ...named } = reply(asked, { reply_to_message_id: asked.id })
    await expect(world.send(named)).resolves.toBeDefined()
    const fields = async (over: object) => (await refused(world, mail(over))).details
    expect(await fields({ if_last_message_id: asked.id })).toMatchObject([
      { field: 'if_last_message_id', message: expect.stringContaining('begins a thread') },
    ])
    const other = await world.mail(inbox, 'other-thread')
    const elsewhere = { thread_id: asked.thread_id, if_last_message_id: other.id }
    expect(await fields(elsewhere)).toMatchObject([
      { field: 'if_last_message_id', message: expect.stringContaining(other.thread_id) },
    ])
    const unknown = { thread_id: asked.thread_id, if_last_message_id: 'msg_nothing' }
    expect(await refused(world, mail(unknown))).toMatchObject({ status: 404 })
  })

  test('is not stopped by a mail of our own that has not gone', async () => {
    const asked = await world.mail(inbox, 'planned-meanwhile')
    const { if_last_message_id: _, ...planned } = reply(asked, { send_at: '2026-12-24T08:00:00Z' })
    await world.send(planned)
    await expect(world.send(reply(asked))).resolves.toBeDefined()
  })

  test('a trial says that the thread moved', async () => {
    const asked = await world.mail(inbox, 'trial')
    world.clock.advance(1000)
    await world.mail(inbox, 'trial-2', ['In-Reply-To: <trial@x.test>'])
    expect(await refused(world, reply(asked, { dry_run: true }))).toMatchObject({
      code: 'thread_moved',
    })
  })
})
