import { simpleParser } from 'mailparser'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { uploadDocument } from '../../../src/engine/documents/operations.ts'
import { deleteInboxRow, eraseInbox } from '../../../src/engine/inboxes/erase.ts'
import { createWorker } from '../../../src/engine/jobs/worker.ts'
import type { Message } from '../../../src/engine/messages/message.ts'
import { getRawMessage } from '../../../src/engine/messages/operations.ts'
import { reindex } from '../../../src/engine/receive/rebuild/reindex.ts'
import { sweep } from '../../../src/engine/receive/sweep.ts'
import { getAttachment, uploadAttachment } from '../../../src/engine/send/attached/operations.ts'
import { MIXED_MAIL } from './mixed-mail.ts'
import { refused, type SendWorld, sendWorld, type TestInbox } from './send-world.ts'

const MIB = 1024 * 1024
let world: SendWorld
let inbox: TestInbox

beforeAll(async () => {
  world = await sendWorld()
})
beforeEach(async () => {
  inbox = await world.inbox()
})
afterAll(() => world.quit())

const base64 = (content: string | Buffer) => Buffer.from(content).toString('base64')
const mail = (over: object = {}) => ({
  inbox_id: inbox.id,
  to: 'Ann <ann@x.test>',
  subject: 'Hello',
  text_body: 'Hi Ann',
  ...over,
})
const upload = (filename: string, bytes: string | Buffer, content_type?: string) =>
  uploadAttachment.run(world.engine, world.owner, {
    inbox_id: inbox.id,
    filename,
    bytes: new Uint8Array(Buffer.from(bytes)),
    ...(content_type === undefined ? {} : { content_type }),
  })
const read = async (attachment_id: string) => {
  const { filename, content_type, bytes } = await getAttachment.run(world.engine, world.owner, {
    attachment_id,
  })
  return { filename, content_type, text: Buffer.from(bytes).toString() }
}
const wire = async ({ id }: Message) => {
  const { bytes } = await getRawMessage.run(world.engine, world.owner, { message_id: id })
  return simpleParser(Buffer.from(bytes), { keepCidLinks: true })
}
const shown = ({ attachments }: Message) =>
  attachments.map(({ filename, content_type, size, inline }) => [
    filename,
    content_type,
    size,
    inline,
  ])

describe('a file in base64', () => {
  test('goes out, is shown, and is read again by its id', async () => {
    const sent = await world.send(
      mail({
        attachments: [
          { filename: 'offer.pdf', content: base64('%PDF-1.7') },
          {
            filename: 'C:\\tmp\\Größe.csv',
            content_type: 'Text/CSV; charset=utf-8',
            content: base64('ä;b'),
          },
        ],
      }),
    )
    expect(shown(sent)).toEqual([
      ['offer.pdf', 'application/pdf', 8, false],
      ['Größe.csv', 'text/csv', 4, false],
    ])
    expect((await world.message(sent.id)).attachments).toEqual(sent.attachments)
    expect(await read(sent.attachments[1]?.id ?? '')).toEqual({
      filename: 'Größe.csv',
      content_type: 'text/csv',
      text: 'ä;b',
    })
    const parsed = await wire(sent)
    expect(parsed.text?.trim()).toBe('Hi Ann')
    expect(parsed.attachments.map(({ filename, content }) => [filename, String(content)])).toEqual([
      ['offer.pdf', '%PDF-1.7'],
      ['Größe.csv', 'ä;b'],
    ])
  })

  test('arrives at another inbox of ours as it was', async () => {
    const other = await world.inbox()
    const attachments = [{ filename: '見積書.txt', content: base64('山田') }]
    await world.send(mail({ to: other.address, attachments }))
    await world.settle()
    const [received] = (await world.list(other)).data
    expect(received && shown(received)).toEqual([['見積書.txt', 'text/plain', 6, false]])
    expect((await read(received?.attachments[0]?.id ?? '')).text).toBe('山田')
  })

  test('that the HTML shows is inside it, and stands first', async () => {
    const sent = await world.send(
      mail({
        text_body: undefined,
        markdown_body: 'Our logo: ![Logo](cid:logo)',
        attachments: [
          { filename: 'a.txt', content: base64('a') },
          { filename: 'logo.png', content: base64('png'), content_id: 'logo' },
        ],
      }),
    )
    expect(sent.text_body).toBe('Our logo: Logo')
    expect(shown(sent)).toEqual([
      ['logo.png', 'image/png', 3, true],
      ['a.txt', 'text/plain', 1, false],
    ])
    const parsed = await wire(sent)
    expect(parsed.html).toContain('<img src="cid:logo" alt="Logo">')
    expect(parsed.attachments[0]).toMatchObject({ cid: 'logo', related: true })
    expect((await read(sent.attachments[0]?.id ?? '')).text).toBe('png')
  })
})

