import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { callerOf } from '../../../../src/engine/access/authenticate.ts'
import type { MessageId } from '../../../../src/engine/ids.ts'
import { eraseInbox } from '../../../../src/engine/inboxes/erase.ts'
import { findAddresses } from '../../../../src/engine/inboxes/find.ts'
import { createInbox, deleteInbox, listInboxes } from '../../../../src/engine/inboxes/operations.ts'
import { mergeThreads, splitThread } from '../../../../src/engine/messages/rearrange/operations.ts'
import type { Engine } from '../../../../src/engine/ports.ts'
import { importMbox } from '../../../../src/engine/receive/mbox/import.ts'
import { noteOrganizations } from '../../../../src/engine/receive/rebuild/house.ts'
import { reindex } from '../../../../src/engine/receive/rebuild/reindex.ts'
import { sweep } from '../../../../src/engine/receive/sweep.ts'
import { newId } from '../../../../src/platform/ids.ts'
import { type EngineWorld, engineWorld } from '../../../world/engine.ts'
import { sendWorld, type TestInbox } from '../../send/send-world.ts'

const OPTIONS = { signal: new AbortController().signal, onProgress: () => undefined }
const MINUTE = 60_000
const DAY = 1_440 * MINUTE

let old: Awaited<ReturnType<typeof sendWorld>>
let fresh: EngineWorld
/** The new database, with the old raw store. */
let engine: Engine
let inbox: TestInbox
let deleted: TestInbox

beforeAll(async () => {
  old = await sendWorld()
  // The clock was set back by a day: ids go on where they were.
  newId('msg', new Date(old.clock.now().getTime() + DAY))
  await noteOrganizations(old.engine)
  inbox = await old.inbox()
  deleted = await old.inbox()
  await live()
  fresh = await engineWorld({ clock: old.clock })
  engine = { ...fresh.engine, blobs: old.engine.blobs, settings: old.engine.settings }
})
afterAll(() => Promise.all([old.close(), fresh.close()]))

/** What happens to a mailbox: questions, answers, late parents, attachments, an import, merges, a deletion. */
async function live() {
  const other = await old.inbox()
  const question = await old.mail(inbox, 'q1')
  old.clock.advance(MINUTE)
  await old.send({ inbox_id: inbox.id, reply_to_message_id: question.id, text_body: 'On its way.' })
  await old.settle()
  old.clock.advance(MINUTE)
  await old.mail(inbox, 'q2', ['In-Reply-To: <q1@x.test>'])
  // Two threads that a late mail shows to be one.
  await old.mail(inbox, 'a')
  await old.mail(inbox, 'b')
  await old.mail(inbox, 'c', ['References: <a@x.test> <b@x.test>'])
  // A child before its parent, and twenty at once.
  await old.mail(inbox, 'child', ['In-Reply-To: <parent@x.test>'])
  await old.mail(inbox, 'parent')
  await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      old.mail(inbox, `n${n}`, n % 4 === 0 ? [] : [`In-Reply-To: <n${n - (n % 4)}@x.test>`]),
    ),
  )
  await attachment()
  await old.mail(other, 'elsewhere')
  await imported()
  old.clock.advance(MINUTE)
  const [m1, m2] = [await old.mail(inbox, 'm1'), await old.mail(inbox, 'm2')]
  await byHand(m1.thread_id, m2.thread_id)
  await old.mail(inbox, 'm3', ['In-Reply-To: <m2@x.test>'])
  await old.send({
    inbox_id: inbox.id,
    to: 'bob@far.test',
    bcc: 'eve@far.test',
    subject: 'New',
    text_body: 'Hi',
  })
  await old.settle()
  await old.mail(deleted, 'secret')
  await deleteInbox.run(old.engine, old.owner, { inbox_id: deleted.id })
}

