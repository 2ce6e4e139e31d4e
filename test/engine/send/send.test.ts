import { simpleParser } from 'mailparser'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { getRawMessage, getThread } from '../../../src/engine/messages/operations.ts'
import type { Settings } from '../../../src/engine/ports.ts'
import { sendMail } from '../../world/sent.ts'
import { refused, type SendWorld, sendWorld, type TestInbox } from './send-world.ts'

let world: SendWorld
let inbox: TestInbox

beforeAll(async () => {
  world = await sendWorld()
})
beforeEach(async () => {
  Object.assign(world.engine.settings, {
    outbound: 'relay',
    agentSendPolicy: 'open',
    readOnly: false,
  } satisfies Partial<Settings>)
  inbox = await world.inbox()
})
afterAll(() => world.quit())

const mail = (over: object = {}) => ({
  inbox_id: inbox.id,
  to: 'Ann <ann@x.test>',
  subject: 'Hello',
  text_body: 'Hi Ann',
  ...over,
})

describe('a new mail', () => {
  test('is stored as queued, with its bytes, in a thread of its own', async () => {
    const sent = await world.send(
      mail({ cc: ['c@x.test'], bcc: ['b@x.test'], reply_to: 'r@x.test' }),
    )
    expect(sent).toMatchObject({
      message_id: sent.id,
      inbox_id: inbox.id,
      thread_id: sent.id.replace('msg_', 'thr_'),
      direction: 'outbound',
      status: 'queued',
      delivery: 'email',
      from: { email: inbox.address, name: 'Box' },
      to: [{ email: 'ann@x.test', name: 'Ann' }],
      cc: [{ email: 'c@x.test' }],
      bcc: [{ email: 'b@x.test' }],
      reply_to: [{ email: 'r@x.test' }],
      subject: 'Hello',
      text_body: 'Hi Ann',
      html_body: null,
      in_reply_to: null,
      match: { method: 'new', evidence: null },
      created_at: '2026-03-01T12:00:00.000Z',
    })
    expect(sent).not.toHaveProperty('sent_at')
    expect(sent.recipients?.map(({ email, status }) => `${email} ${status}`)).toEqual([
      'ann@x.test queued',
      'c@x.test queued',
      'b@x.test queued',
    ])
    expect(await world.message(sent.id)).toEqual({ ...sent, message_id: undefined })
    const { bytes } = await getRawMessage.run(world.engine, world.owner, { message_id: sent.id })
    expect(Buffer.from(bytes).toString()).not.toContain('b@x.test')
    const parsed = await simpleParser(Buffer.from(bytes))
    expect(parsed.messageId).toBe(sent.message_id_header)
    expect(parsed.date).toEqual(new Date('2026-03-01T12:00:00Z'))
    expect((await world.events(sent.id)).map(({ event }) => event)).toEqual(['thread.created'])
  })

  test('names itself in References in relay mode, and only there', async () => {
    const relayed = await world.send(mail())
    expect(relayed.references).toEqual([relayed.message_id_header])
    Object.assign(world.engine.settings, { outbound: 'dry-run' })
    expect((await world.send(mail())).references).toEqual([])
  })

  test('never joins a thread by its subject', async () => {
    const first = await world.send(mail())
    expect((await world.send(mail({ subject: 'Re: Hello' }))).thread_id).not.toBe(first.thread_id)
  })

  test('of HTML alone shows its words as text', async () => {
    const sent = await world.send(
      mail({ text_body: undefined, html_body: '<p>Dear <b>Ann</b></p>' }),
    )
    expect(sent).toMatchObject({ text_body: 'Dear Ann', html_body: '<p>Dear <b>Ann</b></p>' })
  })

  test('goes to everybody once', async () => {
    const sent = await world.send(
      mail({
        to: ['a@x.test', 'A@X.test'],
        cc: ['a@x.test', 'c@x.test'],
        bcc: ['C@x.test', 'd@x.test'],
      }),
    )
    expect(sent).toMatchObject({ to: [{ email: 'a@x.test' }], cc: [{ email: 'c@x.test' }] })
    expect(sent.bcc).toEqual([{ email: 'd@x.test' }])
    expect(sent.recipients).toHaveLength(3)
  })

  test('in dry-run says at once that it will not leave, unless it stays in the house', async () => {
    Object.assign(world.engine.settings, { outbound: 'dry-run' })
    const other = await world.inbox()
    expect((await world.send(mail())).delivery).toBe('dry-run')
    expect((await world.send(mail({ to: other.address }))).delivery).toBe('email')
    expect((await world.send(mail({ to: [other.address, 'ann@x.test'] }))).delivery).toBe('dry-run')
  })
})

test('what was decided on has changed while it was stored: it is decided again, and stored once', async () => {
  const { db } = world.engine
  let moved = 0
  const urgent: typeof db.urgent = (text, ...rest) => {
    if (!text.includes('store_messages') || moved++ > 0) return db.urgent(text, ...rest)
    return Promise.reject(Object.assign(new Error('moved'), { code: 'PR001' }))
  }
  const before = await world.kept()
  const engine = { ...world.engine, db: { ...db, urgent } }
  const sent = await sendMail(engine, world.owner, mail())
  const after = await world.kept()
  expect(after.messages - before.messages).toBe(1)
  const sidecars = after.files.filter((name) => name.startsWith('msg_'))
  expect(sidecars.filter((name) => !before.files.includes(name))).toEqual([sent.id])
})