describe('an uploaded file', () => {
  test('is kept, described, and sent as often as it is named', async () => {
    const made = await upload('../plan.pdf', 'PDF', 'application/pdf')
    expect(made).toEqual({
      id: expect.stringMatching(/^att_/),
      inbox_id: inbox.id,
      filename: 'plan.pdf',
      content_type: 'application/pdf',
      size: 3,
      created_at: world.clock.now().toISOString(),
    })
    expect((await read(made.id)).text).toBe('PDF')
    const once = await world.send(mail({ attachment_ids: [made.id] }))
    const again = await world.send(
      mail({ attachments: [{ attachment_id: made.id, filename: 'renamed.pdf' }] }),
    )
    expect(shown(once)).toEqual([['plan.pdf', 'application/pdf', 3, false]])
    expect(shown(again)).toEqual([['renamed.pdf', 'application/pdf', 3, false]])
    expect(once.attachments[0]?.id).not.toBe(made.id)
  })

  test('survives the sweep, and goes with its inbox', async () => {
    const own = await world.inbox()
    const { id } = await uploadAttachment.run(world.engine, world.owner, {
      inbox_id: own.id,
      filename: 'only-here.txt',
      bytes: new TextEncoder().encode(`of ${own.id}`),
    })
    world.clock.advance(3_600_000)
    await sweep(world.engine)
    expect((await read(id)).text).toBe(`of ${own.id}`)
    const before = (await world.kept()).files.length
    await deleteInboxRow(world.engine, world.owner.orgId, own.id)
    await expect(read(id)).rejects.toMatchObject({ status: 404 })
    const work = createWorker({
      ...world.engine,
      handlers: { 'inboxes.erase': eraseInbox(world.engine) },
    })
    await work.settle()
    await work.stop()
    expect((await world.kept()).files.length).toBe(before - 1)
  })

  test('over 10 MB is refused, and nothing is kept', async () => {
    const before = await world.kept()
    await expect(upload('big.bin', Buffer.alloc(10 * MIB + 1))).rejects.toMatchObject({
      status: 413,
      details: [{ field: 'file' }],
    })
    expect(await world.kept()).toEqual(before)
    expect((await upload('fits.bin', Buffer.alloc(10 * MIB))).size).toBe(10 * MIB)
  })
})

test('a document of the knowledge base goes out with an ending that tells what it is', async () => {
  const document = await uploadDocument.run(world.engine, world.owner, {
    inbox_id: inbox.id,
    filename: 'returns.md',
    name: 'Return policy',
    bytes: new TextEncoder().encode('# Returns\n\n30 days.'),
  })
  const sent = await world.send(mail({ attachment_ids: [document.id] }))
  expect(shown(sent)).toEqual([['Return policy.md', 'text/markdown', 19, false]])
  expect((await wire(sent)).attachments[0]?.content.toString()).toBe('# Returns\n\n30 days.')
})

