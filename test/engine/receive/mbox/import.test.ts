import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { OrgId } from '../../../../src/engine/ids.ts'
import { findAddresses } from '../../../../src/engine/inboxes/find.ts'
import { createInbox } from '../../../../src/engine/inboxes/operations.ts'
import { listMessages, listThreads } from '../../../../src/engine/messages/operations.ts'
import { webhookTail } from '../../../../src/engine/notify/tail.ts'
import { createReceiver, type Receiver } from '../../../../src/engine/receive/accept.ts'
import { exportMbox } from '../../../../src/engine/receive/mbox/export.ts'
import { type ImportOptions, importMbox } from '../../../../src/engine/receive/mbox/import.ts'
import { originOf } from '../../../../src/engine/receive/mbox/origin.ts'
import type { AddressFound } from '../../../../src/engine/recent-addresses.ts'
import { type EngineWorld, engineWorld } from '../../../world/engine.ts'

let world: EngineWorld
let receiver: Receiver
let inbox: AddressFound
let made = 0

beforeAll(async () => {
  world = await engineWorld()
  receiver = createReceiver(world.engine)
})
beforeEach(async () => {
  made += 1
  const { engine, owner } = world
  const webhook_url = 'https://hooks.example.com/'
  const { address } = await createInbox.run(engine, owner, { username: `box${made}`, webhook_url })
  const [found] = await findAddresses(engine, [address])
  if (found === undefined) throw new Error('the inbox was not made')
  inbox = found
})
afterAll(() => world.close())

interface Letter {
  id: string
  at: string
  more?: string
  subject?: string
  body?: string
}

/** A mail in an mbox of Unix: LF, an empty line behind. */
function letter({ id, at, more = '', subject = id, body = 'Hello.\n' }: Letter): string {
  const date = new Date(at).toUTCString().replace('GMT', '+0000')
  return `From ann@x.test Mon Jan  5 10:00:00 2015\nReceived: from a by b; ${date}\nFrom: Ann <ann@x.test>\nSubject: ${subject}\nMessage-ID: <${inbox.address}.${id}@x.test>\nDate: Mon, 01 Jan 2001 00:00:00 +0000\n${more}\n${body}\n`
}

const reply = (to: string) => `In-Reply-To: <${inbox.address}.${to}@x.test>\n`

function bring(file: string | Buffer, options: Partial<ImportOptions> = {}) {
  const bytes = typeof file === 'string' ? Buffer.from(file, 'latin1') : file
  const source = (async function* () {
    for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000)
  })()
  return importMbox({ ...world.engine, receiver }, inbox, source, {
    isNews: false,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    ...options,
  })
}

async function exported(): Promise<string> {
  const parts = []
  const where = { org_id: inbox.org_id as OrgId, id: inbox.inbox_id }
  for await (const { bytes } of exportMbox(world.engine, where)) parts.push(bytes)
  return Buffer.concat(parts).toString('latin1')
}

const threads = async () =>
  (
    await listThreads.run(world.engine, world.owner, {
      inbox_id: inbox.inbox_id,
      limit: 100,
      offset: 0,
    })
  ).data
const messages = async () =>
  (
    await listMessages.run(world.engine, world.owner, {
      inbox_id: inbox.inbox_id,
      limit: 100,
      offset: 0,
    })
  ).data

test('mail keeps its own time, and a thread its earliest subject, whatever the order of the file', async () => {
  const file = [
    letter({ id: 'late', at: '2016-03-01T00:00:00Z', more: reply('root'), subject: 'Re: late' }),
    letter({ id: 'root', at: '2016-01-01T00:00:00Z', subject: 'The beginning' }),
    letter({
      id: 'middle',
      at: '2016-02-01T00:00:00Z',
      more: reply('root'),
      subject: 'Re: middle',
    }),
  ].join('')
  expect(await bring(file)).toEqual({ imported: 3, known: 0, tooLarge: 0 })
  expect(await threads()).toMatchObject([
    {
      subject: 'The beginning',
      message_count: 3,
      created_at: '2016-01-01T00:00:00.000Z',
      last_message_at: '2016-03-01T00:00:00.000Z',
      latest_inbound_at: '2016-03-01T00:00:00.000Z',
    },
  ])
  expect((await messages()).map(({ created_at }) => created_at.slice(0, 7))).toEqual([
    '2016-03',
    '2016-02',
    '2016-01',
  ])
})

test('an old mail leaves the newest of a thread, and its unread mark, as they are', async () => {
  const raw = `From: Ann <ann@x.test>\r\nSubject: Now\r\nMessage-ID: <now@x.test>\r\n${reply('then').trim()}\r\n\r\nNow.\r\n`
  const envelope = { mail_from: 'ann@x.test', rcpt_to: [inbox.address] }
  await receiver.accept({ raw: Buffer.from(raw), envelope, peer: null, inboxes: [inbox] })
  const [before] = await threads()
  await bring(letter({ id: 'then', at: '2012-01-01T00:00:00Z', subject: 'Then' }))
  expect(await threads()).toMatchObject([
    { ...before, subject: 'Then', message_count: 2, created_at: '2012-01-01T00:00:00.000Z' },
  ])
  expect(before?.is_read).toBe(false)
})

