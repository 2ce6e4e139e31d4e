import { afterAll, beforeAll, expect, test } from 'vitest'
import { type HttpWorld, httpWorld } from '../../world/http.ts'
import { mailbox } from '../../world/mcp.ts'

let world: HttpWorld
const INBOXES = '/v1/agent/inboxes'

beforeAll(async () => {
  world = await httpWorld()
})
afterAll(() => world.close())

let made = 0
async function newInbox() {
  made += 1
  const { status, body } = await world.call('POST', INBOXES, {
    body: { username: `sender${made}` },
  })
  expect(status).toBe(201)
  return body
}

test('a mail is sent with addresses and bodies as people write them', async () => {
  const { id, address } = await newInbox()
  const send = (body: object) => world.call('POST', `${INBOXES}/${id}/messages`, { body })
  const documented = await send({
    to: [{ email: 'customer@example.com', name: 'John Doe' }],
    subject: 'Re: Your inquiry',
    text_body: 'Thank you for reaching out.',
  })
  expect(documented.status).toBe(201)
  expect(documented.body).toMatchObject({
    id: documented.body.message_id,
    direction: 'outbound',
    from: { email: address },
    to: [{ email: 'customer@example.com', name: 'John Doe' }],
    status: 'queued',
  })
  const to = [{ email: 'a@example.com' }]
  for (const short of ['a@example.com', ['a@example.com'], { email: 'a@example.com' }]) {
    const { status, body } = await send({
      to: short,
      subject: 'Short',
      text: 'Hello',
      html: '<p>Hello</p>',
    })
    expect(status).toBe(201)
    expect(body).toMatchObject({
      to,
      text_body: 'Hello',
      html_body: expect.stringContaining('Hello'),
    })
  }
})

test('somebody whose address is not ASCII is written to and answered', async () => {
  const { id, address } = await newInbox()
  const send = (body: object) => world.call('POST', `${INBOXES}/${id}/messages`, { body })
  const first = await send({
    to: '用户@例子.test',
    cc: 'jo\u0308rg@x.test',
    subject: 'Hi',
    text: 'Hi',
  })
  expect(first.status).toBe(201)
  expect(first.body).toMatchObject({
    to: [{ email: '用户@xn--fsqu00a.test' }],
    cc: [{ email: 'jörg@x.test' }],
  })
  const headers = `From: jörg@x.test\nTo: ${address}\nMessage-ID: <j1@x.test>\nIn-Reply-To: ${first.body.message_id_header}`
  const reply_to_message_id = await mailbox(world.engine)(address, headers)
  const answer = await send({ reply_to_message_id, text: 'Yes' })
  expect(answer.status).toBe(201)
  expect(answer.body).toMatchObject({
    to: [{ email: 'jörg@x.test' }],
    thread_id: first.body.thread_id,
  })
})

test('a send that cannot be is refused by field', async () => {
  const { id } = await newInbox()
  const send = async (body: object) => {
    const answer = await world.call('POST', `${INBOXES}/${id}/messages`, { body })
    expect(answer.status).toBe(400)
    return answer.body.error.details.map(({ field }: { field: string }) => field)
  }
  const mail = { to: 'a@example.com', subject: 'x' }
  expect(await send({ ...mail, text: 'a', text_body: 'b' })).toEqual(['text'])
  expect(await send({ ...mail, text: 'a', to: [{ email: 'a@example.com', nme: 'A' }] })).toEqual([
    'to.0.nme',
  ])
  expect(await send({ ...mail, text: 'a', to: ['a@example.com', 'a@b.test,c@d.test'] })).toEqual([
    'to.1',
  ])
  expect(await send(mail)).toEqual(['text_body'])
})

test('an answer stays in its thread', async () => {
  const { id, address } = await newInbox()
  const messageId = await world.receive(address, { subject: 'Question' })
  const asked = (await world.call('GET', `${INBOXES}/${id}/messages/${messageId}`)).body
  const { status, body } = await world.call('POST', `${INBOXES}/${id}/messages`, {
    body: {
      to: 'ann@example.com',
      subject: 'Re: Question',
      text: 'Yes.',
      thread_id: asked.thread_id,
    },
  })
  expect([status, body.thread_id, body.in_reply_to]).toEqual([
    201,
    asked.thread_id,
    asked.message_id_header,
  ])
})