async function attachment() {
  const inboxes = await findAddresses(old.engine, [inbox.address])
  const raw = [
    'From: Ann <ann@x.test>',
    'Subject: With files',
    'Message-ID: <files@x.test>',
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain',
    '',
    'Two files.',
    '--b',
    'Content-Type: text/csv; name=a.csv',
    'Content-Disposition: attachment; filename=a.csv',
    '',
    '1,2',
    '--b',
    'Content-Type: image/png; name=b.png',
    'Content-Disposition: attachment; filename=b.png',
    'Content-Transfer-Encoding: base64',
    '',
    'AAAA',
    '--b--',
    '',
  ].join('\r\n')
  await old.receiver.accept({
    raw: Buffer.from(raw),
    envelope: { mail_from: 'ann@x.test', rcpt_to: [inbox.address] },
    peer: null,
    inboxes,
  })
}

async function imported() {
  const [place] = await findAddresses(old.engine, [inbox.address])
  if (place === undefined) throw new Error('the inbox is gone')
  const file = `From old@x.test Mon Jan  5 10:00:00 2015
From: Old <old@x.test>
Subject: Long ago
Message-ID: <old1@x.test>
Date: Mon, 05 Jan 2015 10:00:00 +0000

>From then on.

`
  const source = (async function* () {
    yield Buffer.from(file)
  })()
  const options = { isNews: false, signal: OPTIONS.signal, onProgress: () => undefined }
  await importMbox({ ...old.engine, receiver: old.receiver }, place, source, options)
}

async function byHand(into_thread_id: string, thread_id: string) {
  const joined = { inbox_id: inbox.id, into_thread_id, thread_id }
  await mergeThreads.run(old.engine, old.owner, joined)
  const [n4] = await old.engine.db.query<{ id: string; thread_id: string }>(
    "SELECT id, thread_id FROM messages WHERE message_id_header = '<n6@x.test>'",
  )
  await splitThread.run(old.engine, old.owner, {
    inbox_id: inbox.id,
    thread_id: n4?.thread_id ?? '',
    message_id: n4?.id ?? '',
  })
  old.clock.advance(MINUTE)
}

/** Everything that mail made, without the inbox that was deleted. */
async function snapshot({ db }: Engine) {
  const rows = (table: string, order: string, columns = '*') =>
    db.query<Record<string, unknown>>(
      `SELECT ${columns} FROM ${table} WHERE ${table === 'messages' || table === 'threads' || table === 'message_ids' || table === 'attachments' ? `inbox_id <> '${deleted.id}'` : 'true'} ORDER BY ${order}`,
    )
  return {
    messages: await rows('messages', 'id'),
    threads: await rows('threads', 'id'),
    redirects: await rows('thread_redirects', 'id'),
    message_ids: await rows('message_ids', 'inbox_id, rfc_id'),
    attachments: await rows('attachments', 'id'),
    recipients: await rows(
      'recipients',
      'message_id, position',
      'message_id, email, status, code, detail',
    ),
    audit: await rows('audit', 'id'),
  }
}

