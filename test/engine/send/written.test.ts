import { describe, expect, test } from 'vitest'
import { Refusal } from '../../../src/engine/errors.ts'
import { messageInput, readWritten } from '../../../src/engine/send/written.ts'

const MIB = 1024 * 1024
const base64 = (content: string) => Buffer.from(content).toString('base64')
const file = (over: object = {}) => ({ filename: 'a.txt', content: base64('a'), ...over })
const written = (over: object) =>
  readWritten(messageInput.parse({ to: 'ann@x.test', subject: 'Hi', text_body: 'Hi', ...over }))

/** The fields that are named in what is said. */
function wrong(over: object): string[] {
  try {
    written(over)
  } catch (error) {
    expect(error).toBeInstanceOf(Refusal)
    const { details, fix } = error as Refusal
    expect(fix).not.toBe('')
    return details.map(({ field }) => field)
  }
  return []
}

describe('what a caller may not write:', () => {
  test.each<[string, object, string[]]>([
    ['no body', { text_body: ' \n ' }, ['text_body']],
    ['Markdown beside text', { markdown_body: '*x*' }, ['markdown_body']],
    [
      'Markdown beside HTML',
      { text_body: undefined, html_body: '<p>x</p>', markdown_body: 'x' },
      ['markdown_body'],
    ],
    [
      'Markdown of a book',
      { text_body: undefined, markdown_body: 'x'.repeat(256 * 1024 + 1) },
      ['markdown_body'],
    ],
    [
      'HTML of a book without its text',
      { text_body: undefined, html_body: '<p>'.repeat(50_001) },
      ['text_body'],
    ],
    ['51 addresses', { cc: Array.from({ length: 51 }, (_, n) => `a${n}@x.test`) }, ['cc']],
    ['a subject of 999 characters', { subject: 'x'.repeat(999) }, ['subject']],
    ['a subject of two lines', { subject: 'a\r\nBcc: b@x.test' }, ['subject']],
    [
      'three targets',
      { thread_id: 't', reply_to_message_id: 'm', forward_message_id: 'f' },
      ['reply_to_message_id', 'forward_message_id'],
    ],
    ['an answer to all of nothing', { reply_all: true }, ['reply_all']],
    ['an answer to all of a forward', { forward_message_id: 'f', reply_all: true }, ['reply_all']],
    ['a quoted copy of nothing', { include_quoted: true }, ['include_quoted']],
    ['a header that is not on the list', { headers: { Bcc: 'b@x.test' } }, ['headers.Bcc']],
    ['orders to a relay', { headers: { 'X-SMTPAPI': '{}' } }, ['headers.X-SMTPAPI']],
    [
      'a header with a line break',
      { headers: { Importance: 'high\r\nBcc: b@x.test', 'Key\nBcc': 'x' } },
      ['headers.Importance', 'headers.Key Bcc'],
    ],
    [
      'a header that is empty, too long, or there twice',
      { headers: { Keywords: ' ', Comments: 'x'.repeat(901), Priority: '1', priority: '2' } },
      ['headers.Keywords', 'headers.Comments', 'headers.priority'],
    ],
  ])('%s', (_, over, fields) => expect(wrong(over)).toEqual(fields))
})

