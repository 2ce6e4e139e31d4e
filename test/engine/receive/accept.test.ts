import { createTransport, type Transporter } from 'nodemailer'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { MAX_CONNECTIONS_PER_ADDRESS } from '../../../src/doors/smtp/limits.ts'
import { openSmtpDoor, type SmtpDoor } from '../../../src/doors/smtp/server.ts'
import { eraseInbox } from '../../../src/engine/inboxes/erase.ts'
import { createInbox, deleteInbox, updateInbox } from '../../../src/engine/inboxes/operations.ts'
import {
  getRawMessage,
  getThread,
  listMessages,
  listThreads,
} from '../../../src/engine/messages/operations.ts'
import { createReceiver } from '../../../src/engine/receive/accept.ts'
import { createRecipientCheck } from '../../../src/engine/receive/recipients.ts'
import { type EngineWorld, engineWorld } from '../../world/engine.ts'

let world: EngineWorld
let door: SmtpDoor
/** Each test has an inbox of its own. */
let inbox: { id: string; address: string }
let made = 0

beforeAll(async () => {
  world = await engineWorld()
  const { engine } = world
  door = await openSmtpDoor({
    host: '127.0.0.1',
    port: 0,
    hostname: 'mail.postroom.test',
    receiver: createReceiver(engine),
    recipient: createRecipientCheck(engine),
    bareNewlines: 'reject',
    clock: engine.clock,
    log: engine.log,
  })
})

beforeEach(async () => {
  made += 1
  inbox = await createInbox.run(world.engine, world.owner, { username: `inbox${made}` })
})

afterAll(async () => {
  await door.close()
  await world.close()
})

interface Mail {
  to?: string | string[]
  raw: string
}

const place = () => ({ host: '127.0.0.1', port: door.port, secure: false })

async function send(mail: Mail) {
  const transport = createTransport(place())
  try {
    return await hand(transport, mail)
  } finally {
    transport.close()
  }
}

/** At once, over as many connections as one address may have. */
async function sendAll(raws: string[]) {
  const maxConnections = MAX_CONNECTIONS_PER_ADDRESS
  const pool = createTransport({ ...place(), pool: true, maxConnections })
  try {
    await Promise.all(raws.map((raw) => hand(pool, { raw })))
  } finally {
    pool.close()
  }
}

const hand = (transport: Pick<Transporter, 'sendMail'>, mail: Mail) =>
  transport.sendMail({
    envelope: { from: 'ann@example.com', to: mail.to ?? inbox.address },
    raw: mail.raw.replace(/\r?\n/g, '\r\n'),
  })

const raw = (id: string, headers = '', body = 'Hello there') =>
  `From: Ann <ann@example.com>\nTo: ${inbox.address}\nSubject: Order ${id}\nMessage-ID: <${id}@example.com>\n${headers}\n${body}\n`

const page = () => ({ inbox_id: inbox.id, limit: 20, offset: 0 })
const threads = () => listThreads.run(world.engine, world.owner, page())
const messages = () => listMessages.run(world.engine, world.owner, page())

test('a mail becomes a message in a thread of its own, with its raw bytes', async () => {
  const info = await send({ raw: raw('one', 'Cc: bob@example.com\n') })
  expect(info.response).toMatch(/^250 2\.0\.0 Kept as msg_[0-9a-z]{26}$/)
  const { data } = await threads()
  expect(data).toMatchObject([
    {
      subject: 'Order one',
      message_count: 1,
      is_read: false,
      waiting_on: 'us',
      preview: 'Hello there',
    },
  ])
  expect(data[0]?.participants.map(({ email }) => email)).toEqual([
    'ann@example.com',
    inbox.address,
    'bob@example.com',
  ])
  const thread = await getThread.run(world.engine, world.owner, { thread_id: data[0]?.id ?? '' })
  expect(thread.messages).toMatchObject([
    {
      direction: 'inbound',
      status: 'received',
      from: { email: 'ann@example.com', name: 'Ann' },
      text_body: 'Hello there',
      message_id_header: '<one@example.com>',
      match: { method: 'new', evidence: null },
      parse_status: 'ok',
    },
  ])
  const message_id = thread.messages[0]?.id ?? ''
  const { bytes } = await getRawMessage.run(world.engine, world.owner, { message_id })
  // On top of them the door's own line: RFC 5321 §4.4.
  const [trace, kept] = Buffer.from(bytes)
    .toString()
    .split(/(?=^From: )/m)
  expect(trace).toMatch(/^Received: from .*\r\n\tby .* \(Postroom\) with ESMTP;\r\n\t.*\r\n$/)
  expect(kept).toBe(raw('one', 'Cc: bob@example.com\n').replace(/\n/g, '\r\n'))
})

