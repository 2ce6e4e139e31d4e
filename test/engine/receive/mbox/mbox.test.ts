import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { formOf, type MboxEntry, written } from '../../../../src/engine/receive/mbox/entry.ts'
import { separatorFor } from '../../../../src/engine/receive/mbox/separator.ts'
import { NotAnMbox, splitMbox } from '../../../../src/engine/receive/mbox/split.ts'

const LINE = 'From ann@example.com Thu Nov 26 08:05:09 2026'

async function* pieces(bytes: Buffer, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function split(file: string | Buffer, chunk = 64 * 1024): Promise<MboxEntry[]> {
  const bytes = typeof file === 'string' ? Buffer.from(file, 'latin1') : file
  const found = []
  for await (const piece of splitMbox(pieces(bytes, chunk))) {
    if (piece.kind === 'mail') found.push({ raw: piece.raw, form: piece.form })
  }
  return found
}

const join_ = (entries: MboxEntry[]) =>
  Buffer.concat(entries.map((entry, n) => written(entry, n === entries.length - 1)))
const raws = (entries: MboxEntry[]) => entries.map(({ raw }) => raw.toString('latin1'))

const FILES: [name: string, file: string, mails: string[]][] = [
  [
    'two mails',
    `${LINE}\nA: 1\n\none\n\n${LINE}\nA: 2\n\ntwo\n\n`,
    ['A: 1\n\none\n', 'A: 2\n\ntwo\n'],
  ],
  [
    'CRLF',
    `${LINE}\r\nA: 1\r\n\r\none\r\n\r\n${LINE}\r\nA: 2\r\n\r\n`,
    ['A: 1\r\n\r\none\r\n', 'A: 2\r\n'],
  ],
  [
    'no final newline',
    `${LINE}\nA: 1\n\none\n\n${LINE}\nA: 2\n\ntwo`,
    ['A: 1\n\none\n', 'A: 2\n\ntwo'],
  ],
  ['no empty line at the end', `${LINE}\nA: 1\n\none\n`, ['A: 1\n\none\n']],
  [
    'marks of mboxrd',
    `${LINE}\nA: 1\n\n>From me\n>>From you\n> From\n\n`,
    ['A: 1\n\nFrom me\n>From you\n> From\n'],
  ],
  [
    'a From line of text',
    `${LINE}\nA: 1\n\nFrom here on\n\nFrom there\n>From x\n\n`,
    ['A: 1\n\nFrom here on\n\nFrom there\n>From x\n'],
  ],
  [
    'no empty line between',
    `${LINE}\nA: 1\n\none\n${LINE}\nA: 2\n\ntwo\n\n`,
    ['A: 1\n\none\n', 'A: 2\n\ntwo\n'],
  ],
  [
    '8-bit bytes',
    `${LINE}\nA: \xe9\n\n\xff\xfe\x80 Gr\xfc\xdfe\n\n`,
    ['A: \xe9\n\n\xff\xfe\x80 Gr\xfc\xdfe\n'],
  ],
  [
    'many empty lines',
    `${LINE}\nA: 1\n\none\n\n\n\n${LINE}\nA: 2\n\n\n\n`,
    ['A: 1\n\none\n\n\n', 'A: 2\n\n\n'],
  ],
  [
    'a mail without a header',
    `${LINE}\nA: 1\n\none\n\n${LINE}\nonly text\n\n`,
    ['A: 1\n\none\n', 'only text\n'],
  ],
  ['an empty mail', `${LINE}\n\n${LINE}\nA: 2\n\ntwo\n\n`, ['', 'A: 2\n\ntwo\n']],
  [
    'mixed line ends',
    `${LINE}\nA: 1\r\n\r\none\r\n\n${LINE}\r\nA: 2\n\ntwo\n\r\n`,
    ['A: 1\r\n\r\none\r\n', 'A: 2\n\ntwo\n'],
  ],
  [
    "a large provider's form of the line",
    'From 1234567890@xxx Mon Mar 02 15:04:05 +0000 2020\nA: 1\n\none\n\nFrom 99@xxx Mon Mar 02 15:04:06 +0000 2020\nA: 2\n\ntwo\n\n',
    ['A: 1\n\none\n', 'A: 2\n\ntwo\n'],
  ],
  [
    'an ISO date and a list archive',
    'From a@x 2020-03-02 15:04:05\nA: 1\n\none\n\nFrom ann at example.com  Mon Mar  2 15:04:05 2020\nA: 2\n\ntwo\n\n',
    ['A: 1\n\none\n', 'A: 2\n\ntwo\n'],
  ],
]

describe.each(FILES)('an mbox with %s', (_, file, mails) => {
  test.each([1, 7, 65536])('gives its mails, read %i bytes at a time', async (chunk) => {
    expect(raws(await split(file, chunk))).toEqual(mails)
  })

  test('is written again byte for byte', async () => {
    expect(join_(await split(file)).toString('latin1')).toBe(file)
  })

  test('keeps its mails where others are written behind it', async () => {
    const more = { raw: Buffer.from('A: 3\n\nthree\n'), form: { line: LINE } }
    const again = await split(join_([...(await split(file)), more]))
    // A last line without an end cannot stay so before another mail.
    const expected = mails.map((mail, n) => {
      const open = n === mails.length - 1 && mail !== '' && !mail.endsWith('\n')
      return open ? `${mail}\n` : mail
    })
    expect(raws(again)).toEqual([...expected, 'A: 3\n\nthree\n'])
  })
})

test('whatever a mail says, it comes back as it was', async () => {
  const nasty = [
    `A: 1\r\n\r\n${LINE}\r\nB: 2\r\n\r\ninner\r\n`,
    `${LINE}\r\n\r\n>${LINE}\r\n`,
    'no header at all\r\n',
    '\r\n\r\n\r\n',
    'Content-Length: 100000\r\n\r\nFrom \r\n>>>From x\r\n',
  ].map((text) => Buffer.from(text))
  const at = new Date('2026-11-26T08:05:09Z')
  const entries = nasty.map((raw) => ({ raw, form: formOf(raw, separatorFor('', at)) }))
  expect(raws(await split(join_(entries)))).toEqual(nasty.map(String))
})

test.each(['Subject: a mail\n\nno mbox\n', '\n\nF', 'Fr'])('%j is no mbox', async (file) => {
  await expect(split(file)).rejects.toThrow(NotAnMbox)
})

test.each(['', '\n\n'])('%j is an mbox without mails', async (file) => {
  expect(await split(file)).toEqual([])
})

const folder = join(process.env.POSTROOM_CORPORA ?? '../shared/corpora', 'threading', 'imaptest')
test.skipIf(!existsSync(folder))(
  'mailboxes from outside are written again byte for byte',
  async () => {
    for (const name of readdirSync(folder).filter((one) => one.endsWith('.mbox'))) {
      const file = readFileSync(join(folder, name))
      const entries = await split(file)
      expect(entries.length, name).toBeGreaterThan(0)
      expect(join_(entries).equals(file), name).toBe(true)
    }
  },
)