describe('what a caller may not attach:', () => {
  test.each<[string, object, string[]]>([
    ['eleven files', { attachments: Array(11).fill(file()) }, ['attachments']],
    ['eleven ids', { attachment_ids: Array(11).fill('att_x') }, ['attachment_ids']],
    [
      'content that is not base64',
      { attachments: ['a,b', 'a=b', 'a', 'YQ===', 'a_b+'].map((content) => file({ content })) },
      [0, 1, 2, 3, 4].map((n) => `attachments.${n}.content`),
    ],
    [
      'a data URL',
      { attachments: [file({ content: 'data:text/plain;base64,YQ==' })] },
      ['attachments.0.content'],
    ],
    [
      'a file without a name, or with one that names none',
      { attachments: [{ content: 'YQ==' }, file({ filename: '../..' })] },
      ['attachments.0.filename', 'attachments.1.filename'],
    ],
    [
      'a name with a line break',
      { attachments: [file({ filename: 'a\r\nBcc: b@x.test' })] },
      ['attachments.0.filename'],
    ],
    [
      'a type that is none',
      { attachments: [file({ content_type: 'pdf' }), file({ content_type: 'a/b\r\nX: y' })] },
      ['attachments.0.content_type', 'attachments.1.content_type'],
    ],
    [
      'neither bytes nor id, and both',
      { attachments: [{}, file({ attachment_id: 'att_x' })] },
      ['attachments.0', 'attachments.1'],
    ],
    [
      'a type of what is kept',
      { attachments: [{ attachment_id: 'att_x', content_type: 'a/b' }] },
      ['attachments.0.content_type'],
    ],
    [
      'a picture without HTML',
      { attachments: [file({ filename: 'a.png', content_id: 'a' })] },
      ['attachments.0.content_id'],
    ],
    [
      'a text as a picture, an id twice, an id that ends its line',
      {
        html_body: '<p>x</p>',
        attachments: [
          file({ content_id: 'a' }),
          file({ filename: 'b.png', content_id: 'a' }),
          file({ filename: 'c.png', content_id: 'c>\r\nX: y' }),
        ],
      },
      ['attachments.2.content_id', 'attachments.1.content_id', 'attachments.0.content_id'],
    ],
    [
      'a file over 10 MB',
      {
        attachments: [file(), file({ content: Buffer.alloc(10 * MIB + 1).toString('base64') })],
      },
      ['attachments.1'],
    ],
  ])('%s', (_, over, fields) => expect(wrong(over)).toEqual(fields))
})

test('a forward needs no words of its own', () => {
  expect(wrong({ text_body: undefined, forward_message_id: 'f' })).toEqual([])
})

test('header fields come in their usual spelling, in one line, and say no more than they show', () => {
  const { headers } = written({
    headers: { 'x-ticket-id': ' 4711 ', KEYWORDS: '=?utf-8?B?c2VjcmV0?=' },
  })
  expect(headers).toEqual({ 'X-Ticket-ID': '4711', Keywords: '= ?utf-8?B?c2VjcmV0?=' })
})

test.each([
  ['../../etc/passwd', 'passwd'],
  ['C:\\Users\\a b\\plan.pdf', 'plan.pdf'],
  ['  spaced .txt ', 'spaced .txt'],
  ['invoice\u202Efdp.exe', 'invoicefdp.exe'],
  ['tab\there.txt', 'tab here.txt'],
  [`${'x'.repeat(300)}.tar`, `${'x'.repeat(251)}.tar`],
  ['=?utf-8?Q?a?=.txt', '= ?utf-8?Q?a?=.txt'],
])('a file called %j is %j', (filename, name) => {
  const [item] = written({ attachments: [file({ filename })] }).items
  expect(item).toMatchObject({ file: { filename: name } })
})

test.each([
  [undefined, 'a.pdf', 'application/pdf'],
  ['', 'a.zzz', 'application/octet-stream'],
  ['application/octet-stream', 'a.png', 'image/png'],
  ['Text/CSV; charset=utf-8', 'a.bin', 'text/csv'],
  ['image/svg+xml', 'a', 'image/svg+xml'],
])('a file of the type %j called %s is %s', (content_type, filename, type) => {
  const given = file({ filename, ...(content_type === undefined ? {} : { content_type }) })
  const [item] = written({ attachments: [given] }).items
  expect(item).toMatchObject({ file: { contentType: type } })
})

test('base64 is understood as all the world writes it', () => {
  const bytes = Buffer.from([0xfb, 0xff, 0xfe, 0x3e])
  const plain = bytes.toString('base64')
  const forms = [
    plain,
    bytes.toString('base64url'),
    plain.replace('==', ''),
    ` ${plain.slice(0, 3)}\r\n${plain.slice(3)}\n`,
  ]
  const { items } = written({ attachments: forms.map((content) => file({ content })) })
  expect(items.map((item) => item.kind === 'file' && item.file.bytes)).toEqual(
    forms.map(() => bytes),
  )
})
