/** What is read in a mail whose addresses are not ASCII, and in the copy of it for those who can be told ASCII alone. */
import { execFileSync, spawnSync } from 'node:child_process'
import { simpleParser } from 'mailparser'
import { describe, expect, test } from 'vitest'
import { createMailParser } from '../../../src/engine/receive/parse.ts'
import { asciiCopy } from '../../../src/engine/send/ascii-copy.ts'
import { compose, type Draft } from '../../../src/engine/send/compose.ts'

const draft: Draft = {
  from: { email: 'us@ours.test', name: 'Jörg Wäßler' },
  to: [
    { email: 'jörg.müller+neu@x.test', name: 'Müller, Jörg "J"' },
    { email: '用户@xn--fsqu00a.test' },
    { email: 'ann@x.test', name: 'Doe, Ann' },
    { email: 'दीपक@xn--p1b6ci4b4b3a.test', name: 'दीपक' },
  ],
  cc: [{ email: `${'ö'.repeat(32)}@x.test` }, { email: 'bob@xn--bcher-kva.example' }],
  replyTo: [{ email: 'größe@ours.test' }],
  subject: 'Angebot für Sie',
  text: 'Grüße\n',
  html: null,
  files: [],
  headers: {},
  messageId: '<0123@ours.test>',
  date: new Date('2026-11-22T08:10:11Z'),
  threading: { inReplyTo: '<1@x.test>', references: ['<1@x.test>'] },
  autoReplied: false,
}
const NOBODY = draft.to.filter(({ email }) => !/^\p{ASCII}*$/u.test(email))

/** Beside an international local part a domain is written in letters. */
const WIRE: Record<string, string> = {
  'xn--fsqu00a.test': '例子.test',
  'xn--p1b6ci4b4b3a.test': 'उदाहरण.test',
}
const onTheWire = (email: string) => {
  const [local = '', domain = ''] = email.split('@')
  return `${local}@${/^\p{ASCII}*$/u.test(local) ? domain : (WIRE[domain] ?? domain)}`
}

async function read(raw: Uint8Array) {
  const parser = createMailParser()
  const from = { mailFrom: 'us@ours.test', hostname: 'mail.ours.test' }
  const { parsed } = await parser.take(Buffer.from(raw), from)
  await parser.close()
  return parsed
}
const headOf = (raw: Uint8Array) => Buffer.from(raw).toString().split('\r\n\r\n')[0] ?? ''
const bodyOf = (raw: Uint8Array) => Buffer.from(raw).toString().split('\r\n\r\n').slice(1)

describe('the mail', () => {
  test('has its addresses in UTF-8, in lines that servers take, and nothing else that is not ASCII', async () => {
    const raw = await compose(draft)
    const head = headOf(raw)
    for (const line of head.split('\r\n')) expect(Buffer.byteLength(line)).toBeLessThan(998)
    const rest = [...draft.to, ...draft.cc, ...draft.replyTo].reduce(
      (text, { email }) => text.replace(onTheWire(email), ''),
      raw.toString(),
    )
    expect(rest).toMatch(/^[\t\r\n -~]*$/)
  })

  test('is read back by our own reader and by mailparser', async () => {
    const raw = await compose(draft)
    const wire = ({ email, ...rest }: Draft['from']) => ({ email: onTheWire(email), ...rest })
    expect(await read(raw)).toMatchObject({
      status: 'ok',
      from: draft.from,
      to: draft.to.map(wire),
      cc: draft.cc.map(wire),
    })
    const { to } = await simpleParser(raw)
    expect([to].flat()[0]?.value.map(({ address }) => address)).toEqual(
      draft.to.map(({ email }) => onTheWire(email)),
    )
  })
})

describe('the copy in ASCII', () => {
  test('is the mail itself where that is ASCII', async () => {
    const raw = await compose({ ...draft, to: [{ email: 'ann@x.test' }], cc: [], replyTo: [] })
    expect(asciiCopy(raw)).toBe(raw)
  })

  test('has the same body and fields, and the same people but those it cannot name', async () => {
    const raw = await compose(draft)
    const copy = asciiCopy(raw)
    const head = headOf(copy)
    expect(head).toMatch(/^[\t\r\n -~]*$/)
    for (const line of head.split('\r\n')) expect(line.length).toBeLessThanOrEqual(78)
    expect(bodyOf(copy)).toEqual(bodyOf(raw))
    const fields = (text: string) => text.split(/\r\n(?![ \t])/)
    const kept = fields(headOf(raw)).filter((field) => !/^(To|Cc|Reply-To):/.test(field))
    expect(fields(head)).toEqual(expect.arrayContaining(kept))
    expect(fields(head)).toHaveLength(fields(headOf(raw)).length)
    expect(await read(copy)).toMatchObject({
      status: 'ok',
      from: draft.from,
      to: [{ email: 'ann@x.test', name: 'Doe, Ann' }],
      cc: [{ email: 'bob@xn--bcher-kva.example' }],
    })
  })
})

const python = spawnSync('python3', ['--version']).status === 0
const READ_BACK = `
import email, email.errors, email.policy, json, sys
m = email.message_from_string(sys.stdin.buffer.read().decode('utf-8'), policy=email.policy.SMTPUTF8)
told = [d for d in m.defects] + [d for h in m.values() for d in getattr(h, 'defects', ())]
print(json.dumps({
  'people': {h: [[a.addr_spec, a.display_name] for a in m[h].addresses] for h in ('From', 'To', 'Cc', 'Reply-To')},
  'groups': [g.display_name for h in ('To', 'Cc', 'Reply-To') for g in m[h].groups if not g.addresses],
  'subject': m['Subject'], 'text': m.get_body(('plain',)).get_content(),
  'defects': [str(d) for d in told if not isinstance(d, email.errors.NonASCIILocalPartDefect)],
  'again': m.as_bytes().split(b'\\r\\n\\r\\n')[0].decode(),
}))`
/** It notes every international local part, whatever the policy. */
const readByPython = (input: Uint8Array) =>
  JSON.parse(
    execFileSync('python3', ['-c', READ_BACK], { input }).toString().replaceAll('\\r\\n', '\\n'),
  )

describe.skipIf(!python)('python’s email (skipped where python3 is absent)', () => {
  const people = (some: Draft['to']) => some.map(({ email, name = '' }) => [onTheWire(email), name])

  test('reads the mail without a defect', async () => {
    const told = readByPython(await compose(draft))
    expect(told).toMatchObject({
      people: {
        From: people([draft.from]),
        To: people(draft.to),
        Cc: people(draft.cc),
        'Reply-To': people(draft.replyTo),
      },
      groups: [],
      subject: draft.subject,
      text: draft.text,
      defects: [],
    })
    expect(told.again).toContain('用户@例子.test')
  })

  test('reads the copy, where those it cannot write to stand as words', async () => {
    const told = readByPython(asciiCopy(await compose(draft)))
    expect(told).toMatchObject({
      people: {
        From: people([draft.from]),
        To: [['ann@x.test', 'Doe, Ann']],
        Cc: [['bob@xn--bcher-kva.example', '']],
        'Reply-To': [],
      },
      subject: draft.subject,
      text: draft.text,
      defects: [],
    })
    for (const { email } of NOBODY) {
      expect(told.groups.join(' ').replaceAll(' ', '')).toContain(onTheWire(email))
    }
  })
})