describe('a reply', () => {
  test('with thread_id answers the author of the newest message, with the full chain', async () => {
    const first = await world.mail(inbox, `a-${inbox.id}`, ['References: <root@x.test>'])
    world.clock.advance(1000)
    const reply = await world.send({ thread_id: first.thread_id, text_body: 'Here it is' })
    expect(reply).toMatchObject({
      inbox_id: inbox.id,
      thread_id: first.thread_id,
      to: [{ email: 'ann@x.test', name: 'Ann' }],
      subject: `Re: Order a-${inbox.id}`,
      in_reply_to: `<a-${inbox.id}@x.test>`,
      references: ['<root@x.test>', `<a-${inbox.id}@x.test>`, reply.message_id_header],
      match: { method: 'explicit', evidence: first.id },
    })
    const thread = await getThread.run(world.engine, world.owner, { thread_id: first.thread_id })
    expect(thread).toMatchObject({
      message_count: 2,
      waiting_on: 'them',
      last_message_id: reply.id,
    })
    expect((await world.events(reply.id)).map(({ event }) => event)).toEqual([])
  })

  test('after our own mail goes to whom that went, and the chain grows', async () => {
    const first = await world.send(mail({ cc: 'c@x.test', bcc: 'b@x.test' }))
    world.clock.advance(1000)
    const second = await world.send({ thread_id: first.thread_id, text_body: 'One more thing' })
    expect(second).toMatchObject({
      to: [{ email: 'ann@x.test', name: 'Ann' }],
      cc: [],
      subject: 'Re: Hello',
      in_reply_to: first.message_id_header,
      references: [first.message_id_header, second.message_id_header],
    })
  })

  test('to an answer keeps the subject and goes where the author asks', async () => {
    const asked = ['Reply-To: Desk <desk@x.test>', 'X: 1']
    const first = await world.mail(inbox, `b-${inbox.id}`, asked)
    const reply = await world.send({
      inbox_id: inbox.address,
      reply_to_message_id: first.id,
      text_body: 'ok',
      cc: 'boss@x.test',
    })
    expect(reply.to).toEqual([{ email: 'desk@x.test', name: 'Desk' }])
    expect(reply.cc).toEqual([{ email: 'boss@x.test' }])
    const again = await world.send({ reply_to_message_id: reply.id, text_body: 'ok' })
    expect(again.subject).toBe(`Re: Order b-${inbox.id}`)
  })

  test('can have recipients and a subject of its own', async () => {
    const first = await world.mail(inbox, `c-${inbox.id}`)
    const reply = await world.send(
      mail({ thread_id: first.thread_id, to: 'z@x.test', subject: 'New' }),
    )
    expect(reply).toMatchObject({ to: [{ email: 'z@x.test' }], subject: 'New' })
    expect(reply.thread_id).toBe(first.thread_id)
  })

  test('by an agent says that no person wrote it; a person’s says nothing', async () => {
    const first = await world.mail(inbox, `d-${inbox.id}`)
    const answer = { thread_id: first.thread_id, text_body: 'ok' }
    const rawOf = async (id: string) => {
      const { bytes } = await getRawMessage.run(world.engine, world.owner, { message_id: id })
      return Buffer.from(bytes).toString()
    }
    expect(await rawOf((await world.send(answer, world.agent)).id)).toContain(
      'Auto-Submitted: auto-replied\r\n',
    )
    expect(await rawOf((await world.send(answer)).id)).not.toContain('Auto-Submitted')
    expect(await rawOf((await world.send(mail(), world.agent)).id)).not.toContain('Auto-Submitted')
  })

  test('passes over automatic mail where an agent answers a thread, and over bounces where a person does', async () => {
    const first = await world.mail(inbox, `e-${inbox.id}`)
    world.clock.advance(1000)
    const tie = `In-Reply-To: <e-${inbox.id}@x.test>`
    const auto = await world.mail(inbox, `f-${inbox.id}`, [tie, 'Auto-Submitted: auto-replied'])
    expect(auto.thread_id).toBe(first.thread_id)
    const answer = { thread_id: first.thread_id, text_body: 'ok' }
    expect((await world.send(answer)).match.evidence).toBe(auto.id)
    expect((await world.send(answer, world.agent)).match.evidence).not.toBe(auto.id)
    expect(
      await refused(world, { reply_to_message_id: auto.id, text_body: 'x' }, world.agent),
    ).toMatchObject({
      status: 422,
      code: 'automatic_mail',
    })
  })

  test('cannot be led astray by what stands in a header', async () => {
    const bad = await world.mail(inbox, `g-${inbox.id}`, ['Reply-To: "a b"@x.test'])
    const error = await refused(world, { reply_to_message_id: bad.id, text_body: 'x' })
    expect(error).toMatchObject({ status: 400, details: [{ field: 'to' }] })
  })
})
