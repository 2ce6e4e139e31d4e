import { simpleParser } from 'mailparser'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Json } from '../world/http.ts'
import { mail } from '../world/mailer.ts'
import { objectOf, overHttp } from '../world/mcp.ts'
import { startRelay } from '../world/relay.ts'
import { type Server, startServer } from '../world/server.ts'
import { startSink } from '../world/sink.ts'

interface Wire {
  host: string
  /** Every mail that was handed over, as it was on the wire. */
  taken(): Promise<string[]>
  close(): Promise<void>
}

async function ownRelay(): Promise<Wire> {
  const relay = await startRelay()
  return {
    host: relay.host,
    taken: async () => relay.taken.map(({ raw }) => raw.toString()),
    close: relay.close,
  }
}

const tools = process.env.POSTFIX_TOOLS
const patience = { timeout: 20_000, interval: 20 }
const relays: [string, () => Promise<Wire>, boolean][] = [
  ['an smtp-server relay', ownRelay, true],
  ["Debian's smtp-sink (needs POSTFIX_TOOLS)", () => startSink(tools ?? ''), tools !== undefined],
]

describe.each(relays)('with a customer behind %s', (_name, startWire, available) => {
  describe.skipIf(!available)('the conversation', () => {
    let wire: Wire
    let server: Server
    let inbox: { id: string; address: string }

    beforeAll(async () => {
      wire = await startWire()
      server = await startServer({
        SMTP_RELAY_URL: `smtp://${wire.host}`,
        POSTROOM_MAIL_DOMAIN: 'shop.example',
      })
      const made = await server.call('POST', '/v1/agent/inboxes', { username: 'support' })
      inbox = made.body
    })
    afterAll(() => Promise.all([server?.close(), wire?.close()]))

    const get = async (path: string): Promise<Json> =>
      (await server.call('GET', `/v1/agent/inboxes/${inbox.id}${path}`)).body
    const messageWith = async (messageId: string) =>
      (await get('/messages?limit=100')).data.find(
        (one: { message_id_header: string }) => one.message_id_header === messageId,
      )
    const customer = (subject: string, more: object = {}) =>
      mail(server.smtp, { from: 'Ann <ann@example.com>', to: inbox.address, subject, ...more })
    /** The mail with this Message-ID as it was on the wire. */
    const onTheWire = (messageId: string) =>
      vi.waitFor(async () => {
        const mails = await Promise.all((await wire.taken()).map((raw) => simpleParser(raw)))
        const found = mails.find((one) => one.messageId === messageId)
        if (found === undefined) throw new Error(`${messageId} was not handed over yet`)
        return found
      }, patience)

    const ids: Record<'question' | 'answer' | 'thanks' | 'closing', string> = {
      question: '',
      answer: '',
      thanks: '',
      closing: '',
    }
    let threadId: string

    test('an answer by REST names the mail it answers', async () => {
      ids.question = await customer('Where is my parcel?')
      threadId = (await messageWith(ids.question)).thread_id
      const sent = await server.call('POST', `/v1/agent/inboxes/${inbox.id}/messages`, {
        thread_id: threadId,
        to: ['ann@example.com'],
        text_body: 'It is on its way.',
      })
      expect(sent.status).toBe(201)
      expect(sent.body).toMatchObject({ thread_id: threadId, in_reply_to: ids.question })
      ids.answer = sent.body.message_id_header

      const written = await onTheWire(ids.answer)
      expect(written.inReplyTo).toBe(ids.question)
      expect([written.references].flat()).toEqual([ids.question, ids.answer])
      expect(written.subject).toBe('Re: Where is my parcel?')
      expect(written.text).toContain('It is on its way.')
    })

    test('the status says that the relay has taken it', () =>
      vi.waitFor(
        async () =>
          expect(await messageWith(ids.answer)).toMatchObject({
            status: 'sent',
            recipients: [{ email: 'ann@example.com', status: 'sent' }],
          }),
        patience,
      ))

    test("the customer's reply to that answer joins the thread", async () => {
      ids.thanks = await customer('AW: Where is my parcel?', {
        inReplyTo: ids.answer,
        references: [ids.question, ids.answer],
      })
      expect(await messageWith(ids.thanks)).toMatchObject({ thread_id: threadId })
    })

    test('an answer by MCP carries the whole chain', async () => {
      const agent = await overHttp('modern', `${server.url}/mcp`, server.agentKey)
      const told = await agent.call('send_email', { thread_id: threadId, text_body: 'Gladly.' })
      await agent.close()
      expect(told.isError, JSON.stringify(told.content)).toBeFalsy()
      const { message_id } = objectOf<{ message_id: string }>(told)
      ids.closing = (await get(`/messages/${message_id}`)).message_id_header

      const written = await onTheWire(ids.closing)
      expect(written.inReplyTo).toBe(ids.thanks)
      expect([written.references].flat()).toEqual([
        ids.question,
        ids.answer,
        ids.thanks,
        ids.closing,
      ])
      expect([written.to].flat()[0]?.text).toContain('ann@example.com')
    })

    test('a reply that kept References alone joins it too', async () => {
      const late = await customer('Re: Where is my parcel?', {
        references: [ids.question, ids.answer, ids.thanks, ids.closing],
      })
      expect(await messageWith(late)).toMatchObject({ thread_id: threadId })
    })

    test('the same subject alone joins nothing', async () => {
      const other = await customer('Re: Where is my parcel?')
      expect((await messageWith(other)).thread_id).not.toBe(threadId)
    })

    test('the thread reads from the question to the end', async () => {
      const { messages } = await get(`/threads/${threadId}`)
      expect(messages.map((one: Json) => [one.direction, one.message_id_header])).toEqual([
        ['inbound', ids.question],
        ['outbound', ids.answer],
        ['inbound', ids.thanks],
        ['outbound', ids.closing],
        ['inbound', expect.stringMatching(/^<.+>$/)],
      ])
    })

    test('an agent may not write to a stranger on its own', async () => {
      const agent = await overHttp('modern', `${server.url}/mcp`, server.agentKey)
      const told = await agent.call('send_email', {
        inbox_id: inbox.id,
        to: ['stranger@example.net'],
        subject: 'Hello',
        text_body: 'Hello.',
      })
      await agent.close()
      expect(objectOf<Json>(told)).toMatchObject({ status: 'pending_review' })
      expect(JSON.stringify(told.content)).toContain('AGENT_SEND_POLICY')
      expect((await wire.taken()).join('')).not.toContain('stranger@example.net')
    })
  })
})

