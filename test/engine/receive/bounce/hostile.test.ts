import { expect, test } from 'vitest'
import { readComplaint } from '../../../../src/engine/receive/bounce/complaint.ts'
import { readBounce } from '../../../../src/engine/receive/bounce/read.ts'

const MIB = 1024 * 1024
const SIZE = 5 * MIB
/** Measured: 5 to 60 ms on an idle machine; time that grows with the square takes minutes. */
const MOST_MS = 1_500

const HEAD = 'From: MAILER-DAEMON@x.example\r\nReturn-Path: <>\r\nSubject: Undelivered\r\n'
const STATUS = `${HEAD}Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n`
const PARTS = `${HEAD}Content-Type: multipart/report; boundary=b\r\n\r\n`
const HTML = `${HEAD}Content-Type: text/html\r\n\r\n`

/** What stands first, and what is repeated to 5 MiB. */
const MAILS: [string, string, string][] = [
  ['one line of letters', `${HEAD}\r\n`, 'a'],
  ['signs that make no address', `${HEAD}\r\n`, 'a@'],
  ['dots', `${HEAD}\r\n`, 'a.b.'],
  ['line ends', `${HEAD}\r\n`, '\n'],
  ['addresses that failed', `${HEAD}\r\n`, 'ada@shop.example could not be delivered\n'],
  ['phrases without an address', `${HEAD}\r\n`, 'could not be delivered to '],
  ['brackets that stay open', `${HEAD}\r\n`, '(expanded from <'],
  ['statuses', `${HEAD}\r\nada@shop.example was not delivered `, '5.1.'],
  ['ids that stay open', `${HEAD}\r\n`, 'Message-ID: <'],
  ['tags that stay open', HTML, '<style'],
  ['links that stay open', HTML, '<a href="mailto:'],
  ['boundaries', PARTS, '--b\r\n'],
  ['boundaries in one line', PARTS, '--b'],
  ['nested parts', PARTS, '--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n'],
  ['recipients', STATUS, 'Final-Recipient: rfc822; a@b.example\r\nAction: failed\r\n\r\n'],
  [
    'a folded diagnosis',
    `${STATUS}Final-Recipient: rfc822; a@b.example\r\nDiagnostic-Code:`,
    ' 5\r\n',
  ],
  ['a sender without end', 'From: ', 'MAILER-DAEMON '],
  ['a folded subject', 'Subject: x\r\n', ' warning: \r\n'],
  ['encoded words', 'Subject: ', '=?utf-8?Q?a?= '],
  ['failed recipients', 'X-Failed-Recipients: ', 'a@b.example,'],
]

test.each(MAILS)('5 MiB of %s are read in a moment', (_, start, repeated) => {
  const raw = Buffer.from(start + repeated.repeat(Math.ceil(SIZE / repeated.length)))
  const before = performance.now()
  readBounce({ raw, mailFrom: '' })
  readComplaint(raw)
  expect(performance.now() - before).toBeLessThan(MOST_MS)
})

test('a report about more recipients than a mail can have is cut off', () => {
  const group = (n: number) => `Final-Recipient: rfc822; a${n}@b.example\r\nAction: failed\r\n\r\n`
  const raw = Buffer.from(STATUS + Array.from({ length: 1_000 }, (_, n) => group(n)).join(''))
  expect(readBounce({ raw })?.recipients).toHaveLength(200)
})

test('a reason is cut at 500 characters and stays on one line', () => {
  const words = `Final-Recipient: rfc822; a@b.example\r\nAction: failed\r\nDiagnostic-Code: smtp; 550\r\n ${'no '.repeat(900)}`
  const [failure] = readBounce({ raw: Buffer.from(STATUS + words) })?.recipients ?? []
  expect(failure?.reason).toHaveLength(500)
  expect(failure?.reason).not.toMatch(/[\r\n]/)
})

test('ordinary mail costs a look at its header', () => {
  const received =
    'Received: from a.example (a.example [192.0.2.1])\r\n\tby b.example; Tue, 3 Mar 2026 09:00:00 +0000\r\n'
  const raw = Buffer.from(
    `${received.repeat(20)}From: Ada <ada@b.example>\r\nSubject: Hello\r\nContent-Type: text/plain\r\n\r\n${'Hello. '.repeat(500)}`,
  )
  const RUNS = 5_000
  const before = performance.now()
  for (let run = 0; run < RUNS; run += 1) readBounce({ raw, mailFrom: 'ada@b.example' })
  // Measured: 10 µs. The bar is 50; a busy machine gets room.
  expect(((performance.now() - before) / RUNS) * 1_000).toBeLessThan(200)
})
