import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createInbox } from '../../../src/engine/inboxes/operations.ts'
import type { Message } from '../../../src/engine/messages/message.ts'
import { getRawMessage, getThread } from '../../../src/engine/messages/operations.ts'
import { type SendWorld, sendWorld, type TestInbox } from '../send/send-world.ts'

let world: SendWorld
let inbox: TestInbox
let sent: Message
/** Where the mail that was sent asks for answers. */
let answersTo: string
let n = 0

beforeAll(async () => {
  world = await sendWorld()
})
beforeEach(async () => {
  inbox = await world.inbox()
  sent = await send()
  answersTo = await replyToOf(sent)
})
afterAll(() => world.quit())

const send = (over: object = {}) =>
  world.send({
    inbox_id: inbox.id,
    to: 'ann@x.test',
    subject: 'Hello',
    text_body: 'Hi',
    ...over,
  })

async function headerOf({ id }: Message): Promise<string> {
  const { bytes } = await getRawMessage.run(world.engine, world.owner, { message_id: id })
  return Buffer.from(bytes).toString().split('\r\n\r\n')[0] ?? ''
}
const replyToOf = async (message: Message) =>
  /^Reply-To: .*?([^\s<]+@[^\s>]+)/m.exec((await headerOf(message)).replace(/\r\n\s/g, ' '))?.[1] ??
  ''

/** A mail to an address, as an outside server hands it over at the SMTP door. */
async function mail(to: string, headers: string[] = [], box = inbox): Promise<Message> {
  n += 1
  const [received] = await world.receiver.accept({
    raw: Buffer.from(
      [
        'From: Ann <ann@x.test>',
        `To: ${to}`,
        'Subject: Re: Hello',
        `Message-ID: <answer${n}@x.test>`,
        ...headers,
        '',
        'Thanks',
        '',
      ].join('\r\n'),
    ),
    envelope: { mail_from: 'ann@x.test', rcpt_to: [to] },
    peer: { ip: '127.0.0.1', helo: 'client.test', tls: false },
    inboxes: [
      {
        address: box.address,
        org_id: world.owner.orgId,
        inbox_id: box.id,
        is_active: true,
        dmarc_policy: 'store',
      },
    ],
  })
  return world.message(received?.message_id ?? '')
}
/** As where a mail was deleted, or the database was restored from an older backup. */
const forget = (messageId: string) =>
  world.engine.db.query('DELETE FROM message_ids WHERE message_id = $1', [messageId])

describe('a mail that is sent', () => {
  test('carries a signed Message-ID and asks for answers at a tagged address', async () => {
    expect(sent.message_id_header).toMatch(/^<[0-9a-z]{26}\.[0-9a-z]{16}@ours\.test>$/)
    const [local = ''] = inbox.address.split('@')
    expect(answersTo).toMatch(new RegExp(`^${local}\\+t-[0-9a-z]{36}@ours\\.test$`))
    expect(await headerOf(sent)).toContain('Reply-To: Box <')
  })

  test('shows no reply_to that nobody asked for, and keeps the one that was asked for', async () => {
    expect(sent.reply_to).toEqual([])
    const asked = await send({ reply_to: 'desk@ours.test' })
    expect(asked.reply_to).toEqual([{ email: 'desk@ours.test' }])
    expect(await replyToOf(asked)).toBe('desk@ours.test')
  })

  test('from an inbox with a long name has no tagged address', async () => {
    const username = 'a'.repeat(26)
    const long = await createInbox.run(world.engine, world.owner, { username })
    expect(await headerOf(await send({ inbox_id: long.id }))).not.toContain('Reply-To')
  })
})

