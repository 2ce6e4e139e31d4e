import { deflateSync } from 'node:zlib'
import { strToU8, zipSync } from 'fflate'
import { describe, expect, test } from 'vitest'
import type { Leaving } from '../../../src/engine/send/leak/file-text.ts'
import { leaksIn, type Said } from '../../../src/engine/send/leak/guard.ts'

/** Put together here, so that no scanner of sources takes them for real ones. */
const join = (...parts: string[]) => parts.join('')
const letters = (count: number) => 'aB3dE5gH7jK9mN1pQ'.repeat(20).slice(0, count)
const hex = (count: number) => '0f8fad5bd9cb469fa16570867728950e'.repeat(8).slice(0, count)

const KEY = join('ait_0f8fad5b-d9cb-', '469f-a165-70867728950e')
const AWS = join('AKIA', 'IOSFODNN7EXAMPLE')
const hexOf = (text: string) => Buffer.from(text).toString('hex')
const base64 = (text: string) => Buffer.from(text).toString('base64')

const quoted = (text: string) => hexOf(text).toUpperCase().replace(/../g, '=$&')

const said = (over: Partial<Said>): Said => ({
  subject: 'Hello',
  text: null,
  html: null,
  headers: [],
  files: [],
  ...over,
})
async function found(over: Partial<Said>, words: string[] = []) {
  const leaks = await leaksIn(said(over), words)
  expect(leaks.every(({ effect, reason }) => effect === 'review' && reason.code === 'leak')).toBe(
    true,
  )
  return leaks.map(({ reason }) => reason.message)
}
const file = (filename: string, bytes: Uint8Array | string, contentType = '') => ({
  files: [{ filename, contentType, bytes: typeof bytes === 'string' ? strToU8(bytes) : bytes }],
})

