import { afterAll, beforeAll, expect, test } from 'vitest'
import { type HttpWorld, httpWorld } from '../../world/http.ts'

let world: HttpWorld
const INBOXES = '/v1/agent/inboxes'

beforeAll(async () => {
  world = await httpWorld()
})
afterAll(() => world.close())

let made = 0
async function newInbox() {
  made += 1
  const { status, body } = await world.call('POST', INBOXES, { body: { username: `box${made}` } })
  expect(status).toBe(201)
  return body
}

test('an inbox is made as in the documentation, and the secret of its webhook is shown once', async () => {
  const { status, body, headers } = await world.call('POST', INBOXES, {
    body: { username: 'support', name: 'Support Team' },
  })
  expect(status).toBe(201)
  expect(headers.get('content-type')).toBe('application/json')
  expect(body).toMatchObject({
    id: expect.stringMatching(/^inb_[0-9a-z]{26}$/),
    address: 'support@postroom.localhost',
    local_part: 'support',
    domain: 'postroom.localhost',
    display_name: 'Support Team',
    is_active: true,
    webhook_secret: expect.stringMatching(/^whsec_/),
    created_at: expect.stringMatching(/Z$/),
  })
  expect(body).not.toHaveProperty('created')
  const again = await world.call('GET', `${INBOXES}/${body.id}`)
  expect(again.body).not.toHaveProperty('webhook_secret')
})

test('the same client_id again is 200 and the same inbox; a taken address is 409', async () => {
  const body = { username: 'once', client_id: 'job 7' }
  const first = await world.call('POST', INBOXES, { body })
  const second = await world.call('POST', INBOXES, { body })
  expect([first.status, second.status]).toEqual([201, 200])
  expect(second.body.id).toBe(first.body.id)
  const taken = await world.call('POST', INBOXES, { body: { username: 'once' } })
  expect([taken.status, taken.body.error.code]).toEqual([409, 'conflict'])
})

test('an agent key gets no webhook secret', async () => {
  const { status, body } = await world.call('POST', INBOXES, {
    key: world.keys.agent,
    body: { username: 'by-agent' },
  })
  expect(status).toBe(201)
  expect(body).not.toHaveProperty('webhook_secret')
})

test('lists come in pages', async () => {
  await newInbox()
  await newInbox()
  const first = await world.call('GET', `${INBOXES}?limit=1`)
  expect(first.body.data).toHaveLength(1)
  expect(first.body.pagination).toMatchObject({ limit: 1, offset: 0 })
  const cursor = first.body.pagination.next_cursor
  const byCursor = await world.call('GET', `${INBOXES}?limit=1&cursor=${cursor}`)
  const byOffset = await world.call('GET', `${INBOXES}?limit=1&offset=1`)
  expect(byCursor.body.data).toEqual(byOffset.body.data)
  expect(first.body.data[0]).toMatchObject({ thread_count: 0, unread_thread_count: 0 })
})

test('an inbox is read and changed by its id or its address, with PATCH or PUT', async () => {
  const inbox = await newInbox()
  const patched = await world.call('PATCH', `${INBOXES}/${encodeURIComponent(inbox.address)}`, {
    body: { display_name: 'Billing', agent_prompt: 'Be brief.' },
  })
  expect(patched.body).toMatchObject({
    id: inbox.id,
    display_name: 'Billing',
    agent_prompt: 'Be brief.',
  })
  const put = await world.call('PUT', `${INBOXES}/${inbox.id}`, { body: { is_active: false } })
  expect(put.body).toMatchObject({ is_active: false, display_name: 'Billing' })
  const read = await world.call('GET', `${INBOXES}/${inbox.address.toUpperCase()}`)
  expect(read.body).toEqual(put.body)
})

test('an update that changes nothing needs no body', async () => {
  const inbox = await newInbox()
  for (const headers of [{}, { 'content-type': 'application/json' }] as const) {
    const { status } = await world.call('PATCH', `${INBOXES}/${inbox.id}`, { headers })
    expect(status).toBe(200)
  }
})

test('a deleted inbox is gone, with 204 and no body', async () => {
  const inbox = await newInbox()
  const deleted = await world.call('DELETE', `${INBOXES}/${inbox.id}`)
  expect([deleted.status, deleted.text]).toEqual([204, ''])
  expect((await world.call('GET', `${INBOXES}/${inbox.id}`)).status).toBe(404)
  expect((await world.call('DELETE', `${INBOXES}/${inbox.id}`)).status).toBe(404)
})

test('allow-list and block-list are replaced as a whole', async () => {
  const { id } = await newInbox()
  for (const list of ['allow', 'block']) {
    const entries = ['@Example.org', 'Ann@example.com', 'example.org']
    const put = await world.call('PUT', `${INBOXES}/${id}/lists/${list}`, { body: { entries } })
    expect(put.body.entries).toHaveLength(2)
    const read = await world.call('GET', `${INBOXES}/${id}/lists/${list}`)
    expect(read.body).toEqual({ entries: ['ann@example.com', 'example.org'] })
  }
  const wrong = await world.call('PUT', `${INBOXES}/${id}/lists/allow`, {
    body: { entries: ['a b'] },
  })
  expect(wrong.body.error.details[0].field).toBe('entries.0')
})

