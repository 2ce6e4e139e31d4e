import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type AddressObject, type ParsedMail, simpleParser } from 'mailparser'
import { describe, expect, test } from 'vitest'
import { readDate } from '../../src/engine/receive/date.ts'
import { messageIdOf, messageIdsIn } from '../../src/engine/receive/message-ids.ts'
import { fieldValue } from '../../src/engine/receive/mime/fields.js'
import { readParameters } from '../../src/engine/receive/mime/parameters.js'
import { bytesOf, readMail } from '../../src/engine/receive/mime/read.js'
import { type Part, walk } from '../../src/engine/receive/mime/walk.js'
import { mailparserTree } from './mailparser-tree.ts'
import { branch, leaf, type Node, readCases, sameTree } from './mime-truth.ts'

const folder = join(process.env.POSTROOM_CORPORA ?? '../shared/corpora', 'mime')
const present = existsSync(folder)
if (!present) process.stderr.write(`mime: skipped, there are no corpora at ${folder}\n`)
const say = (line: string) => process.stderr.write(`mime: ${line}\n`)

function ourTree(raw: Buffer): Node {
  const nodeOf = (part: Part): Node => {
    if (part.boundary !== undefined) return branch('multipart', part.children.map(nodeOf))
    const bytes = bytesOf(raw, part)
    return part.type.value === 'message/rfc822' ? branch('message', [ourTree(bytes)]) : leaf(bytes)
  }
  return nodeOf(walk(raw).root)
}

/** Mails that we take otherwise than mime4j does, and why. */
const OTHERWISE: Record<string, string> = {
  'hdr-fakeout.msg': 'a blank line with a space in it: what follows is no field, so it is shown',
  'basic-plain-with-bad-header-separator.msg': 'the same',
  'malformedHeaderStartsBody-nocrlfcrlf.msg': 'the same bytes as another case with another truth',
  'very-very-long-boundary.msg': 'a boundary that ends in a blank, which RFC 2046 §5.1.1 forbids',
}

test.skipIf(!present)('mime4j: structure and bodies, at least as many as mailparser', async () => {
  const wrong: string[] = []
  const score = { ours: 0, mailparser: 0, of: 0 }
  for (const { name, raw, truth } of readCases(join(folder, 'mime4j'))) {
    expect(readMail(raw).status).toBe('ok')
    if (truth === undefined) continue
    const ours = sameTree(ourTree(raw), truth)
    const theirs = await mailparserTree(raw).then(
      (tree) => sameTree(tree, truth),
      () => false,
    )
    score.of += 1
    score.ours += ours ? 1 : 0
    score.mailparser += theirs ? 1 : 0
    if (!ours) wrong.push(name.slice(name.lastIndexOf('/') + 1))
  }
  say(`mime4j: ours ${score.ours}, mailparser ${score.mailparser}, of ${score.of} with a truth`)
  for (const name of wrong) say(`  ${name}: ${OTHERWISE[name] ?? 'not explained'}`)
  expect(score.ours).toBeGreaterThanOrEqual(score.mailparser)
  expect(wrong.toSorted()).toEqual(Object.keys(OTHERWISE).toSorted())
})

interface Vector {
  header: string
  expected: unknown
}
interface Person {
  name: string | null
  address: string | null
}
interface Moment {
  [unit: string]: number | boolean
}

/** What a vector asks for, what we say and what mailparser says, each as text to compare. */
interface Column {
  field: string
  wanted(expected: unknown): string
  ours(raw: Buffer): string
  theirs(mail: ParsedMail): string
}

const people = (list: Person[]) =>
  JSON.stringify(
    list
      .filter(({ address }) => address)
      .map(({ name, address }) => [name?.trim() || null, address]),
  )
const field = (raw: Buffer, name: string) => fieldValue(readMail(raw).headerLines, name) ?? ''
const type = (value: string, parameters: [string, string][]) =>
  JSON.stringify([value.toLowerCase(), parameters.toSorted()])