describe('an answer that drops its headers', () => {
  test('joins by the address it was sent to', async () => {
    const answer = await mail(answersTo)
    expect(answer).toMatchObject({
      thread_id: sent.thread_id,
      match: { method: 'reply_token', evidence: answersTo },
    })
    const { participants } = await getThread.run(world.engine, world.owner, {
      thread_id: sent.thread_id,
    })
    expect(participants.map(({ email }) => email)).toEqual([inbox.address, 'ann@x.test'])
  })

  test('a second one is answered by its Message-ID again', async () => {
    const answer = await mail(answersTo)
    const next = await mail(answersTo, [`In-Reply-To: ${answer.message_id_header}`])
    expect(next).toMatchObject({ thread_id: sent.thread_id, match: { method: 'in_reply_to' } })
  })

  test('a Message-ID that is known counts for more', async () => {
    const other = await mail(inbox.address)
    const answer = await mail(answersTo, [`References: ${other.message_id_header}`])
    expect(answer).toMatchObject({ thread_id: other.thread_id, match: { method: 'references' } })
  })

  test('to a forged tag, or to the tag of another inbox, begins a thread', async () => {
    const forged = answersTo.replace(/.@/, (end) => (end === '0@' ? '1@' : '0@'))
    expect((await mail(forged)).match).toEqual({ method: 'new', evidence: null })
    const box = await world.inbox()
    const foreign = answersTo.replace(/^[^+]+/, box.address.split('@')[0] ?? '')
    expect((await mail(foreign, [], box)).match.method).toBe('new')
  })
})

describe('a Message-ID of ours that has no row', () => {
  test('is known by its signature, in In-Reply-To and in References', async () => {
    await forget(sent.id)
    for (const field of ['In-Reply-To', 'References']) {
      await forget(sent.id)
      const answer = await mail(inbox.address, [`${field}: ${sent.message_id_header}`])
      expect(answer.thread_id).toBe(sent.thread_id)
      await world.engine.db.query('DELETE FROM message_ids WHERE rfc_id = $1', [
        sent.message_id_header,
      ])
      expect(answer.match).toEqual({ method: 'reply_token', evidence: sent.message_id_header })
    }
  })

  test('of a later mail in the thread leads to the thread, also where the mail itself is gone', async () => {
    const second = await send({ thread_id: sent.thread_id, to: 'ann@x.test', subject: undefined })
    await forget(second.id)
    await world.engine.db.query('DELETE FROM messages WHERE id = $1', [second.id])
    const answer = await mail(inbox.address, [`In-Reply-To: ${second.message_id_header}`])
    expect(answer).toMatchObject({ thread_id: sent.thread_id, match: { method: 'reply_token' } })
  })

  test('forged, or brought to another inbox, is an id like any other', async () => {
    await forget(sent.id)
    const id = sent.message_id_header ?? ''
    const forged = id.replace(/.@/, (end) => (end === '0@' ? '1@' : '0@'))
    expect((await mail(inbox.address, [`In-Reply-To: ${forged}`])).match.method).toBe('new')
    const box = await world.inbox()
    const foreign = await mail(box.address, [`In-Reply-To: ${id}`], box)
    expect(foreign.match.method).toBe('new')
  })
})

test('our own inboxes answer each other in one thread each, tags and all', async () => {
  const other = await world.inbox()
  const question = await send({ to: other.address })
  await world.settle()
  const [arrived] = (await world.list(other)).data
  expect(arrived?.reply_to).toMatchObject([{ email: await replyToOf(question) }])
  const answer = await world.send({
    inbox_id: other.id,
    reply_to_message_id: arrived?.id,
    text_body: 'Yes',
  })
  await world.settle()
  expect((await world.message(answer.id)).status).toBe('delivered')
  const [back] = (await world.list(inbox)).data
  expect(back).toMatchObject({ thread_id: question.thread_id, match: { method: 'in_reply_to' } })
})

test('each organization has a secret of its own, of 32 bytes', async () => {
  const { db, clock } = world.engine
  await db.prisma.organizations.create({
    data: { id: 'org_x', name: 'x', slug: 'x', created_at: clock.now() },
  })
  const rows = await db.query<{ reply_secret: string }>('SELECT reply_secret FROM organizations')
  expect(rows.length).toBe(2)
  expect(new Set(rows.map(({ reply_secret }) => reply_secret)).size).toBe(2)
  for (const { reply_secret } of rows) expect(reply_secret).toMatch(/^[0-9a-f]{64}$/)
  expect(JSON.stringify(await world.message(sent.id))).not.toContain(rows[0]?.reply_secret)
})