test('received mail is read as threads, messages and raw bytes', async () => {
  const { id, address } = await newInbox()
  const messageId = await world.receive(address, { subject: 'Order 7' })
  await world.receive(address, { subject: 'Reply', inReplyTo: '<Order7@example.com>' })
  const threads = await world.call('GET', `${INBOXES}/${id}/threads`)
  expect(threads.body).toMatchObject({
    data: [{ subject: 'Order 7', message_count: 2, is_read: false }],
    pagination: { total: 1, limit: 20, offset: 0 },
  })
  const [thread] = threads.body.data
  const whole = await world.call('GET', `${INBOXES}/${id}/threads/${thread.id}`)
  expect(whole.body).toMatchObject({
    ...thread,
    messages: [{ subject: 'Order 7' }, { subject: 'Reply' }],
  })
  const messages = await world.call('GET', `${INBOXES}/${id}/threads/${thread.id}/messages`)
  expect(messages.body.data).toEqual(whole.body.messages)
  const newest = await world.call('GET', `${INBOXES}/${id}/messages?direction=inbound&limit=1`)
  expect(newest.body.data[0].subject).toBe('Reply')
  const message = await world.call('GET', `${INBOXES}/${id}/messages/${messageId}`)
  expect(message.body).toMatchObject({
    id: messageId,
    from: { email: 'ann@example.com', name: 'Ann' },
  })
  const raw = await world.call('GET', `${INBOXES}/${id}/messages/${messageId}/raw`)
  expect(raw.headers.get('content-type')).toBe('message/rfc822')
  expect(raw.headers.get('content-disposition')).toContain('attachment')
  expect(raw.headers.get('x-content-type-options')).toBe('nosniff')
  expect(raw.text).toContain('Subject: Order 7\r\n')
})

test('threads and messages of all inboxes are read together', async () => {
  const [one, two] = [await newInbox(), await newInbox()]
  await world.receive(one.address, { subject: 'To one' })
  await world.receive(two.address, { subject: 'To two' })
  for (const path of ['/v1/agent/threads', '/v1/agent/messages']) {
    const { body } = await world.call('GET', `${path}?limit=2`)
    expect(body.data.map((row: { subject: string }) => row.subject)).toEqual(['To two', 'To one'])
  }
  const only = await world.call('GET', `/v1/agent/threads?inbox_id=${one.address}`)
  expect(only.body.data).toHaveLength(1)
})

test('a thread of another inbox is 400 under this one, an unknown one 404', async () => {
  const [mine, other] = [await newInbox(), await newInbox()]
  await world.receive(other.address, { subject: 'Elsewhere' })
  const [thread] = (await world.call('GET', `${INBOXES}/${other.id}/threads`)).body.data
  const crossed = await world.call('GET', `${INBOXES}/${mine.id}/threads/${thread.id}`)
  expect([crossed.status, crossed.body.error.details[0].field]).toEqual([400, 'thread_id'])
  const unknown = await world.call('GET', `${INBOXES}/${mine.id}/threads/thr_nothing`)
  expect(unknown.status).toBe(404)
})

test('who am I', async () => {
  const { status, body } = await world.call('GET', '/v1/auth/me', { key: world.keys.agent })
  expect(status).toBe(200)
  expect(body).toMatchObject({
    organization: { slug: 'first' },
    key: { name: 'agent', agent: true },
    scopes: ['inbox:read', 'inbox:write', 'email:read', 'email:write', 'email:send'],
  })
})

test('keys are made, listed by their first characters, and revoked at once', async () => {
  const keys = `/v1/organizations/${world.owner.orgId}/api-keys`
  const body = { name: 'reader', scopes: ['inbox:read'] }
  const madeKey = await world.call('POST', keys, { body })
  expect(madeKey.status).toBe(201)
  const { id, key, prefix } = madeKey.body
  expect(key).toMatch(/^ait_[0-9a-f-]{36}$/)
  const listed = await world.call('GET', keys)
  expect(listed.body.data.find((row: { id: string }) => row.id === id)).toMatchObject({ prefix })
  expect(listed.text).not.toContain(key)
  expect((await world.call('GET', INBOXES, { key })).status).toBe(200)
  expect((await world.call('DELETE', `${keys}/${id}`)).status).toBe(204)
  const after = await world.call('GET', INBOXES, { key })
  expect([after.status, after.body.error.message]).toEqual([401, 'This key was revoked.'])
})

test('a document is uploaded once, found, read and deleted', async () => {
  const { id } = await newInbox()
  const upload = () => {
    const form = new FormData()
    form.set('file', new Blob(['# Returns\n\nRefunds take 30 days.\n']), 'returns.md')
    form.set('name', 'Returns policy')
    return world.call('POST', `${INBOXES}/${id}/documents`, { body: form })
  }
  const first = await upload()
  expect(first.status).toBe(202)
  expect(first.body).toMatchObject({ name: 'Returns policy', status: 'processing' })
  expect(first.body).not.toHaveProperty('created')
  const second = await upload()
  expect([second.status, second.body.id]).toEqual([200, first.body.id])
  const listed = await world.call('GET', `${INBOXES}/${id}/documents`)
  expect(listed.body.data).toHaveLength(1)
  const document = `${INBOXES}/${id}/documents/${first.body.id}`
  expect((await world.call('GET', document)).body.id).toBe(first.body.id)
  const search = await world.call('GET', `${INBOXES}/${id}/documents/search?q=refunds`)
  expect(search.body).toMatchObject({ query: 'refunds', mode: 'lexical', data: expect.any(Array) })
  const context = await world.call('GET', `${INBOXES}/${id}/documents/context?q=refunds`)
  expect(context.body).toMatchObject({ query: 'refunds', count: expect.any(Number) })
  for (const path of ['', '/search?q=refunds', '/context?q=refunds']) {
    expect((await world.call('GET', `/v1/agent/documents${path}`)).status).toBe(200)
  }
  expect((await world.call('DELETE', document)).status).toBe(204)
  expect((await world.call('GET', document)).status).toBe(404)
})

test('the deliveries of webhooks are listed', async () => {
  const { id } = await newInbox()
  const { status, body } = await world.call('GET', `${INBOXES}/${id}/webhooks/deliveries`)
  expect([status, body.data]).toEqual([200, []])
})