test('a reply joins the thread of the message it answers, whatever its subject', async () => {
  await send({ raw: raw('one') })
  await send({ raw: raw('two', 'In-Reply-To: <one@example.com>\n') })
  await send({ raw: raw('three', 'References: <one@example.com> <two@example.com>\n') })
  await send({ raw: raw('four') })
  const { data } = await threads()
  expect(data.map(({ message_count }) => message_count)).toEqual([1, 3])
  const methods = (await messages()).data.map(({ match }) => [match.method, match.evidence])
  expect(methods).toEqual([
    ['new', null],
    ['references', '<two@example.com>'],
    ['in_reply_to', '<one@example.com>'],
    ['new', null],
  ])
})

test('the same bytes again are the same mail, also over another relay', async () => {
  const first = await send({ raw: raw('one') })
  const again = await send({
    raw: `Received: from relay by mx; Sun, 22 Nov 2026\n\tid 7\n${raw('one')}`,
  })
  expect(again.response).toBe(first.response)
  expect((await messages()).data).toHaveLength(1)
})

test('another mail with a known Message-ID is kept, in the same thread', async () => {
  await send({ raw: raw('one') })
  await send({ raw: raw('one', '', 'Something else') })
  expect((await threads()).data).toMatchObject([{ message_count: 2 }])
})

test('one mail to two inboxes is a message in each, once', async () => {
  const { engine, owner } = world
  const sales = await createInbox.run(engine, owner, { username: 'sales' })
  await send({ to: [inbox.address, sales.address, `Sales+tag@${sales.domain}`], raw: raw('one') })
  const there = await listMessages.run(engine, owner, { ...page(), inbox_id: sales.id })
  expect(there.data).toHaveLength(1)
  expect((await messages()).data).toHaveLength(1)
})

test('an address that is not ours is refused at RCPT with 550 5.1.1', async () => {
  const sent = send({ to: 'nobody@postroom.localhost', raw: raw('one') })
  await expect(sent).rejects.toMatchObject({ responseCode: 550, command: 'RCPT TO' })
  await expect(sent).rejects.toThrow(/5\.1\.1/)
})

test('an inbox that is switched off refuses mail with 550 5.2.1', async () => {
  await updateInbox.run(world.engine, world.owner, { inbox_id: inbox.id, is_active: false })
  await expect(send({ raw: raw('one') })).rejects.toThrow(/5\.2\.1/)
})

test('many senders at once: every acknowledged mail is there, replies in their thread', async () => {
  await send({ raw: raw('root') })
  const ids = Array.from({ length: 60 }, (_, i) => `m${i}`)
  await sendAll(ids.map((id) => raw(id, 'In-Reply-To: <root@example.com>\n')))
  expect((await threads()).data).toMatchObject([{ message_count: 61 }])
})

test('a mail that cannot be parsed is kept all the same', async () => {
  const broken = `Content-Type: multipart/mixed; boundary="b"\nSubject: Odd\n\n--b\nContent-Transfer-Encoding: base64\n\n\u0000####`
  await send({ raw: broken })
  expect((await messages()).data).toHaveLength(1)
})

test('the order of arrival does not matter: late parents and siblings find each other', async () => {
  await send({ raw: raw('child-a', 'References: <gone@example.com>\n') })
  await send({ raw: raw('child-b', 'In-Reply-To: <gone@example.com>\n') })
  await send({ raw: raw('leaf', 'In-Reply-To: <late@example.com>\n') })
  const before = (await threads()).data
  expect(before.map(({ message_count }) => message_count)).toEqual([1, 2])
  await send({ raw: raw('late', 'References: <gone@example.com>\n') })
  const after = (await threads()).data
  expect(after).toMatchObject([{ id: before[1]?.id, message_count: 4, subject: 'Order child-a' }])
  const redirected = await getThread.run(world.engine, world.owner, {
    thread_id: before[0]?.id ?? '',
  })
  expect(redirected).toMatchObject({ id: before[1]?.id, message_count: 4 })
  expect(redirected.messages).toHaveLength(4)
  await send({ raw: raw('again', 'In-Reply-To: <leaf@example.com>\n') })
  expect((await threads()).data).toMatchObject([{ message_count: 5 }])
})

