import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type HttpWorld, httpWorld } from '../../world/http.ts'

let world: HttpWorld
let inbox: { id: string; address: string }
const INBOXES = '/v1/agent/inboxes'
const SOON = () => new Date(Date.now() + 3_600_000).toISOString().replace(/\.\d+Z$/, '.000Z')

beforeAll(async () => {
  world = await httpWorld()
  inbox = (await world.call('POST', INBOXES, { body: { username: 'safe' } })).body
})
afterAll(() => world.close())

const mail = { to: 'ann@example.com', subject: 'Hello', text: 'Hi' }
const path = (rest: string) => `${INBOXES}/${inbox.id}${rest}`
const send = (body: object, key?: string) =>
  world.call('POST', path('/messages'), {
    body,
    ...(key === undefined ? {} : { headers: { 'Idempotency-Key': key } }),
  })
const count = async () => (await world.call('GET', path('/messages'))).body.pagination.total

describe('Idempotency-Key', () => {
  test('gives the same status and the same bytes again, and says so', async () => {
    const first = await send(mail, 'order-17')
    expect([first.status, first.headers.get('idempotent-replayed')]).toEqual([201, null])
    const before = await count()
    const again = await send(mail, 'order-17')
    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([201, 'true'])
    expect(again.text).toBe(first.text)
    const inBody = await send({ ...mail, idempotency_key: 'order-17' })
    expect(inBody.text).toBe(first.text)
    expect(await count()).toBe(before)
  })

  test('of twenty at once is one mail', async () => {
    const before = await count()
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(mail, 'burst')))
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(201))
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    const replays = answers.filter(({ headers }) => headers.get('idempotent-replayed') === 'true')
    expect(replays).toHaveLength(19)
    expect(await count()).toBe(before + 1)
  })

  test('with another body is 409', async () => {
    await send(mail, 'taken')
    const other = await send({ ...mail, subject: 'Other' }, 'taken')
    expect([other.status, other.body.error.code]).toEqual([409, 'conflict'])
    expect(other.body.error.details[0].field).toBe('idempotency_key')
  })

  test('is one in the header and the body, and short', async () => {
    const both = await send({ ...mail, idempotency_key: 'one' }, 'two')
    expect([both.status, both.body.error.details]).toEqual([
      400,
      [{ field: 'idempotency_key', message: 'is "two" in the header' }],
    ])
    expect((await send({ ...mail, idempotency_key: 'same' }, 'same')).status).toBe(201)
    expect((await send(mail, 'x'.repeat(256))).body.error.details[0].field).toBe('idempotency_key')
  })

  test('replays what is held as held', async () => {
    world.engine.settings.outbound = 'relay'
    world.engine.settings.mailDomain = 'ours.test'
    const { id } = (await world.call('POST', INBOXES, { body: { username: 'held' } })).body
    const ask = () =>
      world.call('POST', `${INBOXES}/${id}/messages`, {
        body: mail,
        key: world.keys.agent,
        headers: { 'Idempotency-Key': 'held' },
      })
    const first = await ask()
    expect([first.status, first.body.status]).toEqual([202, 'pending_review'])
    const again = await ask()
    expect([again.status, again.text]).toEqual([202, first.text])
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    world.engine.settings.outbound = 'dry-run'
  })
})

test('a trial is answered with the verdict, and stores nothing', async () => {
  const before = await count()
  const { status, body } = await send({ ...mail, dry_run: true })
  expect([status, body.verdict]).toEqual([200, 'allow'])
  expect(await count()).toBe(before)
  expect((await send({ ...mail, to: 'nobody', dry_run: true })).status).toBe(400)
})

test('an answer to a thread that moved is 409 and shows what is new', async () => {
  const first = await world.receive(inbox.address, { subject: 'Moved' })
  const asked = (await world.call('GET', path(`/messages/${first}`))).body
  const second = await world.receive(inbox.address, {
    subject: 'Moved on',
    inReplyTo: asked.message_id_header,
  })
  const reply = { thread_id: asked.thread_id, text: 'Yes.' }
  const late = await send({ ...reply, if_last_message_id: first })
  expect([late.status, late.body.error.code]).toEqual([409, 'thread_moved'])
  expect(late.body.error.newer_messages).toMatchObject([
    { id: second, new_text: expect.stringContaining('Text of Moved on') },
  ])
  expect(late.body.error.details[0].field).toBe('if_last_message_id')
  expect((await send({ ...reply, if_last_message_id: second })).status).toBe(201)
})

