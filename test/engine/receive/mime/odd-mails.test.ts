import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { idsOfField, messageIdOf } from '../../../../src/engine/receive/message-ids.ts'
import { readAttachment, readMail } from '../../../../src/engine/receive/mime/read.js'

const raw = (name: string) => readFileSync(join('test', 'mail', 'odd', `${name}.eml`))

function parsed(name: string) {
  const mail = readMail(raw(name))
  const texts = mail.pieces.flatMap(({ plain }) => (plain === null ? [] : [plain]))
  return { ...mail, text: texts.join('\n').trimEnd() }
}

const attachment = (name: string, position: number) =>
  readAttachment(raw(name), position)?.bytes.toString()

test('a group is its members, an empty one nobody', () => {
  expect(parsed('groups')).toMatchObject({
    to: [{ email: 'bo@x.test' }, { email: 'cy@x.test', name: 'Cy, D.' }, { email: 'dee@y.test' }],
    cc: [],
  })
})

test('a comment is no part of an address; alone it is the name', () => {
  const { from, to } = parsed('comments')
  expect(from).toMatchObject([{ email: 'ann@x.test', name: expect.stringContaining('Ann') }])
  expect(to).toEqual([{ email: 'bo@y.test', name: 'Bo' }])
})

test('an address or a comma between quotes is a name', () => {
  expect(parsed('quoted-names')).toMatchObject({
    from: [{ email: 'ann@x.test', name: 'Ann "A." Lee' }],
    to: [
      { email: 'bo@y.test', name: 'bo@bank.test' },
      { email: 'z@y.test', name: 'x, y' },
    ],
  })
})

test('encoded words make names, and no address that is not in brackets', () => {
  expect(parsed('words-in-addresses')).toMatchObject({
    from: [{ email: 'asa@x.test', name: 'Åsa Öst' }],
    to: [{ email: 'bo@y.test', name: 'Bo' }],
  })
})

test('addresses without their brackets are found', () => {
  const { from, to } = parsed('missing-brackets')
  expect(from).toEqual([{ email: 'ann@x.test', name: 'Ann Lee' }])
  expect(to).toEqual([{ email: 'bo@y.test', name: 'Bo' }])
})

test('every address of every From field is an author', () => {
  const { from } = parsed('two-authors')
  expect(from.map(({ email }) => email)).toEqual(['ann@x.test', 'bo@x.test', 'cy@x.test'])
})

test.each([
  ['header-utf8', 'Åsa', 'Grüße aus 東京'],
  ['header-latin1', 'Åsa', 'Grüße'],
])('8-bit letters in the header are read: %s', (file, name, subject) => {
  expect(parsed(file)).toMatchObject({ from: [{ name }], subject })
})

test('8-bit letters that are no UTF-8 are read in the set of the text', () => {
  expect(parsed('header-gb2312').subject).toBe('你好')
})

test('a letter cut in two between encoded words is one letter', () => {
  expect(parsed('split-words').subject).toBe('äöü end plain')
})

test('a file with bare line feeds and an mbox line is a mail', () => {
  expect(parsed('line-feeds')).toMatchObject({
    subject: 'from an archive',
    text: 'first',
    attachments: [{ filename: 'n.txt' }],
  })
  expect(attachment('line-feeds', 0)).toBe('second')
})

test('a body that begins without an empty line is not lost', () => {
  expect(parsed('no-empty-line')).toMatchObject({
    subject: 'no gap',
    text: 'Dear all,\nthe body begins at once',
  })
})

test('a stray line between fields does not end the header', () => {
  expect(parsed('broken-field')).toMatchObject({ to: [{ email: 'b@x.test' }], text: 'body' })
})

test('a mail that is only a header has no text', () => {
  expect(parsed('no-bytes-but-header')).toMatchObject({ subject: 'header only', text: '' })
})

test('a multipart that is never closed ends where the one around it goes on', () => {
  expect(parsed('inner-never-closed')).toMatchObject({
    text: 'words',
    attachments: [{ filename: 'a.pdf', size: 4 }],
  })
  expect(attachment('inner-never-closed', 0)).toBe('%PDF')
})