describe('what is held for a person', () => {
  test.each<[string, string]>([
    ['a Postroom API key', KEY],
    ['a webhook secret', join('whsec_', letters(43), '=')],
    ['a private key', join('-----BEGIN ', 'RSA PRIVATE KEY-----')],
    ['a private key', join('-----BEGIN ', 'PRIVATE KEY-----')],
    ['a private key', join('-----BEGIN ', 'OPENSSH PRIVATE KEY-----')],
    ['a private key', join('-----BEGIN ', 'PGP PRIVATE KEY BLOCK-----')],
    ['an AWS access key', AWS],
    ['an AWS secret key', join('aws_secret_access_key = ', letters(40))],
    ['a GitHub token', join('ghp_', letters(36))],
    ['a GitHub token', join('github_pat_', letters(60))],
    ['a GitLab token', join('glpat-', letters(20))],
    ['a Slack token', join('xoxb-', '123456789012-1234567890123-', letters(24))],
    ['a Stripe key', join('sk_', 'live_', letters(24))],
    ['an Anthropic key', join('sk-ant-', 'api03-', letters(60))],
    ['an OpenAI key', join('sk-', 'proj-', letters(48))],
    ['an OpenAI key', join('sk-', letters(48))],
    ['a Google API key', join('AIza', letters(35))],
    ['a SendGrid key', join('SG.', letters(22), '.', letters(43))],
    ['a Twilio key', join('SK', hex(32))],
    ['an npm token', join('npm_', letters(36))],
    ['a Hugging Face token', join('hf_', letters(34))],
    ['a DigitalOcean token', join('dop_v1_', hex(64))],
    ['a Telegram bot token', join('123456789:AA', letters(33))],
    ['an address with a password in it', join('postgres://app:', 'hunter2@db.example.com/main')],
  ])('%s', async (name, secret) => {
    const [message] = await found({ text: `Hello,\nhere it is: ${secret}\nBye` })
    expect(message).toContain(`${name} stands in the text`)
    expect(message).not.toContain(secret)
  })

  test.each<[string, Partial<Said>]>([
    ['the subject', { subject: `Key ${KEY}` }],
    ['the HTML', { html: `<p title="${KEY}">Hello</p>` }],
    ['the HTML', { html: `<p>Hello</p><!-- ${KEY} -->` }],
    ['the HTML', { html: `<template>${KEY}</template>` }],
    ['the HTML', { html: `<p ${KEY}>Hello</p>` }],
    ['a header or name', file('a.bin', 'x', `application/${KEY}`)],
    ['a header or name', { headers: [`X-Case-ID: ${KEY}`] }],
    [
      'a header or name',
      { files: [{ ...file('a.png', 'x').files[0], contentId: KEY } as Leaving] },
    ],
    ['the name of file 1', file(`${KEY}.txt`, 'nothing')],
    ['the name of file 1, file 1', file(`${KEY}.txt`, KEY)],
    ['the file "a.txt"', file('a.txt', `key ${KEY}`)],
    ['the file "b.bin"', file('b.bin', Buffer.concat([Buffer.alloc(99), Buffer.from(KEY)]))],
    ['the file "old.doc"', file('old.doc', Buffer.from(`\ud83d\ude00\u0007${KEY}`, 'utf16le'))],
    ['the file "c.txt"', file('c.txt', Buffer.from(`\ufeff${KEY}`, 'utf16le'))],
  ])('wherever it stands: %s', async (where, over) => {
    const messages = await found(over)
    expect(messages).toEqual([expect.stringContaining(where)])
    expect(messages[0]).not.toContain(KEY)
  })

  test.each<[string, Partial<Said>]>([
    ['zero-width characters', { text: [...KEY].join('\u200b') }],
    ['soft hyphens', { text: [...KEY].join('\u00ad') }],
    ['tag and bidi characters', { text: [...KEY].join('\u{e0041}\u202e') }],
    ['combining joiners', { text: [...KEY].join('\u034f') }],
    ['blank letters', { text: [...KEY].join('\u3164') }],
    ['elements', { html: `<p>${KEY.slice(0, 12)}<b>${KEY.slice(12, 20)}</b>${KEY.slice(20)}</p>` }],
    ['entities', { html: [...KEY].map((c) => `&#${c.charCodeAt(0)};`).join('') }],
    [
      'full-width letters',
      { text: KEY.replace(/[a-z0-9]/g, (c) => String.fromCharCode(c.charCodeAt(0) + 0xfee0)) },
    ],
    ['references', { text: [...KEY].map((c) => `&#x${c.charCodeAt(0).toString(16)};`).join('') }],
    ['quoted-printable', { text: quoted(KEY) }],
    ['soft line breaks', file('a.eml', KEY.replace(/.{9}/g, '$&=\r\n'))],
    ['percent signs', { text: `https://x.test/?q=${quoted(KEY).replaceAll('=', '%')}` }],
    ['base64 of two bytes a letter', { text: Buffer.from(KEY, 'utf16le').toString('base64') }],
    ['base64', { text: base64(`The key is ${KEY}.`) }],
    ['base64 behind other letters', { text: `abc${base64(`The key is ${KEY}.`)}` }],
    ['base64url', { text: Buffer.from(`??>>${KEY}`).toString('base64url') }],
    ['lines of base64', { text: base64(`${'x'.repeat(80)}${KEY}`).replace(/.{20}/g, '$&\r\n') }],
    ['base64 of base64', { text: base64(base64(KEY)) }],
    ['base64 with zero-width characters', { text: [...base64(KEY)].join('\u200d') }],
  ])('hidden by %s', async (_how, over) => {
    expect(await found(over)).toEqual([expect.stringContaining('a Postroom API key')])
  })

  test('in what is packed: Office files, archives in archives', async () => {
    const document = `<w:t>${KEY.slice(0, 14)}</w:t></w:r><w:r><w:t>${KEY.slice(14)}</w:t>`
    const docx = zipSync({ 'word/document.xml': strToU8(document) })
    const office = await found(file('letter.docx', docx))
    expect(office).toEqual([expect.stringContaining('the file "letter.docx"')])
    const nested = zipSync({ 'inner.zip': zipSync({ 'key.txt': strToU8(KEY) }) })
    expect(await found(file('all.zip', nested))).toHaveLength(1)
  })

  test.each<[string, string]>([
    ['cut by tags', `<t>${KEY.slice(0, 9)}</t><t a=">">${KEY.slice(9)}</t>`],
    [
      'references',
      `<t>${[...KEY].map((c) => `&#x00${c.charCodeAt(0).toString(16)};`).join('')}</t>`,
    ],
    ['a password in an attribute', '<t a="mysql://a:b&quot;c&amp;d@db.example.com"/>'],
    ['CDATA', `<t>${KEY.slice(0, 9)}</t><![CDATA[${KEY.slice(9)}]]>`],
    ['CDATA without an end', `<t>${KEY.slice(0, 9)}</t><![CDATA[${KEY.slice(9)}`],
    ['a comment', `<!-- > ${KEY} -->`],
    ['a comment without an end', `<!-- > ${KEY}`],
    ['a tag without an end', `<t a="${KEY}`],
  ])('in XML: %s', async (_how, xml) => {
    expect(await found(file('a.xml', `<?xml version="1.0"?><w>${xml}`))).toHaveLength(1)
  })

  test('in a table of 130,000 rows, in HTML and in a workbook', async () => {
    const html = `${'<br>'.repeat(130_000)}${AWS.slice(0, 9)}<b>${AWS.slice(9)}</b>`
    expect(await found({ html })).toHaveLength(1)
    const rows = Array.from(
      { length: 130_000 },
      (_, row) => `<row><v>${(row * 7919) % 9973}</v></row>`,
    )
    const sheet = `<sheetData>${rows.join('')}<t>${KEY.slice(0, 9)}</t><t>${KEY.slice(9)}</t></sheetData>`
    const book = zipSync({ 'xl/worksheets/sheet1.xml': strToU8(sheet) })
    expect(await found(file('rows.xlsx', book))).toHaveLength(1)
  })

  /** As PDFKit and pdf-lib write them: packed, and cut where letters are moved together. */
  test.each<[string, string]>([
    ['hexadecimal', `[<${hexOf(KEY.slice(0, 9))}> 30 <${hexOf(KEY.slice(9))}>] TJ`],
    ['literal', `[(${KEY.slice(0, 9)}) -20 (${KEY.slice(9, 17)}\\055${KEY.slice(18)})] TJ`],
    ['two bytes a letter', `<${Buffer.from(KEY, 'utf16le').swap16().toString('hex')}> Tj`],
  ])('in a PDF file: strings that are %s', async (_how, drawn) => {
    const stream = deflateSync(`BT /F1 12 Tf 1 0 0 1 72 711 Tm ${drawn} ET`)
    const pdf = Buffer.concat([
      Buffer.from(`%PDF-1.3\n4 0 obj\n<< /Length ${stream.length} >>\nstream\n`),
      stream,
      Buffer.from('\nendstream\nendobj\n%%EOF\n'),
    ])
    const [message] = await found(file('report.pdf', pdf))
    expect(message).toContain('a Postroom API key stands in the file "report.pdf"')
  })

  test('a word of the organization, in any letters and wrapping, without naming it', async () => {
    const words = ['Blue Heron']
    for (const text of ['about BLUE heron', 'blue\u200b heron', base64('Blue Heron')]) {
      const [message] = await found({ text }, words)
      expect(message).toContain('A word that must not leave')
      expect(message?.toLowerCase()).not.toContain('heron')
    }
    for (const text of ['a blue\r\nheron', 'a blue=20heron', 'a blue   heron']) {
      expect(await found({ text }, words)).toHaveLength(1)
    }
    for (const text of ['Grünspecht', base64('der grünspecht'), 'gr=C3=BCnspecht']) {
      expect(await found({ text }, ['Grünspecht'])).toHaveLength(1)
    }
    expect(await found({ subject: 'Blue heron' }, words)).toHaveLength(1)
    expect(await found({ text: 'blue whale' }, words)).toEqual([])
  })
})

