import { expect, test } from 'vitest'
import { autoReplyReason } from '../../../../src/engine/receive/auto-reply.ts'
import { headerEnd, readHeader } from '../../../../src/engine/receive/bounce/header.ts'
import { readBounce } from '../../../../src/engine/receive/bounce/read.ts'
import { mailsOf } from './mails.ts'

const ADA = 'ada@shop.example'

/** The reason for a mail of these header lines. */
const reasonOf = (mailFrom: string, ...lines: string[]) =>
  autoReplyReason(readHeader(lines.join('\r\n')), mailFrom)

test.each([
  ['bounces', 'dsn-postfix', 'bounce'],
  ['bounces', 'dsn-several-recipients', 'bounce'],
  ['bounces', 'dsn-delayed', 'delay'],
  ['bounces', 'exim-delayed', 'delay'],
  ['bounces', 'qmail', 'bounce'],
  ['automatic', 'dsn-success', 'receipt'],
  ['automatic', 'read-receipt', 'receipt'],
  ['automatic', 'complaint', 'complaint'],
  ['automatic', 'challenge', 'challenge'],
  ['automatic', 'vacation', 'vacation'],
  ['automatic', 'list-talk-about-bounces', 'list'],
  ['automatic', 'newsletter', 'bulk'],
  ['automatic', 'left-the-company', 'auto_submitted'],
  ['automatic', 'empty-sender-note', 'empty_envelope_sender'],
  ['automatic', 'colleague-asks', null],
  ['automatic', 'customer-complains', null],
  ['automatic', 'forwarded-bounce', null],
])('%s/%s: %s', (folder, wanted, reason) => {
  const raw = mailsOf(folder).find(({ name }) => name === wanted)?.raw ?? Buffer.alloc(0)
  const header = readHeader(raw.subarray(0, headerEnd(raw)).toString('latin1'))
  const mailFrom = (header('return-path') ?? '').slice(1, -1)
  expect(autoReplyReason(header, mailFrom, readBounce({ raw, mailFrom }))).toBe(reason)
})

test.each([
  ['Auto-Submitted: auto-generated', 'auto_submitted'],
  ['Auto-Submitted: auto-replied (vacation)', 'vacation'],
  ['Auto-Submitted: no', null],
  ['X-Auto-Response-Suppress: All', 'auto_submitted'],
  ['X-Auto-Response-Suppress: None', null],
  ['X-Autoreply: yes', 'vacation'],
  ['X-Autoreply: no', null],
  ['X-Autorespond: Hello', 'vacation'],
  ['Precedence: auto_reply', 'vacation'],
  ['Precedence: bulk', 'bulk'],
  ['Precedence: list', 'list'],
  ['Precedence: first-class', null],
  ['List-Id: <talk.lists.example>', 'list'],
  ['List-Unsubscribe: <mailto:leave@shop.example>', null],
  ['X-TMDA-Fingerprint: abc', 'challenge'],
  ['From: MAILER-DAEMON@mx.example', 'mailer_daemon'],
  ['Content-Type: multipart/report; report-type="disposition-notification"', 'receipt'],
  ['Content-Type: multipart/report;\r\n\treport-type=feedback-report', 'complaint'],
])('%s: %s', (line, reason) => expect(reasonOf(ADA, line)).toBe(reason))

test('the envelope tells where the header does not', () => {
  expect(reasonOf('', 'Subject: Hello')).toBe('empty_envelope_sender')
  expect(reasonOf('MAILER-DAEMON@mx.example', 'Subject: Hello')).toBe('mailer_daemon')
  expect(reasonOf(ADA, 'Subject: Hello')).toBeNull()
})

/** As Exchange and the phones write it, in as many languages as there are lines. */
const VACATION_SUBJECTS = [
  'Automatic reply: Your order',
  'Out of Office: Your order',
  'Automatische Antwort: Ihre Bestellung',
  'Réponse automatique : votre commande',
  'Respuesta automática: su pedido',
  'Resposta automática: o seu pedido',
  'Risposta automatica: il suo ordine',
  'Automatisch antwoord: uw bestelling',
  'Autosvar: din beställning',
  'Automaattinen vastaus: tilauksesi',
  'Automatyczna odpowiedź: zamówienie',
  'Automatická odpověď: objednávka',
  'Automatikus válasz: rendelés',
  'Otomatik yanıt: siparişiniz',
  'Автоматический ответ: заказ',
  '自动回复: 您的订单',
  '自動返信: ご注文',
  '자동 회신: 주문',
]

test.each(VACATION_SUBJECTS)('%s is a vacation note only beside another sign', (subject) => {
  const encoded = `Subject: =?utf-8?B?${Buffer.from(subject).toString('base64')}?=`
  expect(reasonOf(ADA, encoded)).toBeNull()
  expect(reasonOf(ADA, encoded, 'Auto-Submitted: auto-generated')).toBe('vacation')
  expect(reasonOf('', encoded)).toBe('vacation')
  expect(reasonOf('', encoded.replace(': ', ': Re: '))).toBe('empty_envelope_sender')
})

test('an answer to a vacation note is written by somebody', () =>
  expect(reasonOf(ADA, 'Subject: Re: Automatic reply: Your order')).toBeNull())