describe('the database is lost and made anew', () => {
  test('the same messages, threads and attachments come back, all columns alike', async () => {
    const before = await snapshot(old.engine)
    expect(before.messages.length).toBeGreaterThan(30)
    expect(before.redirects.length).toBeGreaterThan(1)
    const counts = await reindex(engine, OPTIONS)
    expect(counts).toMatchObject({
      rebuilt: before.messages.length,
      unreadable: [],
      tookPlace: true,
    })
    expect(await snapshot(engine)).toEqual(before)
  })

  test('the keys of the fresh start open the organization that came back, and its first inbox is not in the way', async () => {
    const owner = await callerOf(engine, fresh.keys.first)
    expect(owner.orgId).toBe(old.owner.orgId)
    const { data } = await listInboxes.run(engine, owner, { limit: 100, offset: 0 })
    const all = await listInboxes.run(old.engine, old.owner, { limit: 100, offset: 0 })
    const withMail = all.data.filter(({ thread_count }) => thread_count > 0)
    expect(
      data.map(({ id, address }) => ({ id, address })).sort((a, b) => (a.id < b.id ? -1 : 1)),
    ).toEqual(
      withMail.map(({ id, address }) => ({ id, address })).sort((a, b) => (a.id < b.id ? -1 : 1)),
    )
    expect(await engine.db.query('SELECT name, slug, reply_secret FROM organizations')).toEqual(
      await old.engine.db.query('SELECT name, slug, reply_secret FROM organizations'),
    )
  })

  test('a deleted inbox stays away: its mail is removed, its address is nobody’s', async () => {
    const owner = await callerOf(engine, fresh.keys.first)
    expect(await findAddresses(engine, [deleted.address])).toEqual([])
    const username = deleted.address.split('@')[0] ?? ''
    await expect(createInbox.run(engine, owner, { username })).rejects.toThrow(/taken/)
    for await (const kept of engine.blobs.list(owner.orgId)) {
      if (kept.kind !== 'sidecar') continue
      const sidecar = (await engine.blobs.sidecar(owner.orgId, kept.messageId)) as {
        inbox: { id: string }
      }
      expect(sidecar.inbox.id).not.toBe(deleted.id)
    }
  })

  test('nobody is told again, and nothing is sent again', async () => {
    expect(await engine.db.query('SELECT event FROM events')).toEqual([])
    expect(await engine.db.query("SELECT name FROM jobs WHERE name LIKE 'send.%'")).toEqual([])
  })

  test('what a sender sends once more is recognised', async () => {
    const receiver = old.receiver
    expect(receiver).toBeDefined()
    const [row] = await engine.db.query<{ message_id: MessageId }>(
      `SELECT s.message_id FROM seen s JOIN messages m ON m.id = s.message_id
       WHERE m.message_id_header = '<q1@x.test>'`,
    )
    expect(row?.message_id).toMatch(/^msg_/)
  })

  test('doing it again changes nothing', async () => {
    const before = await snapshot(engine)
    const counts = await reindex(engine, OPTIONS)
    expect(counts).toMatchObject({ rebuilt: 0, present: before.messages.length, organizations: [] })
    expect(await snapshot(engine)).toEqual(before)
  })

  test('rows that are missing come back among those that are there', async () => {
    const before = await snapshot(engine)
    const [lost] = await engine.db.query<{ id: string }>(
      "DELETE FROM messages WHERE message_id_header = '<q2@x.test>' RETURNING id",
    )
    await engine.db.query('DELETE FROM attachments WHERE message_id = $1', [lost?.id])
    expect(await reindex(engine, OPTIONS)).toMatchObject({ rebuilt: 1 })
    const after = await snapshot(engine)
    expect(after.messages.map(({ id, thread_id }) => [id, thread_id])).toEqual(
      before.messages.map(({ id, thread_id }) => [id, thread_id]),
    )
  })

  test('one that is broken off is not swept away, and goes on', async () => {
    const { id } = (await engine.db.query<{ id: string }>('SELECT id FROM organizations'))[0] ?? {
      id: '',
    }
    for (const table of [
      'messages',
      'threads',
      'thread_redirects',
      'message_ids',
      'seen',
      'attachments',
      'recipients',
      'audit',
    ]) {
      await engine.db.query(`DELETE FROM ${table}`)
    }
    const stop = new AbortController()
    const onProgress = (done: number) => done >= 20 && stop.abort()
    await reindex(engine, { signal: stop.signal, onProgress })
    old.clock.advance(2 * DAY)
    expect(await sweep(engine)).toBe(0)
    await reindex(engine, OPTIONS)
    expect(await snapshot(engine)).toEqual(await snapshot(old.engine))
    expect(await engine.db.query('SELECT 1 FROM cursors WHERE name LIKE $1', [`%${id}`])).toEqual(
      [],
    )
  })
})

test('erasing what is left of a deleted inbox finds nothing to do', async () => {
  const job = { orgId: old.owner.orgId, payload: { inbox_id: deleted.id } }
  await expect(eraseInbox(engine)(job as never, OPTIONS.signal)).resolves.toEqual({ kind: 'done' })
})
