import { execFileSync, spawnSync } from 'node:child_process'
import { simpleParser } from 'mailparser'
import { describe, expect, test } from 'vitest'
import { cleanText, compose, type Draft } from '../../../src/engine/send/compose.ts'

const draft: Draft = {
  from: { email: 'us@ours.test', name: 'Support, Inc. "Jörg"' },
  to: [
    { email: 'ada@x.test', name: 'Lovelace, Ada <evil@z.test>' },
    { email: "o'b+t@x.test", name: 'Jörg 山田 🦊' },
  ],
  cc: [{ email: 'c@x.test' }],
  replyTo: [{ email: 'desk@ours.test', name: 'Desk' }],
  subject:
    'Grüße: 山田 🦊 and a subject so long that it has to be folded over several lines of the header',
  text: cleanText('Zeile eins\r\n.Punkt\n..\nFrom here\r spaces  \n\n= end\n'),
  html: '<p>Grüße</p>\n',
  files: [],
  headers: {},
  messageId: '<0123@ours.test>',
  date: new Date('2026-11-22T08:10:11Z'),
  threading: { inReplyTo: '<1@x.test>', references: ['<0@x.test>', '<1@x.test>'] },
  autoReplied: true,
}

const headOf = (raw: Buffer) => raw.subarray(0, raw.indexOf('\r\n\r\n')).toString('latin1')

describe('the bytes', () => {
  test('have CRLF only, 7 bits, and lines of at most 78 characters where they can be folded', async () => {
    const raw = (await compose(draft)).toString('latin1')
    expect(raw).not.toMatch(/(^|[^\r])\n|\r(?!\n)/)
    expect(raw).not.toMatch(/[^\t\r\n -~]/)
    expect(raw.endsWith('\r\n')).toBe(true)
    expect(Math.max(...raw.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(78)
  })

  test('a line of 30,000 characters is folded by its encoding', async () => {
    const raw = await compose({ ...draft, text: 'x'.repeat(30_000), html: null })
    expect(
      Math.max(
        ...raw
          .toString()
          .split('\r\n')
          .map((line) => line.length),
      ),
    ).toBeLessThanOrEqual(78)
    expect((await simpleParser(raw)).text?.trim()).toBe('x'.repeat(30_000))
  })

  test('name each header once, and nobody in blind copy', async () => {
    const head = headOf(await compose(draft))
    const names = head
      .replace(/\r\n[ \t]/g, ' ')
      .split('\r\n')
      .map((line) => line.split(':')[0])
    expect([...names].sort()).toEqual([
      'Auto-Submitted',
      'Cc',
      'Content-Type',
      'Date',
      'From',
      'In-Reply-To',
      'MIME-Version',
      'Message-ID',
      'References',
      'Reply-To',
      'Subject',
      'To',
    ])
    expect(head).toMatch(/^Date: Sun, 22 Nov 2026 08:10:11 \+0000$/m)
    expect(head).toMatch(/^Message-ID: <0123@ours\.test>$/m)
  })

  test('a name cannot end its line', async () => {
    const from = { email: 'us@ours.test', name: 'Us\r\nBcc: evil@z.test\u2028\n\nbody' }
    const head = headOf(await compose({ ...draft, from }))
    expect(head).not.toMatch(/^Bcc/m)
    expect(head.replace(/\r\n[ \t]/g, ' ')).toMatch(
      /^From: .*Us Bcc: evil@z\.test.* <us@ours\.test>$/m,
    )
  })

  test('what does not apply is absent', async () => {
    const bare = await compose({
      ...draft,
      cc: [],
      replyTo: [],
      html: null,
      threading: { inReplyTo: null, references: [] },
      autoReplied: false,
    })
    expect(headOf(bare)).not.toMatch(/^(Cc|Bcc|Reply-To|In-Reply-To|References|Auto-Submitted):/im)
    expect(headOf(bare)).toMatch(/^Content-Type: text\/plain/m)
  })

  test('are the same for the same draft where there is one part', async () => {
    const one = { ...draft, html: null }
    expect(await compose(one)).toEqual(await compose(one))
  })
})

test('mailparser reads back what was meant', async () => {
  const mail = await simpleParser(await compose(draft))
  expect(mail.from?.value).toEqual([{ address: 'us@ours.test', name: 'Support, Inc. "Jörg"' }])
  expect([mail.to].flat()[0]?.value).toEqual(
    draft.to.map(({ email, name }) => ({ address: email, name })),
  )
  expect([mail.cc].flat()[0]?.value).toEqual([{ address: 'c@x.test', name: '' }])
  expect(mail.replyTo?.value).toEqual([{ address: 'desk@ours.test', name: 'Desk' }])
  expect(mail.subject).toBe(draft.subject)
  expect(mail.date).toEqual(draft.date)
  expect(mail.messageId).toBe('<0123@ours.test>')
  expect(mail.inReplyTo).toBe('<1@x.test>')
  expect(mail.references).toEqual(['<0@x.test>', '<1@x.test>'])
  expect(mail.text).toBe('Zeile eins\n.Punkt\n..\nFrom here\n spaces  \n\n= end\n')
  expect(mail.html).toContain('<p>Grüße</p>')
  expect(mail.bcc).toBeUndefined()
})

const python = spawnSync('python3', ['--version']).status === 0
const READ_BACK = `
import email, email.policy, json, sys
m = email.message_from_binary_file(sys.stdin.buffer, policy=email.policy.default)
people = lambda h: [[a.addr_spec, a.display_name] for a in m[h].addresses]
print(json.dumps({
  'from': people('From'), 'to': people('To'), 'cc': people('Cc'), 'reply_to': people('Reply-To'),
  'subject': m['Subject'], 'date': m['Date'].datetime.isoformat(), 'id': m['Message-ID'],
  'in_reply_to': m['In-Reply-To'], 'references': m['References'], 'auto': m['Auto-Submitted'],
  'text': m.get_body(('plain',)).get_content(), 'html': m.get_body(('html',)).get_content(),
  'defects': [str(d) for p in m.walk() for d in p.defects],
}))`

test.skipIf(!python)('so does python’s email (skipped where python3 is absent)', async () => {
  const out = execFileSync('python3', ['-c', READ_BACK], { input: await compose(draft) })
  expect(JSON.parse(out.toString())).toEqual({
    from: [['us@ours.test', 'Support, Inc. "Jörg"']],
    to: draft.to.map(({ email, name }) => [email, name]),
    cc: [['c@x.test', '']],
    reply_to: [['desk@ours.test', 'Desk']],
    subject: draft.subject,
    date: '2026-11-22T08:10:11+00:00',
    id: '<0123@ours.test>',
    in_reply_to: '<1@x.test>',
    references: '<0@x.test> <1@x.test>',
    auto: 'auto-replied',
    text: 'Zeile eins\n.Punkt\n..\nFrom here\n spaces  \n\n= end\n',
    html: '<p>Grüße</p>\n',
    defects: [],
  })
})

describe('text is cleaned before it is kept and sent', () => {
  test.each([
    ['a\r\nb\rc\nd', 'a\nb\nc\nd'],
    ['nul \0', 'nul \uFFFD'],
    ['half \uD83E.', 'half \uFFFD.'],
    ['whole 🦊', 'whole 🦊'],
  ])('%j', (text, clean) => expect(cleanText(text)).toBe(clean))
})
