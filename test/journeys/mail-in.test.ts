import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { mail } from '../world/mailer.ts'
import { CLIENTS, objectOf, overHttp, textOf } from '../world/mcp.ts'
import { type Post, type Receiver, startReceiver } from '../world/receiver.ts'
import { type Server, startServer } from '../world/server.ts'
import { PROVEN, proofsOf } from '../world/signatures.ts'

let server: Server
let receiver: Receiver
let inbox: { id: string; address: string; webhook_secret: string }
let messageId: string

beforeAll(async () => {
  ;[server, receiver] = await Promise.all([startServer(), startReceiver()])
  const made = await server.call('POST', '/v1/agent/inboxes', {
    username: 'support',
    name: 'Support',
    webhook_url: receiver.url,
  })
  expect(made.status).toBe(201)
  inbox = made.body
  messageId = await mail(server.smtp, {
    from: 'Ann Ågren <ann@example.com>',
    to: inbox.address,
    subject: 'Grüße: where is my parcel?',
    text: 'Hello,\n\nmy parcel 4711 has not come. Where is it?\n\nAnn\n',
  })
  await receiver.received(2)
})
afterAll(() => Promise.all([server?.close(), receiver?.close()]))

async function onlyThread() {
  const { body } = await server.call('GET', `/v1/agent/inboxes/${inbox.id}/threads`)
  expect(body.pagination.total).toBe(1)
  return body.data[0]
}

test('a mail becomes a thread that waits for us', async () => {
  const thread = await onlyThread()
  expect(thread).toMatchObject({
    subject: 'Grüße: where is my parcel?',
    message_count: 1,
    is_read: false,
    waiting_on: 'us',
  })
  const { body } = await server.call(
    'GET',
    `/v1/agent/inboxes/${inbox.address}/threads/${thread.id}`,
  )
  expect(body.messages).toMatchObject([
    {
      direction: 'inbound',
      status: 'received',
      from: { email: 'ann@example.com', name: 'Ann Ågren' },
      to: [{ email: inbox.address }],
      message_id_header: messageId,
      text_body: expect.stringContaining('my parcel 4711 has not come'),
    },
  ])
})

test('its bytes are kept as they came', async () => {
  const { body } = await server.call('GET', `/v1/agent/inboxes/${inbox.id}/messages`)
  const raw = await server.bytes(`/v1/agent/inboxes/${inbox.id}/messages/${body.data[0].id}/raw`)
  expect(raw.toString()).toContain(`Message-ID: ${messageId}\r\n`)
  expect(raw.toString()).toContain('my parcel 4711 has not come. Where is it?\r\n')
})

describe('the webhooks', () => {
  const events = () => receiver.posts.map(({ body }) => JSON.parse(body))

  test('tell of the thread first, then of the mail', async () => {
    const thread = await onlyThread()
    expect(events()).toMatchObject([
      { event: 'thread.created', data: { thread_id: thread.id, inbox_id: inbox.id } },
      {
        event: 'email.received',
        data: {
          email_id: thread.last_message_id,
          thread_id: thread.id,
          inbox_id: inbox.id,
          from: { email: 'ann@example.com', name: 'Ann Ågren' },
          subject: 'Grüße: where is my parcel?',
          text_body: expect.stringContaining('my parcel 4711'),
          message_id_header: messageId,
        },
      },
    ])
  })

  test('are proven by both signatures and by Standard Webhooks', () => {
    expect(receiver.posts.map((post) => proofsOf(post, inbox.webhook_secret))).toEqual([
      PROVEN,
      PROVEN,
    ])
  })

  test('prove nothing once a byte of them is another, nor with another secret', () => {
    const [, post] = receiver.posts as [Post, Post]
    const nothing = { aithreads: false, agentsend: false, standard: false }
    const altered = { ...post, body: post.body.replace('4711', '4712') }
    expect(proofsOf(altered, inbox.webhook_secret)).toEqual(nothing)
    const secret = `whsec_${Buffer.alloc(32).toString('base64')}`
    expect(proofsOf(post, secret)).toEqual(nothing)
  })

  test('are listed with the attempt that succeeded', async () => {
    const { body } = await server.call('GET', `/v1/agent/inboxes/${inbox.id}/webhooks/deliveries`)
    const ids = receiver.posts.map(({ headers }) => headers['webhook-id'])
    expect(body.data.map((row: { event_id: string }) => row.event_id).sort()).toEqual(ids.sort())
    for (const row of body.data) {
      expect(row).toMatchObject({ status: 'delivered', attempts: [{ http_status: 200 }] })
    }
  })
})

test.each(CLIENTS)('an agent reads it over MCP (%s client)', async (kind) => {
  const agent = await overHttp(kind, `${server.url}/mcp`, server.agentKey)
  const thread = await onlyThread()
  const told = await agent.call('get_thread_messages', { thread_id: thread.id })
  expect(told.isError).toBeFalsy()
  const { messages } = objectOf<{ messages: object[] }>(told)
  expect(messages).toMatchObject([
    {
      message_id: thread.last_message_id,
      direction: 'inbound',
      text: expect.stringContaining('my parcel 4711 has not come'),
    },
  ])
  expect(textOf(told)).toContain('my parcel 4711 has not come')
  await agent.close()
})

test('a mail for nobody is refused at RCPT and leaves nothing behind', async () => {
  const letter = { from: 'ann@example.com', to: 'nobody@postroom.localhost', subject: 'Lost' }
  await expect(mail(server.smtp, letter)).rejects.toMatchObject({
    responseCode: 550,
    command: 'RCPT TO',
  })
  const { body } = await server.call('GET', '/v1/agent/messages')
  expect(body.pagination.total).toBe(1)
})
