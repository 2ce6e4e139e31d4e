import { deflateRawSync, deflateSync } from 'node:zlib'
import { strToU8, zipSync } from 'fflate'
import { describe, expect, test } from 'vitest'
import { createLookers } from '../../../src/engine/send/leak/children.ts'
import { leaksIn, type Said } from '../../../src/engine/send/leak/guard.ts'
import { lagOf } from '../../world/lag.ts'

const KIB = 1024
const MIB = 1024 * KIB
const LAG_MS = 120

const KEY = ['ait_0f8fad5b-d9cb-', '469f-a165-70867728950e'].join('')
const said = (over: Partial<Said>): Said => ({
  subject: 'Hello',
  text: null,
  html: null,
  headers: [],
  files: [],
  ...over,
})
const file = (filename: string, bytes: Uint8Array): Partial<Said> => ({
  files: [{ filename, contentType: '', bytes }],
})
async function messages(over: Partial<Said>, lookers = createLookers(HURRIED)) {
  const leaks = await leaksIn(said(over), [], lookers)
  expect(leaks.every(({ effect }) => effect === 'review')).toBe(true)
  return leaks.map(({ reason }) => reason.message)
}
const HURRIED = { deadlineMs: 5_000, heapMb: 256, children: 1, idleMs: 1_000 }

const filled = (text: string, bytes: number) => Buffer.from(text.repeat(bytes / text.length))
const pdf = (...parts: (string | Buffer)[]) =>
  Buffer.concat([Buffer.from('%PDF-1.4\n'), ...parts.map((part) => Buffer.from(part))])
const formatting = (open: number, paragraphs: number) =>
  `<p>${Array.from({ length: open }, (_, n) => `<b a=${n}>`).join('')}${'<p>x'.repeat(paragraphs)}`
const zip = (files: Record<string, Uint8Array>) => zipSync(files, { level: 9 })
const many = (count: number, bytes: Uint8Array) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`${n}`, bytes]))
const ZEROS = new Uint8Array(MIB)

/** An archive whose directory names the same data many times. */
function overlapping(count: number, data: Buffer): Buffer {
  const local = Buffer.alloc(30)
  local.writeUInt32LE(0x04034b50)
  const entry = Buffer.alloc(47, 0)
  entry.writeUInt32LE(0x02014b50)
  entry.writeUInt16LE(8, 10)
  entry.writeUInt32LE(data.length, 20)
  entry.writeUInt16LE(1, 28)
  entry.write('a', 46)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50)
  end.writeUInt16LE(count, 10)
  end.writeUInt32LE(local.length + data.length, 16)
  return Buffer.concat([local, data, ...Array<Buffer>(count).fill(entry), end])
}

