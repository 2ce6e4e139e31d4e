import { simpleParser } from 'mailparser'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { uploadDocument } from '../../../src/engine/documents/operations.ts'
import { readDocument } from '../../../src/engine/documents/read.ts'
import { createWorker } from '../../../src/engine/jobs/worker.ts'
import type { Message } from '../../../src/engine/messages/message.ts'
import { getRawMessage } from '../../../src/engine/messages/operations.ts'
import { reindex } from '../../../src/engine/receive/rebuild/reindex.ts'
import { MIXED_MAIL } from './mixed-mail.ts'
import { refused, type SendWorld, sendWorld, type TestInbox } from './send-world.ts'

let world: SendWorld
let inbox: TestInbox
let made = 0

beforeAll(async () => {
  world = await sendWorld()
})
beforeEach(async () => {
  inbox = await world.inbox()
})
afterAll(() => world.quit())

/** A mail to us and to others. */
function conversation(headers: string[] = []): Promise<Message> {
  made += 1
  return world.mail(inbox, `conversation-${made}`, [
    'From: Ann <ann@x.test>',
    `Cc: Bob <bob@x.test>, ${inbox.address.replace('@', '+tag@')}, ANN@x.test, eve@y.test`,
    ...headers,
  ])
}
const wire = async ({ id }: Message) => {
  const { bytes } = await getRawMessage.run(world.engine, world.owner, { message_id: id })
  return simpleParser(Buffer.from(bytes))
}
const emails = (people: { email: string }[] | undefined) => people?.map(({ email }) => email)

describe('an answer to all', () => {
  test('goes to the author and, as copies, to everybody else but ourselves, once each', async () => {
    const received = await conversation()
    const sent = await world.send({
      reply_to_message_id: received.id,
      reply_all: true,
      text_body: 'Here',
    })
    expect(emails(sent.to)).toEqual(['ann@x.test'])
    expect(emails(sent.cc)).toEqual(['bob@x.test', 'eve@y.test'])
    expect(sent).toMatchObject({ subject: `Re: ${received.subject}`, bcc: [] })
    expect(sent.references[0]).toBe(received.message_id_header)
    expect(emails(sent.recipients)).toEqual(['ann@x.test', 'bob@x.test', 'eve@y.test'])
  })

  test('goes where the author asks for it, to whoever is named instead, and to whoever is added', async () => {
    const received = await conversation(['Reply-To: desk@x.test'])
    const asked = { thread_id: received.thread_id, reply_all: true, text_body: 'Here' }
    expect(emails((await world.send(asked)).to)).toEqual(['desk@x.test'])
    const named = await world.send({
      ...asked,
      reply_to_message_id: received.id,
      thread_id: undefined,
      to: 'zoe@x.test',
      cc: ['max@x.test', 'bob@x.test'],
    })
    expect([emails(named.to), emails(named.cc)]).toEqual([
      ['zoe@x.test'],
      ['bob@x.test', 'ANN@x.test', 'eve@y.test', 'max@x.test'],
    ])
  })

  test('of our own mail goes on to the same people', async () => {
    const first = await world.send({
      inbox_id: inbox.id,
      to: ['a@x.test', 'b@x.test'],
      cc: 'c@x.test',
      bcc: 'hidden@x.test',
      subject: 'Offer',
      text_body: 'Here',
    })
    const more = await world.send({
      thread_id: first.thread_id,
      reply_all: true,
      text_body: 'One more thing',
    })
    expect([emails(more.to), emails(more.cc), more.bcc]).toEqual([
      ['a@x.test', 'b@x.test'],
      ['c@x.test'],
      [],
    ])
  })

  test('without it answers the author alone', async () => {
    const { thread_id } = await conversation()
    const sent = await world.send({ thread_id, text_body: 'Here' })
    expect([emails(sent.to), sent.cc]).toEqual([['ann@x.test'], []])
  })

  test('is refused where somebody on it cannot be written to: nobody is added or lost silently', async () => {
    const received = await world.mail(inbox, `odd-${inbox.id}`, ['Cc: "a b"@x.test, eve@y.test'])
    const error = await refused(world, {
      reply_to_message_id: received.id,
      reply_all: true,
      text_body: 'Here',
    })
    expect(error).toMatchObject({ status: 400, details: [{ field: 'reply_all' }] })
  })

  test('is refused with more people than a field takes', async () => {
    const many = Array.from({ length: 48 }, (_, n) => `p${n}@y.test`).join(', ')
    const received = await world.mail(inbox, `many-${inbox.id}`, [`Cc: ${many}`])
    const error = await refused(world, {
      reply_to_message_id: received.id,
      reply_all: true,
      cc: ['a@z.test', 'b@z.test', 'c@z.test'],
      text_body: 'Here',
    })
    expect(error).toMatchObject({ status: 400, details: [{ field: 'cc' }] })
  })
})

