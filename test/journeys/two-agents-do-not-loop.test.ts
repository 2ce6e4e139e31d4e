import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Json } from '../world/http.ts'
import { type Mcp, objectOf, overHttp, textOf } from '../world/mcp.ts'
import { type Server, startServer } from '../world/server.ts'

vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 })

const patience = { timeout: 20_000, interval: 20 }
/** An agent that has not stopped by then would never stop. */
const ROUNDS = 12

let server: Server
let agent: Mcp
const inboxes: { id: string; address: string }[] = []

beforeAll(async () => {
  server = await startServer({ AGENT_SEND_POLICY: 'open', AGENT_CAPS: 'none' })
  for (const username of ['sales', 'buyer']) {
    inboxes.push((await server.call('POST', '/v1/agent/inboxes', { username })).body)
  }
  agent = await overHttp('modern', `${server.url}/mcp`, server.agentKey)
})
afterAll(async () => {
  await agent?.close()
  await server?.close()
})

const messages = async ({ id }: { id: string }): Promise<Json[]> =>
  (await server.call('GET', `/v1/agent/inboxes/${id}/messages?limit=100`)).body.data
const arrived = (inbox: { id: string }, count: number) =>
  vi.waitFor(async () => {
    const inbound = (await messages(inbox)).filter(({ direction }) => direction === 'inbound')
    expect(inbound.length).toBeGreaterThanOrEqual(count)
    return inbound
  }, patience)
const at = (n: number) => {
  const inbox = inboxes[n % 2]
  if (inbox === undefined) throw new Error('there are two inboxes')
  return inbox
}

test('an answer by an agent says that it is automatic, and no agent answers it', async () => {
  const [sales, buyer] = [at(0), at(1)]
  const first = await agent.call('send_email', {
    inbox_id: sales.id,
    to: [buyer.address],
    subject: 'An offer',
    text_body: 'Do you want it?',
  })
  expect(first.isError).toBeFalsy()
  const [offer] = await arrived(buyer, 1)
  const answer = await agent.call('send_email', {
    reply_to_message_id: offer.id,
    text_body: 'How much is it?',
  })
  expect(answer.isError, textOf(answer)).toBeFalsy()
  const [question] = await arrived(sales, 1)
  expect(question.auto_reply).toBe('auto_submitted')
  const refused = await agent.call('send_email', {
    reply_to_message_id: question.id,
    text_body: 'Ten.',
  })
  expect(refused.isError).toBe(true)
  expect(textOf(refused)).toContain('automatic_mail')
})

test('two agents that go on in their threads whatever comes are stopped, and told why', async () => {
  const { thread_id: offers } = (await messages(at(0)))[0]
  const { thread_id: questions } = (await messages(at(1)))[0]
  const threads = [offers, questions]
  let sent = 0
  const stopped: string[] = []
  for (let round = 0; round < ROUNDS; round++) {
    for (const [n, thread_id] of threads.entries()) {
      const told = await agent.call('send_email', {
        thread_id,
        to: [at(n + 1).address],
        text_body: `Round ${round}`,
      })
      if (told.isError) stopped.push(textOf(told))
      else sent += 1
    }
  }
  // Three in a row each, of which one went before.
  expect(sent).toBe(4)
  expect(stopped).toHaveLength(2 * ROUNDS - 4)
  for (const told of stopped) {
    expect(told).toContain('rate_limited')
    expect(told).toContain('nobody has answered')
  }
  await arrived(at(0), 3)
  await arrived(at(1), 3)
  for (const inbox of inboxes) expect(await messages(inbox)).toHaveLength(6)
})

test('a person who writes there sets them going again, three times', async () => {
  const [{ thread_id }] = await messages(at(0))
  const words = await server.call('POST', `/v1/agent/inboxes/${at(0).id}/messages`, {
    thread_id,
    to: [at(1).address],
    text_body: 'A person speaks.',
  })
  expect(words.status).toBe(201)
  const told = []
  for (let n = 0; n < 4; n++) {
    told.push(await agent.call('send_email', { thread_id, to: [at(1).address], text_body: 'Yes.' }))
  }
  expect(told.map(({ isError = false }) => isError)).toEqual([false, false, false, true])
  expect(objectOf<Json>(told[0] ?? { content: [] })).toMatchObject({ thread_id })
})
