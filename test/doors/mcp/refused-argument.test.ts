import { afterAll, beforeAll, expect, test } from 'vitest'
import { putBlockList } from '../../../src/engine/inboxes/lists.ts'
import { type Mailroom, openMailroom } from '../../world/mailroom.ts'
import { type Mcp, objectOf, overStreams, textOf } from '../../world/mcp.ts'

let room: Mailroom
let client: Mcp
let thread_id: string

beforeAll(async () => {
  room = await openMailroom()
  client = await overStreams('modern', room.engine, room.agent, {
    toolsets: ['mail', 'knowledge', 'drafts'],
  })
  await putBlockList.run(room.engine, room.owner, {
    inbox_id: room.hello,
    entries: ['bad@example.com', 'ann@example.com'],
  })
  thread_id = await room.conversation(room.hello, 1, 3)
})
afterAll(async () => {
  await client.close()
  await room.close()
})

const NO_ID = `thr_${'0'.repeat(26)}`
const MAIL = { subject: 'Hi', text_body: 'Hello' }

test.each<[string, Record<string, unknown>, string]>([
  ['list_threads', { inbox_id: 'nope' }, 'inbox_id'],
  ['list_threads', { inboxId: 'x'.repeat(100) }, 'inbox_id'],
  ['get_thread_messages', { thread_id: NO_ID }, 'thread_id'],
  ['search_documents', { q: 'nope', inbox_id: 'nope@x.test' }, 'inbox_id'],
  ['list_drafts', { thread_id: 'nope' }, 'thread_id'],
  ['send_draft', { draft_id: 'nope' }, 'draft_id'],
  ['delete_draft', { draft_id: 'nope' }, 'draft_id'],
  ['update_draft', { draft_id: 'nope', subject: 'Hi' }, 'draft_id'],
  ['send_email', { ...MAIL, reply_to_message_id: 'nope' }, 'reply_to_message_id'],
  ['create_inbox', { username: 'hello' }, 'username'],
  ['send_email', { ...MAIL, to: 'Bad <BAD@example.com>' }, 'to'],
  ['send_email', { ...MAIL, to: 'good@example.com', bcc: ['bad@example.com'] }, 'bcc'],
])('%s %j names the argument', async (tool, args, argument) => {
  const inbox = tool === 'send_email' && !('reply_to_message_id' in args)
  const told = await client.call(tool, { ...args, ...(inbox ? { inbox_id: room.hello } : {}) })
  expect(told.isError).toBe(true)
  expect(textOf(told)).toContain(`\nargument: ${argument}\n`)
})

test('the argument of a message that is not there is named, beside one that is', async () => {
  const told = await client.call('get_thread_messages', { thread_id, after_message_id: 'nope' })
  expect(textOf(told)).toContain('\nargument: after_message_id\n')
})

test('a refused answer to somebody who was not written down leads to `to`', async () => {
  const told = await client.call('send_email', { thread_id, text_body: 'Hello' })
  expect(textOf(told)).toMatch(/^error: recipient_not_allowed\n/)
  expect(textOf(told)).toContain('\nargument: to\n')
})

test('a draft that was sent is the argument of what comes too late', async () => {
  const made = await client.call('create_draft', { ...MAIL, to: 'c@example.com' })
  const { draft_id } = objectOf<{ draft_id: string }>(made)
  await client.call('send_draft', { draft_id })
  const told = await client.call('update_draft', { draft_id, subject: 'Late' })
  expect(textOf(told)).toMatch(/^error: conflict\n/)
  expect(textOf(told)).toContain('\nargument: draft_id\n')
})
