import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { getRawMessage } from '../../../src/engine/messages/operations.ts'
import type { LocalDelivery } from '../../../src/engine/ports.ts'
import { type SendWorld, sendWorld, type TestInbox } from './send-world.ts'

const SECOND = 1000

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

const send = (over: object = {}) =>
  world.send({ inbox_id: inbox.id, to: 'ann@x.test', subject: 'Hello', text_body: 'Hi', ...over })
describe('through the relay', () => {
  test('what it takes is sent: the bytes that were kept, to the envelope that was approved', async () => {
    world.relay.onMail = () => '2.0.0 Ok: queued as 1'
    const { id } = await send({ cc: 'c@x.test', bcc: 'b@x.test' })
    world.clock.advance(5 * SECOND)
    await world.settle()
    const message = await world.message(id)
    expect(message).toMatchObject({ status: 'sent', sent_at: '2026-03-01T12:00:05.000Z' })
    expect(world.states(message)).toEqual([
      'ann@x.test sent 250 2.0.0 Ok: queued as 1',
      'c@x.test sent 250 2.0.0 Ok: queued as 1',
      'b@x.test sent 250 2.0.0 Ok: queued as 1',
    ])
    expect(world.relay.taken).toMatchObject([
      { from: inbox.address, to: ['ann@x.test', 'c@x.test', 'b@x.test'] },
    ])
    expect(world.relay.taken[0]?.raw.toString()).toContain(
      `Message-ID: ${message.message_id_header}`,
    )
    expect(await world.told(id)).toEqual([{ event: 'email.sent', data: { delivery: 'email' } }])
    await world.settle()
    expect(world.relay.seen).toHaveLength(1)
  })

  test.each([
    [{ markdown_body: 'hello&#13;.&#13;x' }, 'hello . x'],
    [{ html_body: '<pre>hello&#13;.&#13;x</pre>' }, 'hello\n.\nx'],
  ])('%j leaves as the bytes that were kept', async (body, words) => {
    const sent = await send({ text_body: undefined, ...body })
    await world.settle()
    const { engine, owner } = world
    const { bytes } = await getRawMessage.run(engine, owner, { message_id: sent.id })
    const raw = Buffer.from(bytes).toString('latin1')
    expect(raw).not.toMatch(/\r(?!\n)|(?<!\r)\n/)
    expect(world.relay.taken[0]?.raw.toString('latin1')).toBe(raw)
    expect(sent.text_body).toBe(words)
  })

  test('an id of its own is kept as a second one: the answer to it joins the thread', async () => {
    world.relay.onMail = () => 'OK <ses-1@relay.test>'
    const sent = await send()
    await world.settle()
    const answer = await world.mail(inbox, 'answer-1', ['In-Reply-To: <ses-1@relay.test>'])
    expect(answer.thread_id).toBe(sent.thread_id)
  })

  test('each recipient has an end of its own, and the mail says the worst', async () => {
    world.relay.onRecipient = (address) =>
      address.startsWith('gone') ? { code: 550, text: '5.1.1 no such user' } : undefined
    const { id } = await send({ to: ['gone@x.test', 'ann@x.test'] })
    await world.settle()
    const message = await world.message(id)
    expect(message.status).toBe('bounced')
    expect(world.states(message)).toEqual([
      'gone@x.test bounced 550 5.1.1 no such user',
      'ann@x.test sent 250 queued',
    ])
    const bounce = {
      type: 'permanent',
      code: 550,
      reason: '5.1.1 no such user',
      recipients: ['gone@x.test'],
    }
    expect(await world.told(id)).toEqual([
      { event: 'email.sent', data: { delivery: 'email' } },
      { event: 'email.bounced', data: { bounce } },
    ])
  })

  test('where nobody took it the mail has failed besides', async () => {
    world.relay.onMail = () => ({ code: 554, text: 'spam' })
    const { id } = await send()
    await world.settle()
    expect(await world.message(id)).toMatchObject({ status: 'bounced' })
    expect(await world.message(id)).not.toHaveProperty('sent_at')
    expect((await world.told(id)).map(({ event }) => event)).toEqual([
      'email.bounced',
      'email.failed',
    ])
  })

  test('4xx is tried again when the schedule says, to those alone who had no end', async () => {
    let full = true
    world.relay.onRecipient = (address) =>
      full && address.startsWith('full') ? { code: 452, text: '4.2.2 full' } : undefined
    const { id } = await send({ to: ['ann@x.test', 'full@x.test'] })
    await world.settle()
    const waiting = await world.message(id)
    expect(waiting.status).toBe('deferred')
    expect(world.states(waiting)).toEqual([
      'ann@x.test sent 250 queued',
      'full@x.test deferred 452 4.2.2 full',
    ])
    world.clock.advance(299 * SECOND)
    await world.settle()
    expect(world.relay.taken).toHaveLength(1)
    full = false
    world.clock.advance(SECOND)
    await world.settle()
    expect((await world.message(id)).status).toBe('sent')
    expect(world.relay.taken.map(({ to }) => to)).toEqual([['ann@x.test'], ['full@x.test']])
    expect(world.relay.taken[1]?.raw).toEqual(world.relay.taken[0]?.raw)
    expect((await world.told(id)).map(({ event }) => event)).toEqual(['email.sent'])
  })

  test('after the last attempt it is given up', async () => {
    world.relay.onMail = () => ({ code: 451, text: 'not now' })
    const { id } = await send()
    for (const [seconds, attempts] of [
      [0, 1],
      [300, 2],
      [1799, 2],
      [1, 3],
    ] as const) {
      world.clock.advance(seconds * SECOND)
      await world.settle()
      expect(world.relay.seen).toHaveLength(attempts)
    }
    const message = await world.message(id)
    expect(message.status).toBe('failed')
    expect(world.states(message)).toEqual(['ann@x.test failed 451 given up: not now'])
    expect(await world.told(id)).toMatchObject([
      { event: 'email.bounced', data: { bounce: { type: 'transient', code: 451 } } },
      { event: 'email.failed', data: { reason: 'ann@x.test: given up: not now' } },
    ])
    world.clock.advance(100_000 * SECOND)
    await world.settle()
    expect(world.relay.seen).toHaveLength(3)
  })

  test('a line lost after the final dot is retried with the same bytes; the status says what is known', async () => {
    world.relay.onMail = () => 'cut'
    const { id } = await send()
    await world.settle()
    const waiting = await world.message(id)
    expect(waiting.status).toBe('deferred')
    expect(waiting.recipients?.[0]?.detail).toMatch(/may have arrived.*after the final dot/)
    world.relay.onMail = () => undefined
    world.clock.advance(300 * SECOND)
    await world.settle()
    expect((await world.message(id)).status).toBe('sent')
    expect(world.relay.seen).toHaveLength(2)
    expect(world.relay.seen[1]?.raw).toEqual(world.relay.seen[0]?.raw)
  })
})

