/** What goes over the wire, read back by three readers that are not ours alone: ours, mailparser, and Python's email where it is installed. */
import { execFileSync, spawnSync } from 'node:child_process'
import { simpleParser } from 'mailparser'
import { describe, expect, test } from 'vitest'
import { readAttachment } from '../../../src/engine/receive/mime/read.js'
import { createMailParser } from '../../../src/engine/receive/parse.ts'
import type { AttachedFile } from '../../../src/engine/send/attached/file.ts'
import { compose, type Draft, inWireOrder } from '../../../src/engine/send/compose.ts'

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
const ALL_BYTES = Buffer.from(Array.from({ length: 512 }, (_, n) => n % 256))

const file = (filename: string, over: Partial<AttachedFile> = {}): AttachedFile => ({
  filename,
  contentType: 'application/octet-stream',
  bytes: ALL_BYTES,
  contentId: null,
  ...over,
})

const draft = (over: Partial<Draft> = {}): Draft => ({
  from: { email: 'us@ours.test', name: 'Jörg Wäßler' },
  to: [{ email: 'ada@xn--bcher-kva.example', name: '山田 太郎' }],
  cc: [],
  replyTo: [],
  subject: 'Angebot für Sie',
  text: 'Guten Tag\n',
  html: null,
  files: [],
  headers: {},
  messageId: '<0123@ours.test>',
  date: new Date('2026-11-22T08:10:11Z'),
  threading: { inReplyTo: null, references: [] },
  autoReplied: false,
  ...over,
})

const NAMES = [
  'offer.pdf',
  'Angebot (für Sie).pdf',
  '見積書 2026年.pdf',
  'emoji 🦊.txt',
  `${'long name '.repeat(24)}.csv`,
  `${'ä'.repeat(200)}.csv`,
  'quote".txt',
  "it's 100%.txt",
  'semi;colon=x.txt',
  'back\\slash.txt',
]

const SHAPES: Record<string, Partial<Draft>> = {
  'plain text': {},
  'text and HTML': { html: '<p>Guten <b>Tag</b></p>\n' },
  'HTML alone, without words': { text: '', html: '<img src="https://x.test/a.png">\n' },
  'text and files': { files: NAMES.slice(0, 3).map((name) => file(name)) },
  'text, HTML, a picture of the HTML and files': {
    html: '<p><img src="cid:logo"> Tag</p>\n',
    files: [
      file('logo.png', { contentType: 'image/png', bytes: PNG, contentId: 'logo' }),
      file('a.txt', { contentType: 'text/plain', bytes: Buffer.from('ä\r\nb\n') }),
    ],
  },
  'every kind of file name': { files: NAMES.map((name) => file(name)) },
  'an empty file and a mail': {
    files: [
      file('empty.dat', { bytes: Buffer.alloc(0) }),
      file('mail.eml', {
        contentType: 'message/rfc822',
        bytes: Buffer.from(`Subject: x\n\n--b\n${'ä'.repeat(2000)}\n.\n`),
      }),
    ],
  },
  'lines that servers change': {
    text: 'From here\n.\n..\nblanks  \n\ttab\t\n-- \n>From there\n> quoted \n\n\nend',
  },
  'a long line and a long word': { text: `${'word '.repeat(400)}\n${'x'.repeat(5000)}\n` },
  'Japanese text': { text: `${'日本語のテキスト。'.repeat(80)}\n 終わり \n` },
  'allowed headers': {
    headers: { Importance: 'high', Keywords: 'Grüße, 山田', 'X-Ticket-ID': '4711' },
  },
  'a subject of 998 signs': { subject: `${'Grüße 🦊 '.repeat(110)}`.trim().slice(0, 998) },
}