describe('with thread_id', () => {
  test('the newest mail that came or went is answered, not one that waits or was withdrawn', async () => {
    const received = await conversation()
    for (const status of ['scheduled', 'pending_review', 'rejected', 'expired', 'cancelled']) {
      world.clock.advance(1000)
      const other = await world.send({
        reply_to_message_id: received.id,
        to: `${status.replace('_', '-')}@y.test`,
        text_body: 'x',
      })
      await world.engine.db.query('UPDATE messages SET status = $2 WHERE id = $1', [
        other.id,
        status,
      ])
    }
    world.clock.advance(1000)
    const sent = await world.send({ thread_id: received.thread_id, text_body: 'Here' })
    expect(emails(sent.to)).toEqual(['ann@x.test'])
    expect(sent.in_reply_to).toBe(received.message_id_header)
  })

  test('a thread in which nothing has gone yet cannot be answered', async () => {
    const sent = await world.send({
      inbox_id: inbox.id,
      to: 'a@x.test',
      subject: 'Later',
      text_body: 'x',
    })
    await world.engine.db.query("UPDATE messages SET status = 'scheduled' WHERE id = $1", [sent.id])
    const error = await refused(world, { thread_id: sent.thread_id, text_body: 'Here' })
    expect(error).toMatchObject({ status: 400, details: [{ field: 'thread_id' }] })
  })
})

describe('a quoted copy', () => {
  test('goes along, is shown apart, and comes back apart from a rebuild', async () => {
    const received = await conversation()
    const sent = await world.send({
      thread_id: received.thread_id,
      include_quoted: true,
      markdown_body: '**Here** it is.',
    })
    expect(sent.new_text).toBe('Here it is.')
    expect(sent.quoted).toEqual([
      { text: expect.stringMatching(/^On Sun, 01 Mar 2026 .* Ann <ann@x.test> wrote:\n> Where/) },
    ])
    const parsed = await wire(sent)
    expect(parsed.text).toContain('\n> Where is it?')
    expect(parsed.html).toContain('<blockquote type="cite">')
    await world.engine.db.query('DELETE FROM message_ids WHERE message_id = $1', [sent.id])
    await world.engine.db.query('DELETE FROM messages WHERE id = $1', [sent.id])
    await world.engine.db.query('DELETE FROM recipients WHERE message_id = $1', [sent.id])
    await reindex(world.engine, {
      signal: new AbortController().signal,
      onProgress: () => undefined,
    })
    const again = await world.message(sent.id)
    expect(again).toMatchObject({ new_text: sent.new_text, quoted: sent.quoted })
  })
})

