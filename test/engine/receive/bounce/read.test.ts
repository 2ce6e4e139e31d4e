import { expect, test } from 'vitest'
import { readBounce } from '../../../../src/engine/receive/bounce/read.ts'
import { mailsOf } from './mails.ts'

/** Address, code, status and reason; a dash for what the report does not tell, `~` before a delay. */
const EXPECTED: Record<string, string[]> = {
  aol: ['adalove@aol.example - - the mail was not delivered'],
  communigate: [
    'ada@shop.example 550 5.1.1 SMTP module(domain shop.example) reports: in.shop.example says: 550 5.1.1 no mailbox of that name',
  ],
  courier: ['ada@shop.example 550 5.1.1 in.shop.example [192.0.2.9]: <<< 550 5.1.1 no ada'],
  domino: ['ada@shop.example - - not listed in Domino Directory'],
  'dovecot-rejection': ['ada@shop.example - - No more room'],
  dragonfly: [
    'ada@shop.example 550 5.1.1 in.shop.example [192.0.2.9] did not like our RCPT TO: 550 5.1.1 no ada here',
  ],
  'dsn-delayed': [
    '~ ada@shop.example - 4.4.1 connect to in.shop.example[192.0.2.9]:25: Connection timed out',
  ],
  'dsn-exchange-online': [
    'ada@shop.example 550 5.1.10 550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found by SMTP address lookup',
  ],
  'dsn-gmail': [
    'ada@shop.example 550 5.1.1 550-5.1.1 no such account here. Look at 550 5.1.1 https://help.example/NoSuchUser - gsmtp',
  ],
  'dsn-postfix': [
    'ada@shop.example 550 5.1.1 550 5.1.1 <ada@shop.example>: Recipient address rejected: no mailbox of that name',
  ],
  'dsn-several-recipients': [
    'ada@shop.example 552 5.2.2 552 5.2.2 mailbox of ada is full',
    '~ bob@far.example - 4.4.1 the host did not answer',
  ],
  'dsn-utf8': ['jörg@bücher.example 553 5.6.7 553 5.6.7 addresses in UTF-8 are not spoken here'],
  'dsn-wrapped-by-a-gateway': ['ada@shop.example - 5.1.1 there is no such mailbox'],
  'exchange-2003': [
    'ada@shop.example 550 5.1.1 on 3/3/2026 9:01 AM The e-mail account does not exist at the organization this was sent to. <x.example #5.1.1 smtp;550 5.1.1 unknown>',
  ],
  'exchange-2007-html': [
    'ada@shop.example 550 5.1.1 #550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##',
  ],
  'exchange-55': [
    'ada@shop.example - - The recipient name is not recognized MSEXCH:IMS:X:MAIN:X1 0 (000C05A6) Unknown Recipient',
  ],
  'exim-delayed': ['~ ada@shop.example - - Delay reason: connection refused'],
  exim: [
    'ada@shop.example 550 5.2.1 host in.shop.example [192.0.2.9] SMTP error from remote mail server after RCPT TO:<ada@shop.example>: 550 5.2.1 switched off',
    'bob@far.example - - mailbox is full: retry timeout exceeded',
  ],
  french: ['ada@shop.example - 5.2.2 La boîte est pleine (5.2.2)'],
  groupwise: ['ada@shop.example - - user not found'],
  imail: ['ada@shop.example 550 5.1.1 RCPT TO generated following response: 550 5.1.1 not here'],
  james: ['ada@shop.example 550 5.1.1 550 5.1.1 no mailbox'],
  'kundenserver-german': [
    'ada@shop.example 550 5.1.1 SMTP error from remote server for RCPT command, host: in.shop.example (192.0.2.9) reason: 550 5.1.1 kein Postfach',
  ],
  mailenable: ['ada@shop.example 550 - Remote SMTP Server Returned: 550 not local.'],
  mailmarshal: ['ada@shop.example 550 5.1.1 550 5.1.1 User unknown'],
  mdaemon: ['ada@shop.example 554 5.7.1 554 5.7.1 refused by policy'],
  mimecast: ['ada@shop.example - 5.4.1 Recipient email address is possibly incorrect'],
  'names-nobody': [
    'ada@shop.example - 5.2.2 Your mail could not be delivered: the mailbox is full (5.2.2).',
  ],
  opensmtpd: ['ada@shop.example 550 5.2.2 550 5.2.2 full up'],
  'postfix-old': ['ada@shop.example - - unknown user: "box"'],
  qmail: [
    'ada@shop.example 550 5.1.1 192.0.2.9 does not like recipient. Remote host said: 550 5.1.1 nobody of that name Giving up on 192.0.2.9.',
    "bob@far.example - 5.1.2 Sorry, I couldn't find any host named far.example. (#5.1.2)",
  ],
  qq: ['ada@shop.example - - 不存在，邮件无法送达。'],
  'russian-base64': ['ada@shop.example 550 - 550 нет такого ящика'],
  'sendmail-5': ['ada@shop.example 550 - User unknown'],
  sendmail: [
    'ada@shop.example 550 5.1.1 550 5.1.1 nobody here',
    'bob@far.example 552 5.2.2 552 5.2.2 <box@inside.example>... Mailbox full',
  ],
  smail: ['ada@shop.example - - unknown host'],
  yahoo: ['ada@shop.example 552 5.2.2 552: 5.2.2 mailbox of ada is full'],
  zoho: ['ada@shop.example 550 5.1.1 ERROR CODE :550 - 5.1.1 no mailbox of that name'],
}

