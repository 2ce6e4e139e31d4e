/** Mail whose ids, recipients or inbox would break the batch that it is stored with. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { findAddresses } from '../../../src/engine/inboxes/find.ts'
import { createInbox, deleteInbox } from '../../../src/engine/inboxes/operations.ts'
import { getThread, listMessages, listThreads } from '../../../src/engine/messages/operations.ts'
import { splitThread } from '../../../src/engine/messages/rearrange/operations.ts'
import { createReceiver, type Receiver } from '../../../src/engine/receive/accept.ts'
import { type EngineWorld, engineWorld } from '../../world/engine.ts'

let world: EngineWorld
let receiver: Receiver
/** Each test has an inbox of its own. */
let inbox: { id: string; address: string }
let home: Awaited<ReturnType<typeof inboxOf>>
let made = 0

beforeAll(async () => {
  world = await engineWorld()
  receiver = createReceiver(world.engine)
})
beforeEach(async () => {
  made += 1
  inbox = await createInbox.run(world.engine, world.owner, { username: `hostile${made}` })
  home = await inboxOf(inbox.address)
})
afterAll(async () => {
  await receiver.close()
  await world.close()
})

const inboxOf = (address: string) => findAddresses(world.engine, [address])

async function deliver(id: string, headers = '', to = home) {
  const raw = `From: Ann <ann@example.com>\r\nMessage-ID: <${id}>\r\n${headers}\r\nHello\r\n`
  const [received] = await receiver.accept({
    raw: Buffer.from(raw),
    envelope: { mail_from: 'ann@example.com', rcpt_to: [inbox.address] },
    peer: null,
    inboxes: to,
  })
  if (received === undefined) throw new Error('it came to no inbox')
  return received.message_id
}

const page = () => ({ inbox_id: inbox.id, limit: 100, offset: 0 })
const threads = async () => (await listThreads.run(world.engine, world.owner, page())).data
const messages = async () => (await listMessages.run(world.engine, world.owner, page())).data

test('an answer to an id with U+0000 joins its thread, and holds up nobody', async () => {
  await deliver('n\0ul@x.test')
  await Promise.all([
    deliver('answer@x.test', 'In-Reply-To: <n\0ul@x.test>\r\n'),
    ...['a', 'b', 'c'].map((id) => deliver(`${id}@x.test`)),
  ])
  expect((await threads()).map((thread) => thread.message_count).toSorted()).toEqual([1, 1, 1, 2])
})

test('an id of more octets than a line may have is none', async () => {
  const letters = Array.from({ length: 930 }, (_, n) =>
    String.fromCodePoint(0x4e00 + ((n * 7919) % 20_000)),
  )
  await deliver(
    `${letters.join('')}@x.test`,
    `References: <${letters.toReversed().join('')}@y>\r\n`,
  )
  expect(await messages()).toMatchObject([{ message_id_header: null }])
})

test('a mail for an inbox that was deleted meanwhile fails alone', async () => {
  const gone = await createInbox.run(world.engine, world.owner, { username: `gone${made}` })
  const found = await inboxOf(gone.address)
  await deleteInbox.run(world.engine, world.owner, { inbox_id: gone.id })
  const outcomes = await Promise.allSettled(
    Array.from({ length: 12 }, (_, n) =>
      n === 6 ? deliver('lost@x.test', '', found) : deliver(`${n}@x.test`),
    ),
  )
  expect(outcomes.flatMap(({ status }, n) => (status === 'rejected' ? [n] : []))).toEqual([6])
  expect(await messages()).toHaveLength(11)
})

test('a late mail that joins two threads keeps its own id', async () => {
  await deliver('a@x.test')
  await deliver('c@x.test', 'In-Reply-To: <b@x.test>\r\n')
  const late = await deliver('b@x.test', 'In-Reply-To: <a@x.test>\r\n')
  const again = await deliver('b@x.test', 'In-Reply-To: <a@x.test>\r\nX-Other: yes\r\n')
  const [thread] = await threads()
  expect(thread).toMatchObject({ message_count: 4 })
  const { messages: all } = await getThread.run(world.engine, world.owner, {
    thread_id: thread?.id ?? '',
  })
  const flags = new Map(all.map(({ id, sender_flags }) => [id, sender_flags]))
  expect(flags.get(again)).toContain('reused_message_id')

  await splitThread.run(world.engine, world.owner, {
    inbox_id: inbox.id,
    thread_id: thread?.id ?? '',
    message_id: late,
  })
  await deliver('d@x.test', 'In-Reply-To: <b@x.test>\r\n')
  const after = await messages()
  const threadOf = (id: string) => after.find((message) => message.id === id)?.thread_id
  const answer = after.find((message) => message.message_id_header === '<d@x.test>')
  expect(answer?.thread_id).toBe(threadOf(late))
})

test('a thread with thousands of participants costs each later mail no more than its author', async () => {
  const references = `References: ${Array.from({ length: 99 }, (_, n) => `<r${n}@x.test>`).join('\r\n ')}\r\n`
  const people = (name: string) =>
    Array.from({ length: 900 }, (_, n) => `${name}${n}@far.test`).join(',\r\n ')
  await deliver('one@x.test', `To: ${people('a')}\r\n${references}`)
  await deliver('two@x.test', `To: ${people('b')}\r\n${references}`)
  const [thread] = await threads()
  expect(thread?.participants).toHaveLength(1_000)

  // What the database answers to the look-up of a batch, as JSON.
  const seen: number[] = []
  const { db } = world.engine
  const urgent = db.urgent
  db.urgent = async (text, values, name) => {
    const rows = await urgent(text, values, name)
    if (name === 'look_up_arrivals') seen.push(JSON.stringify(rows).length)
    return rows as never
  }
  await Promise.all(Array.from({ length: 8 }, (_, n) => deliver(`small${n}@x.test`, references)))
  db.urgent = urgent
  expect(Math.max(...seen)).toBeLessThan(400_000)
  const newest = (await messages()).find((one) => one.message_id_header === '<small0@x.test>')
  expect(newest?.sender_flags).not.toContain('new_participant')
})