const COLUMNS: Record<string, Column> = {
  address: {
    field: 'To',
    wanted(expected) {
      const { List, Group } = (expected ?? {}) as {
        List?: Person[]
        Group?: { addresses: Person[] }[]
      }
      return people(List ?? Group?.flatMap(({ addresses }) => addresses) ?? [])
    },
    ours: (raw) =>
      people(readMail(raw).to.map(({ email, name }) => ({ name: name ?? null, address: email }))),
    theirs(mail) {
      const objects = [mail.to ?? []].flat() as AddressObject[]
      const entries = objects.flatMap(({ value }) => value).flatMap((one) => one.group ?? [one])
      return people(entries.map(({ name, address }) => ({ name, address: address ?? null })))
    },
  },
  unstructured: {
    field: 'Subject',
    wanted: (expected) => String(expected ?? '').trim(),
    ours: (raw) => readMail(raw).subject,
    theirs: (mail) => (mail.subject ?? '').trim(),
  },
  id: {
    field: 'Message-ID',
    wanted: (expected) => `<${(expected as string[] | null)?.[0]?.replace(/\s+/g, '') ?? ''}>`,
    ours: (raw) => messageIdOf(field(raw, 'message-id')) ?? '<>',
    theirs: (mail) => messageIdsIn(mail.messageId ?? '')[0] ?? '<>',
  },
  date: {
    field: 'Date',
    wanted: (expected) => momentOf(expected as Moment | null),
    ours: (raw) => readDate(field(raw, 'date'))?.toISOString() ?? 'none',
    theirs: (mail) => mail.date?.toISOString() ?? 'none',
  },
  content_type: {
    field: 'Content-Type',
    wanted(expected) {
      const { c_type, c_subtype, attributes } = (expected ?? {}) as Record<string, unknown>
      const pairs = ((attributes ?? []) as [string, string][]).filter(
        ([key]) => !/-language$/.test(key),
      )
      return type([c_type, c_subtype].filter(Boolean).join('/'), pairs)
    },
    ours(raw) {
      const { value, parameters } = readParameters(field(raw, 'content-type'))
      return type(value.replace(/\/$/, ''), [...parameters])
    },
    theirs(mail) {
      const header = mail.headers.get('content-type') as
        | { value?: string; params?: Record<string, string> }
        | undefined
      return type(header?.value || '', Object.entries(header?.params ?? {}))
    },
  },
}

function momentOf(moment: Moment | null): string {
  if (moment === null) return 'none'
  const part = (unit: string) => Number(moment[unit])
  const offset = (part('tz_hour') * 60 + part('tz_minute')) * (moment.tz_before_gmt ? 1 : -1)
  const [year, month, day] = [part('year'), part('month') - 1, part('day')]
  const ms = Date.UTC(year, month, day, part('hour'), part('minute') + offset, part('second'))
  return Number.isNaN(ms) ? 'none' : new Date(ms).toISOString()
}

describe.skipIf(!present)('header vectors', () => {
  test.each(Object.keys(COLUMNS))('%s: none is worse than with mailparser', async (name) => {
    const column = COLUMNS[name] as Column
    const vectors = JSON.parse(
      readFileSync(join(folder, 'headers', `${name}.json`), 'utf8'),
    ) as Vector[]
    const score = { ours: 0, mailparser: 0 }
    const worse: string[] = []
    for (const { header, expected } of vectors) {
      const raw = Buffer.from(`${column.field}: ${header.replace(/\n*$/, '')}\r\n\r\n`)
      const wanted = column.wanted(expected)
      const ours = column.ours(raw)
      const theirs = column.theirs(await simpleParser(raw))
      score.ours += ours === wanted ? 1 : 0
      score.mailparser += theirs === wanted ? 1 : 0
      if (theirs === wanted && ours !== wanted) worse.push(`${header} is ${wanted}, not ${ours}`)
    }
    say(`${name}: ours ${score.ours}, mailparser ${score.mailparser}, of ${vectors.length}`)
    expect(worse).toEqual([])
  })
})
