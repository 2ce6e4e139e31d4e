import { describe, expect, test } from 'vitest'
import { readArguments } from '../../../src/doors/mcp/arguments.ts'
import { TOOLS } from '../../../src/doors/mcp/tools.ts'

const read = (name: string, given: Record<string, unknown>) => {
  const tool = TOOLS.find((one) => one.name === name)
  if (tool === undefined) throw new Error(`no tool ${name}`)
  return readArguments(tool, given)
}

describe('slips that are put right', () => {
  test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['list_threads', { inboxId: 'a', waitingOn: 'us' }, { inbox_id: 'a', waiting_on: 'us' }],
    ['list_threads', { page_token: 'c' }, { cursor: 'c' }],
    ['list_threads', { pageToken: 'c' }, { cursor: 'c' }],
    ['list_threads', { limit: '5', is_read: 'false' }, { limit: 5, is_read: false }],
    ['list_threads', { inbox_id: null }, {}],
    ['get_thread_messages', { threadId: 't' }, { thread_id: 't' }],
    ['get_thread_messages', { thread_id: 't', maxTokens: '900' }, { max_tokens: 900 }],
    ['search_documents', { query: 'lamp' }, { q: 'lamp' }],
    ['get_context', { query: 'lamp' }, { q: 'lamp' }],
    ['create_inbox', { username: 'a', name: 'Ann' }, { display_name: 'Ann' }],
    ['create_inbox', { username: 'a', displayName: 'Ann' }, { display_name: 'Ann' }],
    ['send_email', { body: 'x' }, { text_body: 'x' }],
    ['send_email', { text: 'x' }, { text_body: 'x' }],
    ['send_email', { bodyText: 'x' }, { text_body: 'x' }],
    ['send_email', { content: 'x' }, { text_body: 'x' }],
    ['send_email', { markdown: 'x' }, { markdown_body: 'x' }],
    ['send_email', { attachmentIds: 'att_1' }, { attachment_ids: ['att_1'] }],
    ['send_email', { replyAll: 'true' }, { reply_all: true }],
    ['send_email', { textBody: 'x' }, { text_body: 'x' }],
    ['send_email', { to: 'a@b.example' }, { to: ['a@b.example'] }],
    ['send_email', { to: { email: 'a@b.example' } }, { to: ['a@b.example'] }],
    [
      'send_email',
      { cc: [{ email: 'a@b.example', name: 'A "B" C' }, 'd@e.example'] },
      { cc: ['"A \\"B\\" C" <a@b.example>', 'd@e.example'] },
    ],
    ['send_email', { replyToMessageId: 'm' }, { reply_to_message_id: 'm' }],
  ])('%s %j', (tool, given, wanted) => {
    expect(read(tool, given)).toMatchObject(wanted)
  })
})

describe('what is refused', () => {
  test.each<[string, Record<string, unknown>, RegExp]>([
    [
      'list_threads',
      { colour: 'red' },
      /colour: is no argument of list_threads, which takes: inbox_id, waiting_on,/,
    ],
    ['list_threads', { limmit: 5 }, /did you mean limit\?/],
    ['list_threads', { limit: 0 }, /limit: must be at least 1/],
    ['list_threads', { limit: 'many' }, /limit: must be a (whole )?number/],
    ['list_threads', { waiting_on: 'me' }, /waiting_on: must be us or them/],
    ['get_thread_messages', {}, /thread_id: is required/],
    [
      'get_thread_messages',
      { thread_id: 'a', threadId: 'b' },
      /thread_id: thread_id and threadId mean the same/,
    ],
    ['search_documents', { q: 'a', query: 'b' }, /q and query mean the same/],
    ['send_email', { text: 'a', body: 'b' }, /text_body: text and body mean the same/],
    ['send_email', { html_body: '<p>x</p>' }, /html_body: .*markdown_body/],
    ['send_email', { htmlBody: '<p>x</p>' }, /htmlBody: .*markdown_body/],
    ['send_email', { attachments: [] }, /attachments: is no argument .*attachment_ids/],
    ['send_email', { to: [7] }, /to\.0: must be a text/],
    ['send_email', { __proto__x: 1, constructor: 2 }, /constructor: is no argument/],
  ])('%s %j', (tool, given, message) => {
    expect(() => read(tool, given)).toThrow(message)
  })

  test('a name that holds another address adds nobody', () => {
    const { to } = read('send_email', {
      to: { email: 'a@b.example', name: 'x" <e@evil.example>, "' },
    })
    expect(to).toEqual(['"x\\" <e@evil.example>, \\"" <a@b.example>'])
  })
})