describe('an attachment of a mail that came in', () => {
  test('is read out of it, under a name that leads to no folder', async () => {
    const received = await world.mail(inbox, `r-${inbox.id}`, MIXED_MAIL)
    expect(await read(received.attachments[1]?.id ?? '')).toEqual({
      filename: 'bestand ä.csv',
      content_type: 'text/csv',
      text: 'a;b',
    })
  })

  test('is sent on by its id', async () => {
    const received = await world.mail(inbox, `s-${inbox.id}`, MIXED_MAIL)
    const sent = await world.send(mail({ attachment_ids: [received.attachments[0]?.id] }))
    expect(shown(sent)).toEqual([['pic.png', 'image/png', 7, false]])
    expect((await read(sent.attachments[0]?.id ?? '')).text).toBe('picture')
  })

  test('is not for a key that may not read mail, nor for one of another inbox or organization', async () => {
    const received = await world.mail(inbox, `t-${inbox.id}`, MIXED_MAIL)
    const other = await world.inbox()
    const asked = mail({ inbox_id: undefined, attachment_ids: [received.attachments[0]?.id] })
    const sender = { ...world.owner, scopes: ['email:send' as const], inboxIds: [inbox.id] }
    expect(await refused(world, asked, sender)).toMatchObject({ status: 403 })
    const elsewhere = { ...world.owner, inboxIds: [other.id] }
    expect(await refused(world, asked, elsewhere)).toMatchObject({
      status: 404,
      details: [{ field: 'attachment_ids.0' }],
    })
    const stranger = { ...world.owner, orgId: 'org_00000000000000000000000000' as const }
    const attachment_id = received.attachments[0]?.id ?? ''
    await expect(
      getAttachment.run(world.engine, stranger, { attachment_id }),
    ).rejects.toMatchObject({ status: 404 })
    await expect(
      getAttachment.run(world.engine, world.owner, { inbox_id: other.id, attachment_id }),
    ).rejects.toMatchObject({ status: 400, details: [{ field: 'attachment_id' }] })
  })
})

test('a rebuild brings the same attachments back, under the same ids', async () => {
  const sent = await world.send(
    mail({
      text_body: undefined,
      html_body: '<p><img src="cid:a"></p>',
      attachments: [
        { filename: 'z.pdf', content: base64('z') },
        { filename: 'a.png', content: base64('aa'), content_id: 'a' },
        {
          filename: 'mail.eml',
          content: base64('Subject: x\n\nx'),
          content_type: 'message/rfc822',
        },
        { filename: 'noch ein Ärger.unknown', content: '' },
      ],
    }),
  )
  const { db } = world.engine
  const rows = () =>
    db.query('SELECT * FROM attachments WHERE message_id = $1 ORDER BY position', [sent.id])
  const before = await rows()
  expect(before).toHaveLength(4)
  for (const table of ['attachments', 'recipients', 'jobs', 'events']) {
    await db.query(`DELETE FROM ${table} WHERE org_id = $1`, [world.owner.orgId])
  }
  await db.query('DELETE FROM messages WHERE id = $1', [sent.id])
  const { rebuilt } = await reindex(world.engine, {
    signal: new AbortController().signal,
    onProgress: () => undefined,
  })
  expect(rebuilt).toBe(1)
  expect(await rows()).toEqual(before)
})

describe('refused before anything is stored:', () => {
  const big = (mib: number) => ({
    filename: 'a.bin',
    content: Buffer.alloc(mib * MIB).toString('base64'),
  })

  test.each<[string, () => object, number, string[]]>([
    ['25 MB together', () => ({ attachments: [big(9), big(9), big(8)] }), 413, ['attachments']],
    [
      'an id that is nobody’s',
      () => ({ attachments: [big(0), { attachment_id: 'att_00000000000000000000000000' }] }),
      404,
      ['attachments.1'],
    ],
    ['an unknown document', () => ({ attachment_ids: ['doc_x'] }), 404, ['attachment_ids.0']],
  ])('%s', async (_, over, status, fields) => {
    const error = await refused(world, mail(over()))
    expect(error.status).toBe(status)
    expect(error.details.map(({ field }) => field)).toEqual(fields)
    expect(error.fix).not.toBe('')
  })

  test('one byte too many is not told as the limit itself', async () => {
    const content = Buffer.alloc(10 * MIB + 1).toString('base64')
    const error = await refused(world, mail({ attachments: [{ filename: 'a.bin', content }] }))
    expect(error.message).toContain('"a.bin" has 10.1 MB; a file may have 10.0 MB')
  })

  test('but 25 MB are taken, and their wire form is read whole', async () => {
    const attachments = [big(10), big(10), big(4)]
    const sent = await world.send(mail({ attachments }))
    expect(sent.attachments.map(({ size }) => size)).toEqual([10 * MIB, 10 * MIB, 4 * MIB])
    const last = sent.attachments[2]?.id ?? ''
    const { bytes } = await getAttachment.run(world.engine, world.owner, { attachment_id: last })
    expect(bytes.length).toBe(4 * MIB)
  })
})