describe('a forward', () => {
  test('begins a thread with the words, the files and the subject of the message', async () => {
    const received = await world.mail(inbox, `f-${inbox.id}`, MIXED_MAIL)
    const sent = await world.send({
      forward_message_id: received.id,
      to: 'boss@y.test',
      text_body: 'Please decide.',
    })
    expect(sent).toMatchObject({
      inbox_id: inbox.id,
      subject: `Fwd: ${received.subject}`,
      in_reply_to: null,
      match: { method: 'new' },
      html_body: null,
    })
    expect(sent.thread_id).not.toBe(received.thread_id)
    expect(sent.references).toEqual([sent.message_id_header])
    expect(sent.text_body).toContain('Please decide.\n\n---------- Forwarded message ----------')
    expect(sent.text_body).toContain(`Subject: ${received.subject}\n`)
    expect(sent.text_body).toContain('Look:')
    expect(sent.text_body).not.toContain('secret orders')
    const parsed = await wire(sent)
    expect(parsed.attachments.map(({ filename, content }) => [filename, String(content)])).toEqual([
      ['pic.png', 'picture'],
      ['bestand ä.csv', 'a;b'],
    ])
  })

  test('takes more files, and another subject', async () => {
    const received = await world.mail(inbox, `g-${inbox.id}`, MIXED_MAIL)
    const sent = await world.send({
      forward_message_id: received.id,
      to: 'boss@y.test',
      subject: 'Have a look',
      attachments: [{ filename: 'note.txt', content: 'YQ==' }],
    })
    expect(sent.subject).toBe('Have a look')
    expect(sent.attachments.map(({ filename }) => filename)).toEqual([
      'note.txt',
      'pic.png',
      'bestand ä.csv',
    ])
  })

  test('of a forward of our own hands on the same files', async () => {
    const received = await world.mail(inbox, `h-${inbox.id}`, MIXED_MAIL)
    const first = await world.send({ forward_message_id: received.id, to: 'a@y.test' })
    const second = await world.send({ forward_message_id: first.id, to: 'b@y.test' })
    expect(second.subject).toBe(first.subject)
    expect((await wire(second)).attachments.map(({ content }) => String(content))).toEqual([
      'picture',
      'a;b',
    ])
  })

  test('needs a recipient, a message there is, and its inbox', async () => {
    const received = await conversation()
    const other = await world.inbox()
    const forward = { forward_message_id: received.id, to: 'a@y.test' }
    expect(await refused(world, { ...forward, to: [] })).toMatchObject({
      status: 400,
      details: [{ field: 'to' }],
    })
    const unknown = { ...forward, forward_message_id: 'msg_00000000000000000000000000' }
    expect((await refused(world, unknown)).status).toBe(404)
    expect(await refused(world, { ...forward, inbox_id: other.id })).toMatchObject({
      status: 400,
      details: [{ field: 'forward_message_id' }],
    })
    const sender = { ...world.owner, scopes: ['email:send' as const] }
    expect((await refused(world, forward, sender)).status).toBe(403)
  })
})

describe('citations', () => {
  test('are chunks that the caller sees, kept with the mail', async () => {
    const { engine, owner } = world
    await uploadDocument.run(engine, owner, {
      inbox_id: inbox.id,
      filename: 'returns.md',
      bytes: new TextEncoder().encode('# Returns\n\nWithin 30 days.'),
    })
    const worker = createWorker({ ...engine, handlers: { 'documents.read': readDocument(engine) } })
    await worker.settle()
    await worker.stop()
    const [chunk] = await engine.db.query<{ id: string }>('SELECT id FROM chunks')
    const mail = { inbox_id: inbox.id, to: 'a@x.test', subject: 'Hi', text_body: 'Hi' }
    const sent = await world.send({ ...mail, citations: [chunk?.id, chunk?.id] })
    expect(sent.citations).toEqual([chunk?.id])
    expect((await world.message(sent.id)).citations).toEqual([chunk?.id])
    const wrong = await refused(world, { ...mail, citations: [chunk?.id, 'chk_unknown'] })
    expect(wrong).toMatchObject({ status: 400, details: [{ field: 'citations.1' }] })
    const other = await world.inbox()
    const elsewhere = { ...owner, inboxIds: [other.id] }
    const theirs = { ...mail, inbox_id: other.id, citations: [chunk?.id] }
    expect((await refused(world, theirs, elsewhere)).status).toBe(400)
  })
})
