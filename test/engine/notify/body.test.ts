import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { newEvent } from '../../../src/engine/events.ts'
import type { MessageRow } from '../../../src/engine/messages/message.ts'
import {
  emptyBatch,
  newThread,
  storeMessages,
  threadCreated,
  withThreadNews,
} from '../../../src/engine/messages/store.ts'
import { idSuffix, newId } from '../../../src/platform/ids.ts'
import { expectGolden, masked } from '../../golden/golden.ts'
import type { Receiver } from '../../world/receiver.ts'
import { type NotifyWorld, notifyWorld, type TestInbox, told } from './notify-world.ts'

let world: NotifyWorld
let endpoint: Receiver
let inbox: TestInbox
beforeAll(async () => {
  world = await notifyWorld()
})
afterEach(() => world.quit())
afterAll(() => world.close())

const shown = (event: string) => {
  const [post] = told(endpoint, event)
  return masked(JSON.stringify(JSON.parse(post?.body ?? '{}'), null, 2))
}

async function begin(username: string): Promise<void> {
  endpoint = await world.endpoint()
  inbox = { ...(await world.inbox(endpoint.url)), address: `${username}@postroom.localhost` }
}

test('email.received and thread.created say what came in', async () => {
  await begin('support')
  await world.mail(inbox, [
    'From: John Doe <customer@example.com>',
    `To: Support <${inbox.address}>`,
    'Cc: Jane Roe <jane@example.com>, sales@example.com',
    'Subject: Need help with my order',
    'Message-ID: <a1@mail.example.com>',
    'Date: Sun, 01 Mar 2026 11:59:58 +0000',
    'Auto-Submitted: auto-generated',
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=outer',
    '',
    '--outer',
    'Content-Type: multipart/alternative; boundary=inner',
    '',
    '--inner',
    'Content-Type: text/plain; charset=utf-8',
    '',
    'Hi, I placed an order yesterday – with “quotes”.',
    '--inner',
    'Content-Type: text/html; charset=utf-8',
    '',
    '<p>Hi, I placed an order yesterday.</p>',
    '--inner--',
    '--outer',
    'Content-Type: text/plain; name=invoice.txt',
    'Content-Disposition: attachment; filename=invoice.txt',
    '',
    'Invoice 17',
    '--outer--',
    '',
  ])
  await world.worker().settle()
  expectGolden('webhooks/email.received.json', shown('email.received'))
  expectGolden('webhooks/thread.created.json', shown('thread.created'))
})

test('email.received begins with exactly the fields of the AIThreads documentation', async () => {
  await begin('support')
  await world.mail(inbox)
  await world.worker().settle()
  const body = JSON.parse(told(endpoint, 'email.received')[0]?.body ?? '{}')
  expect(Object.keys(body)).toEqual(['event', 'timestamp', 'data'])
  expect(Object.keys(body.data).slice(0, 8)).toEqual([
    'email_id',
    'thread_id',
    'inbox_id',
    'from',
    'to',
    'subject',
    'text_body',
    'received_at',
  ])
  expect(body.timestamp).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
})

test('email.sent says what went out, and what its event adds', async () => {
  await begin('support')
  const row = outgoing()
  await store(row, newEvent('email.sent', aboutOf(row), world.clock.now()))
  await world.worker().settle()
  expectGolden('webhooks/email.sent.json', shown('email.sent'))
})

test('email.pending_review says what waits for a person, why, and all who would get it', async () => {
  await begin('support')
  const row: MessageRow = { ...outgoing(), status: 'pending_review', delivery: 'email' }
  const data = {
    review_id: newId('rev', world.clock.now()),
    sha256: 'ab'.repeat(32),
    reasons: [{ code: 'new_recipient', message: 'customer@example.com: new to this thread.' }],
    expires_at: '2026-03-08T12:00:00.000Z',
  }
  await store(row, newEvent('email.pending_review', { ...aboutOf(row), data }, world.clock.now()))
  await world.worker().settle()
  expectGolden('webhooks/email.pending_review.json', shown('email.pending_review'))
})

test('email.bounced carries the bounce, and no text', async () => {
  await begin('support')
  const row = outgoing()
  const bounce = {
    type: 'permanent',
    code: 550,
    reason: '5.1.1 no such user',
    recipients: ['gone@example.com'],
  }
  const event = newEvent('email.bounced', { ...aboutOf(row), data: { bounce } }, world.clock.now())
  await store(row, event)
  await world.worker().settle()
  const body = JSON.parse(told(endpoint, 'email.bounced')[0]?.body ?? '{}')
  expect(body.data).toMatchObject({ email_id: row.id, subject: 'Re: Your inquiry', bounce })
  expect(body.data).not.toHaveProperty('text_body')
})

function outgoing(): MessageRow {
  const now = world.clock.now()
  const id = newId('msg', now)
  return {
    org_id: world.owner.orgId,
    id,
    inbox_id: inbox.id,
    thread_id: `thr_${idSuffix(id)}`,
    direction: 'outbound',
    status: 'sent',
    delivery: 'dry-run',
    from: { email: inbox.address, name: 'Support' },
    to: [{ email: 'customer@example.com', name: 'John Doe' }],
    cc: [],
    bcc: [{ email: 'archive@example.com' }],
    reply_to: [],
    subject: 'Re: Your inquiry',
    text_body: 'Thank you for reaching out.',
    html_body: null,
    new_text: 'Thank you for reaching out.',
    quoted: [],
    hidden_text_removed: 0,
    codes: [],
    links: [],
    message_id_header: '<b2@postroom.localhost>',
    in_reply_to: '<a1@mail.example.com>',
    references: ['<a1@mail.example.com>'],
    match_method: 'new',
    match_evidence: null,
    parse_status: 'ok',
    auto_reply: null,
    bounce: null,
    authentication: null,
    sender_flags: [],
    envelope: { mail_from: inbox.address, rcpt_to: ['customer@example.com'] },
    raw_sha256: '0'.repeat(64),
    size: 400,
    by_agent: true,
    key_id: null,
    send_at: null,
    citations: [],
    sent_at: now,
    created_at: now,
  }
}

const aboutOf = (row: MessageRow) => ({
  orgId: row.org_id,
  inboxId: row.inbox_id,
  threadId: row.thread_id,
  messageId: row.id,
})

async function store(row: MessageRow, event: ReturnType<typeof newEvent>): Promise<void> {
  const stored = await storeMessages(world.engine, {
    ...emptyBatch(),
    messages: [withThreadNews(row)],
    threads: [newThread(row)],
    events: [threadCreated(row), event],
  })
  expect(stored).toBe('stored')
}
