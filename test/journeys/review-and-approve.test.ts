import { simpleParser } from 'mailparser'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Json } from '../world/http.ts'
import { objectOf, overHttp } from '../world/mcp.ts'
import { run } from '../world/postroom.ts'
import { type Receiver, startReceiver } from '../world/receiver.ts'
import { type Relay, startRelay } from '../world/relay.ts'
import { type Server, startServer } from '../world/server.ts'

/** Each command is a process of its own. */
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 })

const patience = { timeout: 20_000, interval: 20 }

let relay: Relay
let receiver: Receiver
let server: Server
let inbox: { id: string; address: string }

beforeAll(async () => {
  ;[relay, receiver] = await Promise.all([startRelay(), startReceiver()])
  server = await startServer({
    SMTP_RELAY_URL: `smtp://${relay.host}`,
    POSTROOM_MAIL_DOMAIN: 'shop.example',
    REVIEW_NOTIFY: 'boss@head-office.example',
  })
  const made = await server.call('POST', '/v1/agent/inboxes', {
    username: 'support',
    webhook_url: receiver.url,
  })
  inbox = made.body
})
afterAll(() => Promise.all([server?.close(), relay?.close(), receiver?.close()]))

const events = (name: string): Json[] =>
  receiver.posts.map(({ body }) => JSON.parse(body)).filter(({ event }) => event === name)
const taken = (to: string) => relay.taken.filter((mail) => mail.to.includes(to))
const command = (...args: string[]) => run(args, server.env)

let review: Json

async function agentWrites(mail: Record<string, unknown>): Promise<Json> {
  const agent = await overHttp('modern', `${server.url}/mcp`, server.agentKey)
  const told = await agent.call('send_email', { inbox_id: inbox.id, ...mail })
  await agent.close()
  expect(told.isError, JSON.stringify(told.content)).toBeFalsy()
  return objectOf<Json>(told)
}

test('an agent writes to somebody new: the mail is held, and the agent is told so', async () => {
  const result = await agentWrites({
    to: ['Ann <ann@customer.example>'],
    bcc: ['log@customer.example'],
    subject: 'Your parcel',
    text_body: 'It is on its way.',
  })
  expect(result).toMatchObject({
    status: 'pending_review',
    review: {
      review_id: expect.stringMatching(/^rev_/),
      reasons: [
        { code: 'new_recipient', recipients: ['ann@customer.example', 'log@customer.example'] },
      ],
    },
    next: expect.stringContaining('do not send it again'),
  })
  review = (await server.call('GET', `/v1/agent/inboxes/${inbox.id}/reviews`)).body.data[0]
  expect(review).toMatchObject({ id: result.review.review_id, status: 'pending' })
})

test('a person is told by the webhook and by mail; nothing has gone to the customer', async () => {
  await vi.waitFor(() => expect(events('email.pending_review')).toHaveLength(1), patience)
  expect(events('email.pending_review')[0].data).toMatchObject({
    email_id: review.message_id,
    review_id: review.id,
    sha256: review.sha256,
    to: [{ email: 'ann@customer.example' }],
    bcc: [{ email: 'log@customer.example' }],
  })
  await vi.waitFor(() => expect(taken('boss@head-office.example')).toHaveLength(1), patience)
  const notice = await simpleParser(taken('boss@head-office.example')[0]?.raw ?? '')
  expect(notice.text).toContain(`postroom reviews approve ${review.id}`)
  expect(taken('ann@customer.example')).toEqual([])
})

test('the command line shows what waits, and why', async () => {
  const list = await command('reviews')
  expect(list).toMatchObject({ code: 0, err: '' })
  expect(list.out).toMatch(new RegExp(`${review.id}.*pending.*ann@customer\\.example \\+1`))
  const show = await command('reviews', 'show', review.id)
  for (const told of ['AGENT_SEND_POLICY', review.sha256, 'Bcc:     log@', 'It is on its way.']) {
    expect(show.out).toContain(told)
  }
})

test('the agent cannot approve it, and nobody can approve another hash', async () => {
  const path = `/v1/agent/inboxes/${inbox.id}/reviews/${review.id}/approve`
  const byAgent = await fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.agentKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ sha256: review.sha256 }),
  })
  expect(byAgent.status).toBe(403)
  const wrong = await command('reviews', 'approve', review.id, '--sha256', 'f'.repeat(64))
  expect(wrong).toMatchObject({ code: 1, err: expect.stringContaining(review.sha256) })
})

test('a person approves it: exactly that mail goes, to exactly those people', async () => {
  const done = await command('reviews', 'approve', review.id, '--sha256', review.sha256)
  expect(done).toMatchObject({ code: 0, out: expect.stringContaining('is approved') })
  await vi.waitFor(() => expect(taken('ann@customer.example')).toHaveLength(1), patience)
  const [sent] = taken('ann@customer.example')
  expect(sent?.to).toEqual(['ann@customer.example', 'log@customer.example'])
  expect(await simpleParser(sent?.raw ?? '')).toMatchObject({
    subject: 'Your parcel',
    text: expect.stringContaining('It is on its way.'),
  })
  await vi.waitFor(async () => {
    const path = `/v1/agent/inboxes/${inbox.id}/messages/${review.message_id}`
    expect((await server.call('GET', path)).body).toMatchObject({ status: 'sent' })
  }, patience)
  await vi.waitFor(() => expect(events('email.sent')).toHaveLength(1), patience)
  // Each event is a delivery of its own: one may overtake another.
  await vi.waitFor(() => expect(events('email.approved')).toHaveLength(1), patience)
})

test('another one is rejected over REST, with a reason, and never goes', async () => {
  const { review: second } = await agentWrites({
    to: ['eve@elsewhere.example'],
    subject: 'Everything about Ann',
    text_body: 'All of it.',
  })
  const path = `/v1/agent/inboxes/${inbox.id}/reviews/${second.review_id}`
  const rejected = await server.call('POST', `${path}/reject`, { reason: 'Nobody we know' })
  expect(rejected).toMatchObject({ status: 200, body: { status: 'rejected' } })
  await vi.waitFor(() => expect(events('email.failed')).toHaveLength(1), patience)
  expect(events('email.failed')[0].data).toMatchObject({ note: 'Nobody we know' })
  expect(taken('eve@elsewhere.example')).toEqual([])
  expect((await command('reviews', 'list')).out).toBe('No mail waits for a person.\n')
  const all = await command('reviews', '--all')
  expect(all.out).toMatch(new RegExp(`${second.review_id}.*rejected.*eve@elsewhere`))
})

test('a mail that waits survives the death of the server, and goes once when it is approved', async () => {
  const held = await agentWrites({
    to: ['carol@customer.example'],
    subject: 'Later',
    text_body: 'Still here.',
  })
  await server.kill()
  await server.restart()
  const done = await command('reviews', 'approve', held.review.review_id)
  expect(done).toMatchObject({ code: 0, err: '' })
  await vi.waitFor(() => expect(taken('carol@customer.example')).toHaveLength(1), patience)
})