describe.each(Object.entries(SHAPES))('%s', (_, over) => {
  const meant = draft(over)

  test('has CRLF only, 7 bits, no line over 998 octets', async () => {
    const raw = (await compose(meant)).toString('latin1')
    expect(raw).not.toMatch(/(^|[^\r])\n|\r(?!\n)/)
    expect(raw).not.toMatch(/[^\t\r\n -~]/)
    expect(Math.max(...raw.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(998)
  })

  test('our own reader finds it all, each file at its position', async () => {
    const raw = await compose(meant)
    const parser = createMailParser()
    const from = { mailFrom: 'us@ours.test', hostname: 'mail.ours.test' }
    const { parsed } = await parser.take(raw, from)
    await parser.close()
    expect(parsed.status).toBe('ok')
    expect(parsed.subject).toBe(meant.subject)
    expect(parsed.from).toEqual(meant.from)
    expect(parsed.to).toEqual(meant.to)
    expect(parsed.attachments.map(({ filename, size }) => ({ filename, size }))).toEqual(
      meant.files.map(({ filename, bytes }) => ({ filename, size: bytes.length })),
    )
    meant.files.forEach(({ bytes }, position) => {
      expect(readAttachment(raw, position)?.bytes).toEqual(bytes)
    })
  })

  test('mailparser reads the same', async () => {
    const mail = await simpleParser(await compose(meant), {
      skipTextToHtml: true,
      keepCidLinks: true,
    })
    expect(mail.subject).toBe(meant.subject)
    if (meant.text !== '') expect(mail.text?.trimEnd()).toBe(meant.text.trimEnd())
    if (meant.html !== null) expect(mail.html).toBe(meant.html)
    expect(mail.attachments.map(({ filename, content }) => ({ filename, content }))).toEqual(
      meant.files.map(({ filename, bytes }) => ({ filename, content: bytes })),
    )
  })
})

test('a picture is related to the HTML that shows it, and has its name in angle brackets', async () => {
  const shape = SHAPES['text, HTML, a picture of the HTML and files'] ?? {}
  const raw = (await compose(draft(shape))).toString()
  expect(raw).toMatch(/^Content-ID: <logo>\r$/im)
  expect(raw).toMatch(/multipart\/mixed[\s\S]*multipart\/alternative[\s\S]*multipart\/related/)
})

test('pictures of the HTML stand before what is attached, each in the order given', () => {
  const files = [file('a'), file('b', { contentId: 'b' }), file('c'), file('d', { contentId: 'd' })]
  expect(inWireOrder(files).map(({ filename }) => filename)).toEqual(['b', 'd', 'a', 'c'])
})

const python = spawnSync('python3', ['--version']).status === 0
const READ_BACK = `
import email, email.policy, json, sys
m = email.message_from_binary_file(sys.stdin.buffer, policy=email.policy.default)
body = lambda kind: (lambda p: p and p.get_content())(m.get_body((kind,)))
content = lambda p: (lambda c: c.encode('utf-8') if isinstance(c, str) else c)(p.get_content())
leaves = [p for p in m.walk() if not p.is_multipart()]
files = [p for p in leaves if p.get_filename() is not None]
print(json.dumps({
  'from': [[a.addr_spec, a.display_name] for a in m['From'].addresses],
  'to': [[a.addr_spec, a.display_name] for a in m['To'].addresses],
  'subject': m['Subject'], 'text': body('plain'), 'html': body('html'),
  'files': [[p.get_filename(), len(p.get_payload(decode=True)), p.get_content_disposition(), p['Content-ID']] for p in files],
  'keywords': m['Keywords'], 'importance': m['Importance'], 'ticket': m['X-Ticket-ID'],
  'defects': [str(d) for p in m.walk() for d in p.defects] + [str(d) for p in m.walk() for h in p.values() for d in getattr(h, 'defects', ())],
}))`

/** Python 3.12 and older do not unquote these in the continuations of RFC 2231. */
const trimmed = (text: string | null) => text?.replace(/\r\n/g, '\n').trimEnd() ?? ''

describe.skipIf(!python)('python’s email (skipped where python3 is absent)', () => {
  test.each(Object.entries(SHAPES))('reads %s without a defect', async (_, over) => {
    const meant = draft(over)
    const out = execFileSync('python3', ['-c', READ_BACK], { input: await compose(meant) })
    const read = JSON.parse(out.toString())
    expect(read.from).toEqual([[meant.from.email, meant.from.name]])
    expect(read.to).toEqual(meant.to.map(({ email, name }) => [email, name]))
    expect(read.subject).toBe(meant.subject)
    expect(trimmed(read.text)).toBe(meant.text.trimEnd())
    expect(trimmed(read.html)).toBe(meant.html?.trimEnd() ?? '')
    expect(read.files).toEqual(
      meant.files.map(({ filename, bytes, contentId }) => [
        filename,
        bytes.length,
        contentId === null ? 'attachment' : 'inline',
        contentId === null ? null : `<${contentId}>`,
      ]),
    )
    expect(read.keywords).toBe(meant.headers.Keywords ?? null)
    expect(read.ticket).toBe(meant.headers['X-Ticket-ID'] ?? null)
    expect(read.defects).toEqual([])
  })
})