describe('to our own inboxes', () => {
  test('mail takes the way in and joins the thread there; an answer comes back', async () => {
    const other = await world.inbox()
    const { id, thread_id, message_id_header } = await send({ to: other.address })
    await world.settle()
    const message = await world.message(id)
    expect(message.status).toBe('delivered')
    expect(world.states(message)).toEqual([
      `${other.address} delivered 250 2.0.0 Kept in the inbox`,
    ])
    expect(world.relay.seen).toEqual([])
    const [arrived] = (await world.list(other)).data
    expect(arrived).toMatchObject({ direction: 'inbound', message_id_header, subject: 'Hello' })
    world.clock.advance(SECOND)
    const answer = await world.send({ thread_id: arrived?.thread_id, text_body: 'Hi back' })
    await world.settle()
    expect((await world.message(answer.id)).status).toBe('delivered')
    const [back] = (await world.list(inbox)).data
    expect(back).toMatchObject({ direction: 'inbound', thread_id, subject: 'Re: Hello' })
  })

  test('one that was switched off meanwhile bounces', async () => {
    const other = await world.inbox()
    const { id } = await send({ to: other.address })
    await world.engine.db.query('UPDATE inboxes SET is_active = false WHERE id = $1', [other.id])
    await world.settle()
    expect(world.states(await world.message(id))).toEqual([
      `${other.address} bounced 550 5.2.1 This inbox is switched off`,
    ])
  })

  test('a crash between keeping the mail and writing it down doubles nothing', async () => {
    const other = await world.inbox()
    const { id } = await send({ to: other.address })
    const dies: LocalDelivery = {
      deliver: async (mail) => {
        await world.local.deliver(mail)
        throw new Error('killed')
      },
    }
    await world.settle({ local: dies })
    world.clock.advance(60 * SECOND)
    await world.settle()
    expect((await world.message(id)).status).toBe('delivered')
    expect((await world.list(other)).data).toHaveLength(1)
  })

  test('nothing goes on once the sending inbox is deleted', async () => {
    const { id } = await send()
    await world.engine.db.query('UPDATE inboxes SET deleted_at = now() WHERE id = $1', [inbox.id])
    await world.settle()
    expect(world.relay.seen).toEqual([])
    expect(await world.told(id)).toEqual([])
  })
})

describe('in dry-run', () => {
  test('mail for the world is kept and said to be; our own inboxes get theirs', async () => {
    Object.assign(world.engine.settings, { outbound: 'dry-run' })
    const other = await world.inbox()
    const { id } = await send({ to: ['ann@x.test', other.address] })
    await world.settle()
    const message = await world.message(id)
    expect(message).toMatchObject({ status: 'dry_run', delivery: 'dry-run' })
    expect(world.states(message)).toEqual([
      'ann@x.test dry_run null kept, not sent: OUTBOUND is dry-run',
      `${other.address} delivered 250 2.0.0 Kept in the inbox`,
    ])
    expect((await world.list(other)).data).toHaveLength(1)
    expect(await world.told(id)).toEqual([
      { event: 'email.sent', data: { delivery: 'dry-run' } },
      { event: 'email.delivered', data: { recipients: [other.address] } },
    ])
  })

  test('it never goes out later by itself, also when the relay is switched on', async () => {
    Object.assign(world.engine.settings, { outbound: 'dry-run' })
    const { id } = await send()
    Object.assign(world.engine.settings, { outbound: 'relay' })
    await world.settle()
    expect(await world.message(id)).toMatchObject({ status: 'dry_run', delivery: 'dry-run' })
    expect(await world.message(id)).not.toHaveProperty('sent_at')
    expect(world.relay.seen).toEqual([])
  })
})