test('mails that arrive together are joined as if one after the other', async () => {
  const chain = Array.from({ length: 40 }, (_, i) =>
    raw(
      `c${i}`,
      `In-Reply-To: <c${(i * 7) % 40}@example.com>\nReferences: <c${i + 1}@example.com>\n`,
    ),
  )
  await sendAll(chain)
  expect((await threads()).data).toMatchObject([{ message_count: 40 }])
})

test('automatic mail waits on nobody', async () => {
  await send({ raw: raw('one', 'Auto-Submitted: auto-replied\n') })
  expect((await messages()).data).toMatchObject([{ auto_reply: 'auto_submitted' }])
  expect((await threads()).data[0]).not.toHaveProperty('waiting_on')
})

test('a deleted inbox is gone with its mail, and its address is never given out again', async () => {
  const { engine, owner } = world
  const short = await createInbox.run(engine, owner, { username: 'short' })
  await send({ to: [short.address, inbox.address], raw: raw('both') })
  await send({ to: short.address, raw: raw('mine') })
  const mine = await listMessages.run(engine, owner, { ...page(), inbox_id: short.id })
  const [{ raw_sha256: mineOnly } = { raw_sha256: '' }] = await engine.db.prisma.messages.findMany({
    where: { id: mine.data[0]?.id ?? '' },
  })
  await deleteInbox.run(engine, owner, { inbox_id: short.id })
  const [job] = await engine.db.prisma.jobs.findMany({ where: { name: 'inboxes.erase' } })
  const payload = job?.payload as Record<string, unknown>
  const about = { id: 'job_1', orgId: owner.orgId, attempt: 1, createdAt: new Date() } as const
  await eraseInbox(engine)({ ...about, payload }, new AbortController().signal)
  expect(await engine.db.prisma.messages.count({ where: { inbox_id: short.id } })).toBe(0)
  expect(await engine.blobs.has(owner.orgId, mineOnly)).toBe(false)
  const [kept] = (await messages()).data
  const shared = await getRawMessage.run(engine, owner, { message_id: kept?.id ?? '' })
  expect(Buffer.from(shared.bytes).toString()).toContain('Subject: Order both')
  await expect(send({ to: short.address, raw: raw('late') })).rejects.toThrow(/5\.1\.1/)
  await expect(createInbox.run(engine, owner, { username: 'short' })).rejects.toThrow(/taken/)
})

test('while the database is away the door says 451 and keeps nothing; the same mail is taken later', async () => {
  const { db } = world.engine
  const { urgent } = db
  db.urgent = async () => {
    throw new Error('connection lost')
  }
  await expect(send({ raw: raw('one') })).rejects.toMatchObject({ responseCode: 451 })
  db.urgent = urgent
  await send({ raw: raw('one') })
  expect((await messages()).data).toHaveLength(1)
})

test('of mails that come together, one whose bytes cannot be kept is refused alone', async () => {
  const { blobs } = world.engine
  const { put } = blobs
  blobs.put = async (orgId, sha256, bytes) => {
    if (Buffer.from(bytes).includes('Order bad')) {
      throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    }
    return put(orgId, sha256, bytes)
  }
  try {
    const raws = ['good1', 'good2', 'bad', 'good3', 'good4'].map((id) => raw(id))
    const answers = await Promise.allSettled(raws.map((one) => send({ raw: one })))
    expect(answers.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ])
    expect(answers[2]).toMatchObject({ reason: { responseCode: 452 } })
  } finally {
    blobs.put = put
  }
  const { data } = await messages()
  expect(data.map(({ subject }) => subject).sort()).toEqual(
    [1, 2, 3, 4].map((n) => `Order good${n}`),
  )
})