test('where no boundary fits, the whole body is shown', () => {
  expect(parsed('wrong-boundary').text).toContain('somebody wrote this')
})

test('a boundary that is not named is found', () => {
  expect(parsed('no-boundary')).toMatchObject({
    text: 'words',
    attachments: [{ filename: 't.csv', contentType: 'text/csv' }],
  })
})

test('blanks after a boundary do not matter', () => {
  const mail = parsed('blanks-after-boundary')
  expect(mail).toMatchObject({ text: 'words', attachments: [{ filename: 'p.gif', size: 3 }] })
})

test('winmail.dat is kept as an attachment, by this name', () => {
  expect(parsed('winmail')).toMatchObject({
    text: 'see attached',
    attachments: [{ filename: 'winmail.dat', contentType: 'application/ms-tnef', size: 4 }],
  })
})

test('a calendar part is an attachment and can be read', () => {
  const { text, calendar, attachments } = parsed('calendar')
  expect(text).toBe('Shall we meet?')
  expect(calendar).toContain('SUMMARY:Grüße')
  expect(attachments).toMatchObject([{ contentType: 'text/calendar' }])
})

test('a mail inside a mail is an attachment, whatever its disposition', () => {
  const mail = parsed('mail-in-mail')
  expect(mail).toMatchObject({ text: 'look', attachments: [{ contentType: 'message/rfc822' }] })
  expect(attachment('mail-in-mail', 0)).toMatch(/^From: c@x.test\r\n[\s\S]*inner words$/)
})

test('the mails of a digest are attachments', () => {
  const types = parsed('digest').attachments.map(({ contentType }) => contentType)
  expect(types).toEqual(['message/rfc822', 'message/rfc822'])
})

test("a report's parts for machines are readable and are attachments", () => {
  const { text, reports, attachments } = parsed('delivery-report')
  expect(text).toBe('It did not arrive.')
  expect(reports).toEqual([
    { contentType: 'message/delivery-status', text: expect.stringContaining('Status: 5.1.1') },
    { contentType: 'text/rfc822-headers', text: expect.stringContaining('<ours@x.test>') },
  ])
  expect(attachments).toHaveLength(2)
})

test('file names: continued, percent-encoded, as an encoded word, with parentheses, in latin1', async () => {
  const { attachments } = parsed('file-names')
  expect(attachments.map(({ filename, contentType }) => [filename, contentType])).toEqual([
    ['Grüße.pdf', 'application/pdf'],
    ['ü.png', 'image/png'],
    ['Offer(1).pdf', 'application/pdf'],
    ['ü.bin', 'application/octet-stream'],
  ])
  expect(await Promise.all([0, 1, 2, 3, 4].map((at) => attachment('file-names', at)))).toEqual([
    '1',
    '2',
    '3',
    '4',
    undefined,
  ])
})

test('text beside HTML is a piece of its own, alternatives are one piece', () => {
  expect(parsed('text-between').pieces).toEqual([
    { plain: null, html: '<p>first</p>' },
    { plain: '1 < 2 said the footer', html: null },
  ])
  expect(parsed('inner-never-closed').pieces).toEqual([{ plain: 'words', html: null }])
})

test('a picture of the HTML is an inline attachment with its content id', () => {
  const { attachments } = parsed('pictures')
  expect(attachments).toMatchObject([{ inline: true, contentId: '<p@x>', size: 4 }])
})

test('flowed lines are joined, the signature stays apart', () => {
  expect(parsed('flowed').text).toBe('One line thatwent on.\n-- \nme')
})

test('ids without brackets tie as well, words do not', () => {
  expect(messageIdOf('own@x.test')).toBe('<own@x.test>')
  expect(idsOfField('first@x.test second@x.test')).toEqual(['<first@x.test>', '<second@x.test>'])
  expect(idsOfField('your mail to a@x.test')).toEqual([])
})