describe('what was made to stop its reader waits for a person, and holds up nobody', () => {
  test.each<[string, string, Partial<Said>]>([
    ['elements that repair multiplies', 'more elements', { html: formatting(2_000, 5_000) }],
    ['the same in 8 KB', 'more elements', { html: formatting(500, 800) }],
    ['the same in a file', 'more elements', file('a.html', strToU8(formatting(2_000, 5_000)))],
    ['a page of 10 MB', 'more elements', { html: '<p>x'.repeat(2.5 * MIB) }],
    ['marks to be put in order', 'longer than 5 s', { text: `a${'\u0315\u0300'.repeat(8 * MIB)}` }],
    ['an archive of zeros', '50 MB', file('a.zip', zip({ 'a.txt': new Uint8Array(60 * MIB) }))],
    [
      'archives of archives of zeros',
      '50 MB',
      file('a.zip', zip(many(180, zip(many(180, ZEROS))))),
    ],
    ['archives four deep', 'two deep', file('a.zip', zip({ a: zip({ b: zip({ c: zip({}) }) }) }))],
    ['many small entries', '5000 parts', file('a.zip', zip(many(6_000, new Uint8Array(1))))],
    [
      'entries that share their data',
      '50 MB',
      file('a.zip', overlapping(4_000, deflateRawSync(ZEROS))),
    ],
    ['an archive cut off', 'damaged', file('a.zip', zip({ a: ZEROS }).subarray(0, 500))],
    ['an archive that is packed in another way', 'damaged', file('a.zip', locked())],
    ['PDF streams without an end', 'overlap', file('a.pdf', pdf(filled('stream\n', 10 * MIB)))],
    [
      'PDF streams with one end',
      'overlap',
      file('a.pdf', pdf(filled('stream\n', 512 * KIB), 'endstream')),
    ],
    ['a PDF stream of zeros', '50 MB', file('a.pdf', pdf(...stream(new Uint8Array(60 * MIB))))],
  ])('%s', async (_what, why, over) => {
    const limits = createLookers(HURRIED)
    const { result, lag } = await lagOf(() => messages(over, limits), LAG_MS)
    expect(result).toEqual([expect.stringMatching(/^Not all of the (HTML|text|file "a\.\w+") /)])
    expect(result[0]).toContain(why)
    expect(lag).toBeLessThan(LAG_MS)
  })

  test.each<[string, Partial<Said>]>([
    ['a JSON Web Key begun again and again', { text: '"kty":"a" '.repeat(400 * KIB) }],
    ['brackets', { html: '<'.repeat(MIB) }],
    ['a comment without an end', file('a.svg', filled('<!-- ', MIB))],
    ['quotes without an end', file('a.xml', filled('<a b="', MIB))],
    ['a PDF string without an end', file('a.pdf', pdf('(', filled('a', 9 * MIB)))],
    ['hexadecimal without an end', file('a.pdf', pdf('<', filled('a', 9 * MIB)))],
    ['PDF strings without number', file('a.pdf', pdf(filled('()', 9 * MIB)))],
    ['a reference without an end', file('a.xml', strToU8(`<a>&#${'0'.repeat(9 * MIB)}`))],
    [
      'one long line in a file that is no text',
      file('a.bin', Buffer.concat([ZEROS, filled('a', 9 * MIB)])),
    ],
    ['a scanned page', file('a.pdf', pdf('<</Subtype /Image>>\n', ...stream(picture())))],
  ])(
    '%s is looked through whole',
    async (_what, over) => {
      const limits = createLookers({ ...HURRIED, deadlineMs: 60_000 })
      const { result, lag } = await lagOf(() => messages(over, limits), LAG_MS)
      expect(result).toEqual([])
      expect(lag).toBeLessThan(LAG_MS)
    },
    120_000,
  )
})

describe('a reading that is given up', () => {
  /** Marks to be put in order. */
  const slow = { text: `a${'\u0315\u0300'.repeat(8 * MIB)}` }

  test('says so of that place, and the next mail is read', async () => {
    const lookers = createLookers({ ...HURRIED, deadlineMs: 1_000 })
    const both = [slow, { text: `${'x '.repeat(8 * KIB)}${KEY}` }]
    const { result, lag } = await lagOf(
      () => Promise.all(both.map((one) => messages(one, lookers))),
      LAG_MS,
    )
    const [given, read] = result
    expect(lag).toBeLessThan(LAG_MS)
    expect(given).toEqual([expect.stringContaining('it takes longer than 1 s')])
    expect(read).toEqual([expect.stringContaining('a Postroom API key stands in the text')])
  })

  test('for want of memory, too', async () => {
    const lookers = createLookers({ ...HURRIED, heapMb: 8 })
    const large = { html: '<p>x'.repeat(100 * KIB) }
    expect(await messages(large, lookers)).toEqual([expect.stringContaining('want of memory')])
  })

  test('keeps what was found in other places', async () => {
    const lookers = createLookers({ ...HURRIED, deadlineMs: 1_000 })
    const found = await messages({ ...slow, subject: `Key ${KEY}` }, lookers)
    expect(found).toHaveLength(2)
    expect(found[0]).toContain('stands in the subject')
  })
})

function stream(content: Uint8Array): (string | Buffer)[] {
  return ['stream\n', deflateSync(content), '\nendstream\n']
}

/** Larger than what is unpacked of a text. */
function picture(): Uint8Array {
  return new Uint8Array(60 * MIB).fill(200)
}

/** APPNOTE §4.4.4: the lowest bit says that it is encrypted. */
function locked(): Buffer {
  const archive = Buffer.from(zip({ 'a.txt': strToU8('x'.repeat(100)) }))
  const directory = archive.indexOf('PK\u0001\u0002', 0, 'latin1')
  archive.writeUInt16LE(1, directory + 8)
  return archive
}
