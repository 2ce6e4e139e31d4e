import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type HttpWorld, httpWorld, type Json } from '../../world/http.ts'

let world: HttpWorld
let base: string
let made = 0

beforeAll(async () => {
  world = await httpWorld()
  Object.assign(world.engine.settings, { outbound: 'relay', mailDomain: 'ours.test' })
})
beforeEach(async () => {
  made += 1
  const { body } = await world.call('POST', '/v1/agent/inboxes', {
    body: { username: `waits${made}` },
  })
  base = `/v1/agent/inboxes/${body.id}`
})
afterAll(() => world.close())

const mail = { to: 'ann@x.test', subject: 'Hello', text_body: 'Hi' }
const send = (body: object = mail, key = world.keys.agent) =>
  world.call('POST', `${base}/messages`, { key, body })

async function hold(): Promise<Json> {
  const held = await send()
  expect(held.status).toBe(202)
  const { body } = await world.call('GET', `${base}/reviews?status=pending`)
  expect(body.data).toHaveLength(1)
  return body.data[0]
}

test('a mail that is held is answered 202 with its review and its reasons', async () => {
  const { status, body } = await send()
  expect(status).toBe(202)
  expect(body).toEqual({
    id: expect.stringMatching(/^msg_/),
    message_id: body.id,
    thread_id: expect.stringMatching(/^thr_/),
    review_id: expect.stringMatching(/^rev_/),
    status: 'pending_review',
    reasons: [
      {
        code: 'new_recipient',
        message: expect.stringContaining('AGENT_SEND_POLICY is "review-new"'),
        fix: expect.stringContaining('/lists/allow'),
        recipients: ['ann@x.test'],
      },
    ],
    expires_at: expect.stringMatching(/^\d{4}-.*Z$/),
  })
})

test('a check says allow, review or deny, and takes the same body', async () => {
  const check = (body: object, key?: string) =>
    world.call('POST', `${base}/messages/check`, { body, ...(key && { key }) })
  const allowed = await check(mail)
  expect(allowed).toMatchObject({ status: 200, body: { verdict: 'allow', reasons: [] } })
  const held = await check(mail, world.keys.agent)
  expect(held.body).toMatchObject({ verdict: 'review', reasons: [{ code: 'new_recipient' }] })
  await world.call('PUT', `${base}/lists/block`, { body: { entries: ['x.test'] } })
  const denied = await check(mail)
  expect(denied.body).toMatchObject({ verdict: 'deny', reasons: [{ code: 'blocked' }] })
  const wrong = await check({ ...mail, to: 'a@ok.test,evil@z.test' })
  expect(wrong).toMatchObject({ status: 400, body: { error: { details: [{ field: 'to' }] } } })
  const { body } = await world.call('GET', `${base}/messages`)
  expect(body.pagination.total).toBe(0)
})

test('a person approves by the hash; another hash is 409 and none is 400', async () => {
  const { id, sha256, message_id } = await hold()
  const approve = (body: object, key?: string) =>
    world.call('POST', `${base}/reviews/${id}/approve`, { body, ...(key && { key }) })
  expect((await approve({})).body.error.details).toMatchObject([{ field: 'sha256' }])
  const other = await approve({ sha256: 'f'.repeat(64) })
  expect(other).toMatchObject({ status: 409, body: { error: { code: 'conflict' } } })
  const byAgent = await approve({ sha256 }, world.keys.agent)
  expect(byAgent.status).toBe(403)
  expect(byAgent.body.error.message).toContain('review:resolve')
  const done = await approve({ sha256 })
  expect(done).toMatchObject({
    status: 200,
    body: {
      id,
      status: 'approved',
      resolved_at: expect.any(String),
      message: { id: message_id, status: 'queued' },
    },
  })
  expect((await approve({ sha256 })).status).toBe(409)
})

test('or rejects with a reason, which the message shows', async () => {
  const { id, message_id } = await hold()
  const done = await world.call('POST', `${base}/reviews/${id}/reject`, {
    body: { reason: 'Not to her' },
  })
  expect(done).toMatchObject({ status: 200, body: { status: 'rejected', note: 'Not to her' } })
  const { body } = await world.call('GET', `${base}/messages/${message_id}`)
  expect(body).toMatchObject({
    status: 'rejected',
    recipients: [{ status: 'cancelled', detail: expect.stringContaining('Not to her') }],
  })
})

test('what waits is listed for the whole organization, to people only', async () => {
  const { id } = await hold()
  const { body: me } = await world.call('GET', '/v1/auth/me')
  const path = `/v1/organizations/${me.organization.id}/reviews?status=pending`
  const all = await world.call('GET', path)
  expect(all.body.data.map((one: Json) => one.id)).toContain(id)
  expect((await world.call('GET', path, { key: world.keys.agent })).status).toBe(403)
  expect((await world.call('GET', `${base}/reviews?status=open`)).status).toBe(400)
})

test('a key of one inbox sees its reviews only, and another organization sees none', async () => {
  const { id } = await hold()
  const other = await world.call('POST', '/v1/agent/inboxes', { body: { username: `o${made}` } })
  const key = await world.keyOf(world.owner.orgId, {
    scopes: ['review:resolve'],
    inboxIds: [other.body.id],
  })
  expect((await world.call('GET', `${base}/reviews/${id}`, { key })).status).toBe(404)
  const stranger = await world.newOrganization(`strange-${made}`)
  const seen = await world.call('GET', `${base}/reviews/${id}`, { key: stranger.key })
  expect(seen.status).toBe(404)
})

test('an organization sets its canary words and caps; a mail with such a word is held for everybody', async () => {
  const { body: me } = await world.call('GET', '/v1/auth/me')
  const path = `/v1/organizations/${me.organization.id}`
  const patch = (body: object, key?: string) =>
    world.call('PATCH', path, { body, ...(key && { key }) })
  const set = await patch({ canary_words: ['Blue Heron'], send_caps: '100/m' })
  expect(set).toMatchObject({
    status: 200,
    body: { canary_words: ['Blue Heron'], send_caps: '100/m' },
  })
  const held = await send({ ...mail, text_body: 'About the BLUE heron' }, world.keys.first)
  expect(held).toMatchObject({ status: 202, body: { reasons: [{ code: 'leak' }] } })
  expect((await patch({ canary_words: ['ab'] })).status).toBe(400)
  expect((await patch({ send_caps: '10/h' })).body.error.details).toMatchObject([
    { field: 'send_caps' },
  ])
  expect((await patch({ canary_words: [] }, world.keys.agent)).status).toBe(403)
  await patch({ canary_words: [], send_caps: null })
})

test('a cap is 429 and says when to come again', async () => {
  Object.assign(world.engine.settings, { agentCaps: '1/m' })
  const key = await world.keyOf(world.owner.orgId, { scopes: ['email:send'], agent: true })
  expect((await send(mail, key)).status).toBe(202)
  const limited = await send(mail, key)
  Object.assign(world.engine.settings, { agentCaps: 'none' })
  expect(limited).toMatchObject({ status: 429, body: { error: { code: 'rate_limited' } } })
  const seconds = Number(limited.headers.get('retry-after'))
  expect(seconds).toBeGreaterThan(0)
  expect(seconds).toBeLessThanOrEqual(60)
})