describe('what is no secret', () => {
  test.each<[string, string]>([
    [
      'prose',
      'The risk-management review is done; see https://example.com/a?b=c&d=e. '.repeat(900),
    ],
    ['an id of ours', 'msg_01kjmma2g0en58ctwttcgkqnwb rev_01kjmma2g0en58ctwttcgkqnwe'],
    ['a UUID', '0f8fad5b-d9cb-469f-a165-70867728950e'],
    ['a hash', hex(64)],
    [
      'a public key',
      '-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\n-----END PUBLIC KEY-----',
    ],
    ['the name of a form', 'Keys begin with sk- or AKIA or ghp_; ait_ is ours.'],
    ['an address without a password', 'https://user@example.com/ and ftp://example.com:21/x@y'],
    [
      'a picture',
      base64(String.fromCharCode(...Array.from({ length: 3000 }, (_, i) => (i * 37) % 251))),
    ],
  ])('%s', async (_what, text) => {
    expect(await found({ text, html: `<p>${text}</p>` })).toEqual([])
  })
})

test('a mail of 25 MB is read through, and others get their turn meanwhile', async () => {
  let turns = 0
  const timer = setInterval(() => {
    turns += 1
  }, 1)
  const text = `${'Lorem ipsum dolor sit amet. '.repeat(900_000)}${AWS}`
  expect(await found({ text })).toHaveLength(1)
  clearInterval(timer)
  expect(turns).toBeGreaterThan(5)
}, 60_000)
