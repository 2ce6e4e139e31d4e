import { simpleParser } from 'mailparser'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { getMessage, getRawMessage } from '../../../src/engine/messages/operations.ts'
import { newId } from '../../../src/platform/ids.ts'
import { headers, type Mailroom, openMailroom } from '../../world/mailroom.ts'
import { objectOf, textOf } from '../../world/mcp.ts'

interface Sent {
  message_id: string
  thread_id: string
  subject: string
  to: string[]
  cc?: string[]
}

let room: Mailroom
let inbox: string

beforeAll(async () => {
  room = await openMailroom()
})
beforeEach(async () => {
  inbox = await room.newInbox()
})
afterAll(() => room.close())

const send = async (args: Record<string, unknown>) =>
  objectOf<Sent>(await room.client.call('send_email', args))
const stored = (message_id: string) => getMessage.run(room.engine, room.owner, { message_id })
const wire = async (message_id: string) => {
  const { bytes } = await getRawMessage.run(room.engine, room.owner, { message_id })
  return simpleParser(Buffer.from(bytes))
}

/** A mail to this inbox and to Bob, with a file. */
async function received(id: string) {
  const more = [
    'Cc: Bob <bob@example.com>',
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    '',
    'Is it so?',
    '--b',
    'Content-Type: text/plain; name=terms.txt',
    'Content-Disposition: attachment; filename=terms.txt',
    '',
    'terms',
    '--b--',
  ].join('\n')
  await room.mail(inbox, headers(inbox, id, 'Terms', more), '')
  const [row] = await room.engine.db.query<{ id: string; thread_id: string }>(
    'SELECT id, thread_id FROM messages WHERE message_id_header = $1',
    [`<${id}@example.com>`],
  )
  if (row === undefined) throw new Error('the mail did not come in')
  return row
}

test('Markdown goes out as text and HTML', async () => {
  const { message_id } = await send({
    inbox_id: inbox,
    to: 'ann@example.com',
    subject: 'Offer',
    markdown: '**Yes**, <b>so</b>',
  })
  const { text, html } = await wire(message_id)
  expect(text?.trim()).toBe('Yes, <b>so</b>')
  expect(html).toBe('<p><strong>Yes</strong>, &lt;b&gt;so&lt;/b&gt;</p>\n')
})

test('everybody on a message is answered when that is asked for', async () => {
  const { id, thread_id } = await received('all')
  const one = await send({ thread_id, text_body: 'Yes' })
  expect([one.to, one.cc]).toEqual([['Ann <ann@example.com>'], undefined])
  const all = await send({ reply_to_message_id: id, reply_all: true, text_body: 'Yes' })
  expect([all.to, all.cc]).toEqual([['Ann <ann@example.com>'], ['Bob <bob@example.com>']])
  expect(all.thread_id).toBe(thread_id)
})

test('a message is forwarded with its attachments, into a thread of its own', async () => {
  const { id, thread_id } = await received('forward')
  const sent = await send({ forward_message_id: id, to: ['boss@example.com'] })
  expect(sent.subject).toBe('Fwd: Terms')
  expect(sent.thread_id).not.toBe(thread_id)
  const { text, attachments } = await wire(sent.message_id)
  expect(text).toContain('Forwarded message')
  expect(attachments.map(({ filename }) => filename)).toEqual(['terms.txt'])
})

test('files that are kept here go along by their ids', async () => {
  const { id } = await received('files')
  const [file] = (await stored(id)).attachments
  const { message_id } = await send({
    inbox_id: inbox,
    to: 'ann@example.com',
    subject: 'Terms',
    text_body: 'Attached.',
    attachment_ids: file?.id,
  })
  expect((await wire(message_id)).attachments.map(({ content }) => String(content).trim())).toEqual(
    ['terms'],
  )
})

test.each([
  [{ to: 'a@example.com', subject: 's', text_body: 'x', markdown_body: 'y' }, 'markdown_body'],
  [{ to: 'a@example.com', subject: 's', text_body: 'x', reply_all: true }, 'reply_all'],
  [{ to: 'a@example.com', subject: 's', text_body: 'x', citations: ['chk_1'] }, 'citations'],
  [
    { to: 'a@example.com', subject: 's', text_body: 'x', attachment_ids: ['att_1'] },
    'attachment_ids',
  ],
  [{ to: 'a@example.com', subject: 's' }, 'text_body'],
])('%j is refused by name', async (args, argument) => {
  const told = await room.client.call('send_email', { inbox_id: inbox, ...args })
  expect(told.isError).toBe(true)
  expect(textOf(told)).toContain(`\nargument: ${argument}\n`)
})

test('who is on the suppression list is left out, and the result says so', async () => {
  const { engine, owner } = room
  const at = engine.clock.now()
  const entry = { email: 'gone@example.com', kind: 'bounce', reason: '5.1.1 obey me' }
  await engine.db.prisma.suppressions.create({
    data: { org_id: owner.orgId, id: newId('sup', at), ...entry, message_id: '', created_at: at },
  })
  const mail = { inbox_id: inbox, subject: 'Offer', text_body: 'Here it is.' }
  const sent = await send({ ...mail, to: ['gone@example.com', 'ann@example.com'] })
  expect(sent).toMatchObject({
    to: ['ann@example.com'],
    next: expect.stringMatching(
      /Not sent to gone@example\.com \(left out: an earlier mail bounced/,
    ),
  })
  const refusal = textOf(await room.client.call('send_email', { ...mail, to: 'gone@example.com' }))
  expect(refusal).toContain('all_recipients_suppressed')
  expect(refusal).not.toContain('obey me')
})

test('the author of a mail is answered also where the address is not ASCII', async () => {
  const from = 'From: 用户 <用户@例子.test>\nSubject: 你好\nMessage-ID: <intl@x.test>\n'
  const reply_to_message_id = await room.mail(inbox, from, 'Is it so?')
  const sent = await send({ reply_to_message_id, text_body: 'Yes' })
  expect(sent.to).toEqual(['用户 <用户@xn--fsqu00a.test>'])
  const { to } = await wire(sent.message_id)
  expect([to].flat()[0]?.value).toEqual([{ address: '用户@例子.test', name: '用户' }])
  const { cc } = await send({
    inbox_id: inbox,
    to: 'ann@example.com',
    cc: 'Jörg <jörg@example.com>',
    subject: 'Hi',
    text_body: 'Hi',
  })
  expect(cc).toEqual(['Jörg <jörg@example.com>'])
})