describe('old mail is no news', () => {
  const tell = async () => {
    const tail = webhookTail(world.engine)
    while ((await tail.step()) !== 'end');
    const rows = await world.engine.db.query<{ event: string }>(
      'SELECT event FROM webhook_deliveries WHERE inbox_id = $1 ORDER BY id',
      [inbox.inbox_id],
    )
    return rows.map(({ event }) => event)
  }

  test('its threads are read and no webhook tells of it; the log does, with a mark', async () => {
    await bring(letter({ id: 'quiet', at: '2012-01-01T00:00:00Z' }))
    expect(await threads()).toMatchObject([{ is_read: true, waiting_on: 'us' }])
    expect(await tell()).toEqual([])
    const events = await world.engine.db.query(
      'SELECT event, data FROM events WHERE inbox_id = $1 ORDER BY seq',
      [inbox.inbox_id],
    )
    expect(events).toEqual([
      { event: 'thread.created', data: { imported: true } },
      { event: 'email.received', data: { imported: true } },
    ])
  })

  test('unless that is asked for', async () => {
    await bring(letter({ id: 'loud', at: '2012-01-01T00:00:00Z' }), { isNews: true })
    expect(await threads()).toMatchObject([{ is_read: false }])
    expect(await tell()).toEqual(['thread.created', 'email.received'])
  })
})

test('an import that is broken off and run again doubles nothing and comes to the end', async () => {
  const file = Array.from({ length: 230 }, (_, n) =>
    letter({ id: `n${n}`, at: '2012-01-01T00:00:00Z' }),
  ).join('')
  const stop = new AbortController()
  const first = await bring(file, { signal: stop.signal, onProgress: () => stop.abort() })
  expect(first.imported).toBeGreaterThan(0)
  expect(first.imported).toBeLessThan(230)
  expect(await bring(file)).toEqual({
    imported: 230 - first.imported,
    known: first.imported,
    tooLarge: 0,
  })
  expect(await bring(file)).toEqual({ imported: 0, known: 230, tooLarge: 0 })
  expect(await exported()).toBe(file)
})

test('a mail that came by SMTP is the same mail out of a file', async () => {
  const text = letter({ id: 'both', at: '2012-01-01T00:00:00Z' })
  const raw = Buffer.from(text.slice(text.indexOf('\n') + 1, -1).replace(/\n/g, '\r\n'))
  const envelope = { mail_from: 'ann@x.test', rcpt_to: [inbox.address] }
  await receiver.accept({ raw, envelope, peer: null, inboxes: [inbox] })
  expect(await bring(text)).toMatchObject({ imported: 0, known: 1 })
})

test('what was imported is exported byte for byte', async () => {
  const file = [
    letter({ id: '1', at: '2012-01-01T00:00:00Z', body: '>From me\n\n>>From you\n' }),
    letter({
      id: '2',
      at: '2012-01-01T00:00:00Z',
      body: 'From the beginning\n\nFrom there\n>From x\n',
    }),
    letter({ id: '3', at: '2012-01-01T00:00:00Z', body: '\xff\xfe Gr\xfc\xdfe \x80\n\n\n' }),
    letter({ id: '4', at: '2012-01-01T00:00:00Z' }).replace(/\n/g, '\r\n'),
    letter({ id: '5', at: '2012-01-01T00:00:00Z', body: 'no end' }).trimEnd(),
  ].join('')
  await bring(file)
  expect(await exported()).toBe(file)
})

test('mail that came by SMTP is exported so that another import reads the same bytes', async () => {
  const raws = [
    'Subject: a\r\n\r\nFrom me\r\n>From you\r\n',
    'no header\r\n',
    'Subject: c\r\n\r\nend\r\n',
  ]
  for (const raw of raws) {
    const envelope = { mail_from: '', rcpt_to: [inbox.address] }
    await receiver.accept({ raw: Buffer.from(raw), envelope, peer: null, inboxes: [inbox] })
  }
  const file = await exported()
  const from = inbox
  const { address } = await createInbox.run(world.engine, world.owner, { username: `copy${made}` })
  const [copy] = await findAddresses(world.engine, [address])
  inbox = copy ?? from
  await bring(file)
  const rows = await world.engine.db.query<{ raw_sha256: string }>(
    'SELECT inbox_id, raw_sha256 FROM messages WHERE inbox_id = ANY($1) ORDER BY id',
    [[from.inbox_id, inbox.inbox_id]],
  )
  const hashes = rows.map(({ raw_sha256 }) => raw_sha256)
  expect(hashes.slice(3)).toEqual(hashes.slice(0, 3))
  expect(await exported()).toBe(file)
})

describe('where a mail came from, and when', () => {
  const now = new Date('2026-01-01T00:00:00Z')
  const line = 'From ann@x.test Mon Jan  5 10:00:00 2015'
  const originAt = (header: string) => originOf(Buffer.from(`${header}\n\nbody\n`), line, now)
  const two =
    'Received: from b by c;\n\tTue, 3 Mar 2015 12:00:00 +0100\nReceived: from a by b; Tue, 3 Mar 2015 10:00:00 +0000\n'

  test.each([
    [
      'the newest Received line',
      `${two}Date: Mon, 2 Mar 2015 00:00:00 +0000`,
      '2015-03-03T11:00:00.000Z',
    ],
    [
      'Date where there is none',
      'Date: Mon, 2 Mar 2015 00:00:00 +0000',
      '2015-03-02T00:00:00.000Z',
    ],
    ['the separator where nothing else says', 'Subject: x', '2015-01-05T10:00:00.000Z'],
    [
      'no moment that is yet to come',
      'Date: Mon, 2 Mar 2099 00:00:00 +0000',
      '2015-01-05T10:00:00.000Z',
    ],
  ])('the time is that of %s', (_, header, time) => {
    expect(originAt(header).at.toISOString()).toBe(time)
  })

  test.each([
    ['Return-Path', 'Return-Path: <bounces@y.test>\nFrom: x@z.test', 'bounces@y.test'],
    ['an empty Return-Path', 'Return-Path: <>\nFrom: x@z.test', ''],
    ['the separator', 'From: x@z.test', 'ann@x.test'],
  ])('the sender is that of %s', (_, header, sender) => {
    expect(originAt(header).mailFrom).toBe(sender)
  })
})