describe('a mail for later', () => {
  const planned = async () => (await send({ ...mail, send_at: SOON() })).body

  test('is scheduled, moved, called off', async () => {
    const { id, status, send_at } = await planned()
    expect([status, typeof send_at]).toEqual(['scheduled', 'string'])
    const { data } = (await world.call('GET', path('/messages?status=scheduled'))).body
    expect(data.map((one: { id: string }) => one.id)).toEqual([id])
    const next = '2027-01-01T08:00:00.000Z'
    const moved = await world.call('PATCH', path(`/messages/${id}`), { body: { send_at: next } })
    expect([moved.status, moved.body.send_at]).toEqual([200, next])
    const off = await world.call('POST', path(`/messages/${id}/cancel`))
    expect([off.status, off.body.status]).toEqual([200, 'cancelled'])
    const late = await world.call('PATCH', path(`/messages/${id}`), { body: { send_at: next } })
    expect([late.status, late.body.error.code]).toEqual([409, 'conflict'])
  })

  test('is refused by name where the hour is wrong', async () => {
    const before = await count()
    for (const send_at of ['2020-01-01T00:00:00Z', 'tomorrow', '2026-12-01']) {
      const { status, body } = await send({ ...mail, send_at })
      expect([status, body.error.details[0].field]).toEqual([400, 'send_at'])
    }
    expect(await count()).toBe(before)
    const { id } = await planned()
    const nothing = await world.call('PATCH', path(`/messages/${id}`), { body: {} })
    expect(nothing.body.error.details).toEqual([{ field: 'send_at', message: 'is required' }])
  })

  test('is moved and called off only by who may send', async () => {
    const { id } = await planned()
    const key = await world.keyOf(world.owner.orgId, { scopes: ['email:read', 'email:write'] })
    const off = await world.call('POST', path(`/messages/${id}/cancel`), { key })
    expect([off.status, off.body.error.code]).toEqual([403, 'forbidden'])
  })
})

describe('drafts', () => {
  test('are made, listed, changed, sent once, and shown as sent', async () => {
    const made = await world.call('POST', path('/drafts'), {
      body: { ...mail, cc: 'b@example.com' },
    })
    expect([made.status, made.body]).toMatchObject([
      201,
      { kind: 'new', status: 'draft', text_body: 'Hi', would: { verdict: 'allow' } },
    ])
    const one = path(`/drafts/${made.body.id}`)
    for (const listing of [path('/drafts'), '/v1/agent/drafts']) {
      const { body } = await world.call('GET', listing)
      expect(body).toMatchObject({
        data: [{ id: made.body.id }],
        pagination: { total: 1, limit: 20 },
      })
    }
    const changed = await world.call('PATCH', one, { body: { subject: 'Second', cc: [] } })
    expect([changed.status, changed.body]).toMatchObject([200, { subject: 'Second', cc: [] }])
    const sent = await world.call('POST', `${one}/send`)
    expect([sent.status, sent.body]).toMatchObject([201, { subject: 'Second', status: 'queued' }])
    const again = await world.call('POST', `${one}/send`)
    expect([again.status, again.body.id]).toEqual([201, sent.body.id])
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    const after = await world.call('GET', one)
    expect(after.body).toMatchObject({ status: 'sent', message_id: sent.body.id })
    expect((await world.call('GET', path('/drafts'))).body.data).toEqual([])
    expect((await world.call('PATCH', one, { body: { subject: 'x' } })).status).toBe(409)
  })

  test('are thrown away with 204', async () => {
    const { id } = (await world.call('POST', path('/drafts'), { body: {} })).body
    const gone = await world.call('DELETE', path(`/drafts/${id}`))
    expect([gone.status, gone.text]).toEqual([204, ''])
    expect((await world.call('GET', path(`/drafts/${id}`))).status).toBe(404)
  })

  test('are refused by name, and need their scopes', async () => {
    const bad = async (body: object) =>
      (await world.call('POST', path('/drafts'), { body })).body.error.details[0].field
    expect(await bad({ ...mail, to: 'a@b.test,c@d.test' })).toBe('to')
    expect(await bad({ ...mail, idempotency_key: 'x' })).toBe('idempotency_key')
    const wrong = await world.call('POST', path('/drafts'), { body: { thread_id: 'thr_nothing' } })
    expect(wrong.status).toBe(404)
    const { id } = (await world.call('POST', path('/drafts'), { body: mail })).body
    const kind = { reply_to_message_id: 'msg_x' }
    expect((await world.call('PATCH', path(`/drafts/${id}`), { body: kind })).status).toBe(400)
    const key = await world.keyOf(world.owner.orgId, { scopes: ['email:read'] })
    expect((await world.call('GET', path(`/drafts/${id}`), { key })).status).toBe(200)
    expect((await world.call('POST', path('/drafts'), { key, body: mail })).status).toBe(403)
    expect((await world.call('POST', path(`/drafts/${id}/send`), { key })).status).toBe(403)
  })
})
