import { afterAll, beforeAll, expect, test } from 'vitest'
import { findAddresses } from '../../../../src/engine/inboxes/find.ts'
import { createReceiver } from '../../../../src/engine/receive/accept.ts'
import { reprocess } from '../../../../src/engine/receive/rebuild/reprocess.ts'
import { type EngineWorld, engineWorld } from '../../../world/engine.ts'

const OPTIONS = { signal: new AbortController().signal, onProgress: () => undefined }

let world: EngineWorld

beforeAll(async () => {
  world = await engineWorld()
  for (const n of [1, 2, 3]) await mail(n)
})
afterAll(() => world.close())

async function mail(n: number): Promise<void> {
  const raw = [
    'From: Ann <ann@x.test>',
    `Subject: Order ${n} \u{1F4E6}`,
    `Message-ID: <${n}@x.test>`,
    ...(n > 1 ? ['In-Reply-To: <1@x.test>'] : []),
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain; charset=utf-8',
    '',
    `Your code is 48${n}913. See https://shop.example.com/ \0`,
    '--b',
    'Content-Type: text/csv',
    'Content-Disposition: attachment; filename=a.csv',
    '',
    '1,2',
    '--b--',
    '',
  ].join('\r\n')
  await createReceiver(world.engine).accept({
    raw: Buffer.from(raw),
    envelope: { mail_from: 'ann@x.test', rcpt_to: [world.hello] },
    peer: null,
    inboxes: await findAddresses(world.engine, [world.hello]),
  })
}

const everything = async () => ({
  messages: await world.engine.db.query('SELECT * FROM messages ORDER BY id'),
  threads: await world.engine.db.query('SELECT * FROM threads ORDER BY id'),
  attachments: await world.engine.db.query('SELECT * FROM attachments ORDER BY id'),
})

test('mail that reads the same as before is not touched', async () => {
  const before = await everything()
  const counts = await reprocess(world.engine, { ...OPTIONS, dryRun: false })
  expect(counts).toMatchObject({ read: 3, changed: 0, examples: [], unreadable: 0 })
  expect(await everything()).toEqual(before)
})

test('what an older version read differently is shown, then made right; ids and threads stay', async () => {
  const { db } = world.engine
  const right = await everything()
  await db.query(`UPDATE messages SET subject = 'garbled', text_body = '', codes = '[]'`)
  await db.query(
    `UPDATE attachments SET filename = NULL WHERE id = (SELECT min(id) FROM attachments)`,
  )
  await db.query(`UPDATE threads SET subject = 'garbled', preview = ''`)
  const wrong = await everything()

  const dry = await reprocess(world.engine, { ...OPTIONS, dryRun: true })
  expect(dry).toMatchObject({ read: 3, changed: 3 })
  expect(Object.fromEntries(dry.fields)).toEqual({
    subject: 3,
    text_body: 3,
    codes: 3,
    attachments: 1,
  })
  expect(dry.examples[0]).toMatchObject({
    field: 'subject',
    before: '"garbled"',
    after: '"Order 1 \u{1F4E6}"',
  })
  expect(await everything()).toEqual(wrong)

  expect(await reprocess(world.engine, { ...OPTIONS, dryRun: false })).toMatchObject({ changed: 3 })
  expect(await everything()).toEqual(right)
  expect(await reprocess(world.engine, { ...OPTIONS, dryRun: true })).toMatchObject({ changed: 0 })
})

test('mail whose bytes are gone stays as it is', async () => {
  const [row] = await world.engine.db.query<{ org_id: `org_${string}`; raw_sha256: string }>(
    'SELECT org_id, raw_sha256 FROM messages ORDER BY id LIMIT 1',
  )
  if (row === undefined) throw new Error('there is no mail')
  await world.engine.blobs.remove(row.org_id, row.raw_sha256, async () => true)
  const before = await everything()
  expect(await reprocess(world.engine, { ...OPTIONS, dryRun: false })).toMatchObject({
    read: 3,
    changed: 0,
    unreadable: 1,
  })
  expect(await everything()).toEqual(before)
})

test('mail that comes while its thread is shown again is unread, and what the thread shows', async () => {
  const { db } = world.engine
  await db.query('UPDATE threads SET is_read = true')
  await db.query("UPDATE messages SET subject = 'garbled'")
  let came = false
  const query: typeof db.query = async (text, ...values) => {
    if (text.includes('rebuild_thread') && !came) {
      came = true
      await mail(4)
    }
    return db.query(text, ...values)
  }
  const engine = { ...world.engine, db: { ...db, query } }
  expect(await reprocess(engine, { ...OPTIONS, dryRun: false })).toMatchObject({ changed: 2 })
  const [thread] = await db.query('SELECT message_count, is_read, preview, waiting_on FROM threads')
  expect(thread).toMatchObject({ message_count: 4, is_read: false, waiting_on: 'us' })
  expect(thread).toHaveProperty('preview', expect.stringContaining('484913'))
})