describe('between two inboxes of ours', () => {
  let server: Server
  const inboxes: Record<'sales' | 'support', Json> = { sales: null, support: null }

  beforeAll(async () => {
    server = await startServer()
    for (const username of ['sales', 'support'] as const) {
      inboxes[username] = (await server.call('POST', '/v1/agent/inboxes', { username })).body
    }
  })
  afterAll(() => server?.close())

  /** The only thread of an inbox with so many messages, as soon as it has them. */
  const thread = (name: 'sales' | 'support', count: number): Promise<Json> =>
    vi.waitFor(async () => {
      const base = `/v1/agent/inboxes/${inboxes[name].id}/threads`
      const { body: list } = await server.call('GET', base)
      expect(list.data).toMatchObject([{ message_count: count }])
      return (await server.call('GET', `${base}/${list.data[0].id}`)).body
    }, patience)
  const send = (name: 'sales' | 'support', body: object) =>
    server.call('POST', `/v1/agent/inboxes/${inboxes[name].id}/messages`, body)

  test('each has a thread of its own, and both go on with the answer', async () => {
    await send('sales', {
      to: [inboxes.support.address],
      subject: 'A customer asks',
      text_body: 'Can you take this one?',
    })
    const taken = await thread('support', 1)
    expect(taken.messages).toMatchObject([
      { direction: 'inbound', text_body: expect.stringContaining('Can you take this one?') },
    ])
    const reply = { thread_id: taken.id, to: [inboxes.sales.address], text_body: 'Yes.' }
    expect((await send('support', reply)).status).toBe(201)

    const [atSales, atSupport] = [await thread('sales', 2), await thread('support', 2)]
    expect(atSales.id).not.toBe(atSupport.id)
    const shape = ({ messages }: Json) =>
      messages.map((one: Json) => [one.direction, one.message_id_header, one.in_reply_to])
    const [question, answer] = atSales.messages.map((one: Json) => one.message_id_header)
    expect(shape(atSales)).toEqual([
      ['outbound', question, null],
      ['inbound', answer, question],
    ])
    expect(shape(atSupport)).toEqual([
      ['inbound', question, null],
      ['outbound', answer, question],
    ])
  })

  test('what was handed over says that it was delivered', () =>
    vi.waitFor(async () => {
      const { messages } = await thread('sales', 2)
      expect(messages[0]).toMatchObject({ status: 'delivered', delivery: 'email' })
    }, patience))
})
