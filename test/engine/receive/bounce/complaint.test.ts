import { expect, test } from 'vitest'
import { readComplaint } from '../../../../src/engine/receive/bounce/complaint.ts'
import { mailsOf } from './mails.ts'

const automatic = mailsOf('automatic')

test('a complaint tells its kind, who complains and about which mail', () => {
  const raw = automatic.find(({ name }) => name === 'complaint')?.raw ?? Buffer.alloc(0)
  expect(readComplaint(raw)).toEqual({
    feedback_type: 'abuse',
    recipients: ['ada@shop.example'],
    original_message_id: '<01HQ7ORDER@post.example>',
  })
})

test.each([...automatic.filter(({ name }) => name !== 'complaint'), ...mailsOf('bounces')])(
  '$name is no complaint',
  ({ raw }) => expect(readComplaint(raw)).toBeNull(),
)

test('a complaint without a kind is of the kind other', () => {
  const raw = Buffer.from(
    [
      'Content-Type: multipart/report; report-type="feedback-report";',
      '\tboundary="b"',
      '',
      '--b',
      'Content-Type: message/feedback-report',
      '',
      'Version: 1',
      'Original-Rcpt-To: ada@shop.example',
      'Original-Rcpt-To: <bob@far.example>',
      'Original-Rcpt-To: <ada@shop.example>',
      '--b--',
    ].join('\r\n'),
  )
  expect(readComplaint(raw)).toEqual({
    feedback_type: 'other',
    recipients: ['ada@shop.example', 'bob@far.example'],
    original_message_id: null,
  })
})