/** Reports that neither return a header nor refer to the mail. */
const NAME_NO_MAIL = [
  'aol',
  'communigate',
  'courier',
  'domino',
  'exchange-2003',
  'french',
  'james',
  'kundenserver-german',
  'mailmarshal',
  'mdaemon',
  'mimecast',
  'qq',
  'russian-base64',
  'zoho',
]

const bounces = mailsOf('bounces')

test('every mail of the folder has its expectation', () =>
  expect(bounces.map(({ name }) => name).sort()).toEqual(Object.keys(EXPECTED).sort()))

test.each(bounces)('$name: who, for how long, and why', ({ name, raw }) => {
  const told = readBounce({ raw })?.recipients.map(
    ({ email, permanent, code, status, reason }) =>
      `${permanent ? '' : '~ '}${email} ${code ?? '-'} ${status ?? '-'} ${reason}`,
  )
  expect(told).toEqual(EXPECTED[name])
})

test.each(bounces)('$name: which mail came back', ({ name, raw }) => {
  const original = NAME_NO_MAIL.includes(name) ? null : '<01HQ7ORDER@post.example>'
  expect(readBounce({ raw })?.original_message_id).toBe(original)
})

test.each(mailsOf('automatic'))('$name is no bounce', ({ raw }) => {
  expect(readBounce({ raw })).toBeNull()
  expect(readBounce({ raw, mailFrom: '' })).toBeNull()
})

const mail = (...lines: string[]) => Buffer.from(lines.join('\r\n'))

/** A report with one status part of these lines. */
const report = (...status: string[]) =>
  mail(
    'From: MAILER-DAEMON@mx.example',
    'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
    '',
    '--b',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mx.example',
    '',
    ...status,
    '--b--',
  )

test('the address that was written to is named, not the mailbox behind it', () => {
  const raw = report(
    'Final-Recipient: rfc822; box@inside.example',
    'Original-Recipient: rfc822; ada@shop.example',
    'Action: failed',
    'Status: 5.1.1',
  )
  expect(readBounce({ raw })?.recipients).toMatchObject([{ email: 'ada@shop.example' }])
})

test.each([
  ['failed', '4.4.7', true],
  ['Failed (nobody home)', '5.1.1', true],
  ['error', '5.0.0', true],
  ['delayed', '5.0.0', false],
  ['', '5.1.1', true],
  ['', '4.2.2', false],
])('action "%s" with status %s: permanent %s', (action, status, permanent) => {
  const raw = report(
    'Final-Recipient: rfc822; ada@shop.example',
    `Action: ${action}`,
    `Status: ${status}`,
  )
  expect(readBounce({ raw })?.recipients).toMatchObject([{ permanent, status }])
})

test.each(['delivered', 'relayed', 'expanded'])('action %s is no bounce', (action) => {
  const raw = report('Final-Recipient: rfc822; ada@shop.example', `Action: ${action}`)
  expect(readBounce({ raw })).toBeNull()
})

test('a status that says more than the field is taken from the diagnosis', () => {
  const raw = report(
    'Final-Recipient: rfc822; ada@shop.example',
    'Action: failed',
    'Status: 5.0.0',
    'Diagnostic-Code: smtp; 552 5.2.2 192.0.2.9 says: full',
  )
  expect(readBounce({ raw })?.recipients).toMatchObject([{ code: 552, status: '5.2.2' }])
})

test('an empty envelope sender alone makes no bounce of a note about a failure', () => {
  const raw = mail(
    'From: Ada <ada@shop.example>',
    'Subject: Hello',
    '',
    'It was not delivered to bob@far.example.',
  )
  expect(readBounce({ raw, mailFrom: '' })).toBeNull()
})

test('the report’s own Message-ID is never the original one', () => {
  const raw = mail(
    'From: MAILER-DAEMON@mx.example',
    'Message-ID: <own@mx.example>',
    'References: <own@mx.example>',
    'Subject: failure notice',
    '',
    'Message-ID: <own@mx.example>',
    'Your message could not be delivered to:',
    'ada@shop.example',
  )
  expect(readBounce({ raw })).toMatchObject({
    original_message_id: null,
    recipients: [{ email: 'ada@shop.example' }],
  })
})

test('a mail of nothing, or of a header alone, is no bounce', () => {
  expect(readBounce({ raw: Buffer.alloc(0), mailFrom: '' })).toBeNull()
  expect(readBounce({ raw: mail('From: MAILER-DAEMON@mx.example'), mailFrom: '' })).toBeNull()
})
