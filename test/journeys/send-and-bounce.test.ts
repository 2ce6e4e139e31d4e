import { createTransport } from 'nodemailer'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type NameServer, startNameServer } from '../world/dns.ts'
import type { Json } from '../world/http.ts'
import { type Receiver, startReceiver } from '../world/receiver.ts'
import { type Remote, type Script, startRemote } from '../world/remote.ts'
import { type Server, startServer } from '../world/server.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 90_000 })
const patience = { timeout: 20_000, interval: 20 }

let names: NameServer
let server: Server
let hook: Receiver
let inbox: { id: string; address: string }
let place: Remote
const remotes: Remote[] = []

/** Somebody's own mail server, found by the MX record of the domain. */
async function domain(name: string, address: string, script: Script = {}): Promise<Remote> {
  const remote = await startRemote(script, { address, port: place.port })
  remotes.push(remote)
  names.zones.set(name, { MX: [{ exchange: `mx.${name}`, preference: 10 }] })
  names.zones.set(`mx.${name}`, { A: [address] })
  return remote
}

beforeAll(async () => {
  names = await startNameServer()
  place = await startRemote({}, { address: '127.0.2.1' })
  hook = await startReceiver()
  server = await startServer({
    OUTBOUND: 'mx',
    OUTBOUND_MX_PORT: String(place.port),
    DNS_SERVERS: names.address,
    POSTROOM_MAIL_DOMAIN: 'shop.example',
    SMTP_HOSTNAME: 'mail.shop.example',
  })
  const made = await server.call('POST', '/v1/agent/inboxes', {
    username: 'support',
    webhook_url: hook.url,
  })
  inbox = made.body
})
afterAll(async () => {
  await server?.close()
  await Promise.all([...remotes, place, names, hook].map((part) => part?.close()))
})

const post = (path: string, body: object) =>
  server.call('POST', `/v1/agent/inboxes/${inbox.id}${path}`, body)
const send = (body: object) =>
  post('/messages', { subject: 'Your order', text_body: 'It is on its way.', ...body })

/** The message, as soon as it is so. */
const becomes = (id: string, expected: object): Promise<Json> =>
  vi.waitFor(async () => {
    const { body } = await server.call('GET', `/v1/agent/inboxes/${inbox.id}/messages/${id}`)
    expect(body).toMatchObject(expected)
    return body
  }, patience)

/** What the webhook was told of a mail. */
const told = (id: string): Json[] =>
  hook.posts.map(({ body }) => JSON.parse(body)).filter(({ data }) => data.email_id === id)
const toldOf = (id: string, event: string): Promise<Json> =>
  vi.waitFor(() => {
    const found = told(id).find((one) => one.event === event)
    if (found === undefined) throw new Error(`nobody was told of ${event}`)
    return found
  }, patience)

describe('a mail to three people by their own servers', () => {
  let sent: Json
  let good: Remote

  beforeAll(async () => {
    good = await domain('good.test', '127.0.2.2', { dot: '250 2.0.0 Ok: queued as 4711' })
    await domain('strict.test', '127.0.2.3', {
      rcpt: (address) => (address.startsWith('gone') ? '550 5.1.1 No such user here' : undefined),
    })
    sent = await send({ to: ['ann@good.test', 'gone@strict.test'], cc: ['bob@strict.test'] })
  })

  test('is answered at once, and says of each what became of it', async () => {
    expect(sent.status).toBe(201)
    expect(sent.body.recipients.map((one: Json) => one.status)).toEqual([
      'queued',
      'queued',
      'queued',
    ])
    const message = await becomes(sent.body.id, { status: 'bounced' })
    expect(message.recipients).toEqual([
      {
        email: 'ann@good.test',
        status: 'delivered',
        code: 250,
        detail: '2.0.0 Ok: queued as 4711',
      },
      {
        email: 'gone@strict.test',
        status: 'bounced',
        code: 550,
        detail: '5.1.1 No such user here',
      },
      { email: 'bob@strict.test', status: 'delivered', code: 250, detail: '2.0.0 Ok: queued' },
    ])
  })

  test('goes once to each domain, as the same mail', async () => {
    const [strict] = remotes.filter(({ address }) => address === '127.0.2.3')
    expect([good.seen.length, strict?.seen.length]).toEqual([1, 1])
    expect(good.seen[0]?.raw).toBe(strict?.seen[0]?.raw)
    expect(good.seen[0]).toMatchObject({ from: inbox.address, to: ['ann@good.test'] })
    expect(good.seen[0]?.raw).toContain(`Message-ID: ${sent.body.message_id_header}`)
  })

  test('the webhook hears that it was sent, once, and who did not get it', async () => {
    const bounced = await toldOf(sent.body.id, 'email.bounced')
    expect(bounced.data).toMatchObject({
      bounce: {
        type: 'permanent',
        code: 550,
        reason: '5.1.1 No such user here',
        recipients: ['gone@strict.test'],
      },
    })
    await toldOf(sent.body.id, 'email.delivered')
    const events = told(sent.body.id).map(({ event }) => event)
    expect(events.filter((event) => event === 'email.sent')).toHaveLength(1)
    expect(events).not.toContain('email.failed')
  })

  test('who does not exist is written to no more, and the sender is told', async () => {
    const alone = await send({ to: 'gone@strict.test' })
    expect(alone.status).toBe(422)
    expect(JSON.stringify(alone.body)).toContain('gone@strict.test')
    const together = await send({ to: ['gone@strict.test', 'ann@good.test'] })
    expect(together.status).toBe(201)
    const message = await becomes(together.body.id, { status: 'delivered' })
    expect(message.recipients).toMatchObject([
      { email: 'ann@good.test', status: 'delivered' },
      { email: 'gone@strict.test', status: 'suppressed' },
    ])
  })
})

describe('a mail that was taken and comes back', () => {
  test('bounces when the report arrives, in the thread of the mail', async () => {
    await domain('later.test', '127.0.2.4')
    const { body: sent } = await send({ to: 'eve@later.test', subject: 'Come back' })
    await becomes(sent.id, { status: 'delivered' })
    const remote = remotes.find(({ address }) => address === '127.0.2.4')
    await report('eve@later.test', remote?.taken[0]?.raw ?? '')
    const message = await becomes(sent.id, { status: 'bounced' })
    expect(message.recipients).toMatchObject([
      { email: 'eve@later.test', status: 'bounced', code: 550 },
    ])
    const { data } = await toldOf(sent.id, 'email.bounced')
    expect(data.bounce.recipients).toEqual(['eve@later.test'])
    const again = await send({ to: 'eve@later.test' })
    expect(again.status).toBe(422)
  })

  /** As Postfix writes it, to the envelope's sender. RFC 3464. */
  async function report(recipient: string, original: string): Promise<void> {
    const header = original.slice(0, original.indexOf('\r\n\r\n'))
    const lines = [
      'From: MAILER-DAEMON@mx.later.test (Mail Delivery System)',
      `To: ${inbox.address}`,
      'Subject: Undelivered Mail Returned to Sender',
      'Auto-Submitted: auto-replied',
      'MIME-Version: 1.0',
      'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
      '',
      '--b',
      'Content-Type: text/plain',
      '',
      `<${recipient}>: mailbox unavailable`,
      '--b',
      'Content-Type: message/delivery-status',
      '',
      'Reporting-MTA: dns; mx.later.test',
      '',
      `Final-Recipient: rfc822; ${recipient}`,
      'Action: failed',
      'Status: 5.1.1',
      'Diagnostic-Code: smtp; 550 5.1.1 mailbox unavailable',
      '',
      '--b',
      'Content-Type: text/rfc822-headers',
      '',
      header,
      '--b--',
      '',
    ]
    const client = createTransport({ ...server.smtp, ignoreTLS: true })
    const envelope = { from: '', to: [inbox.address] }
    await client.sendMail({ envelope, raw: lines.join('\r\n') })
  }
})

test('a domain that takes no mail, and one that does not exist, are told apart and final', async () => {
  names.zones.set('null.test', { MX: [{ exchange: '.', preference: 0 }] })
  const { body } = await send({ to: ['a@null.test', 'b@nowhere.test'] })
  const message = await becomes(body.id, { status: 'bounced' })
  expect(message.recipients).toMatchObject([
    { status: 'bounced', code: 556, detail: expect.stringContaining('5.1.10') },
    { status: 'bounced', code: 550, detail: expect.stringContaining('5.1.2') },
  ])
  const { data } = await toldOf(body.id, 'email.failed')
  expect(data.reason).toContain('a@null.test')
  expect(data.reason).toContain('b@nowhere.test')
})

test('STARTTLS that is broken at their end does not keep a mail back', async () => {
  const remote = await domain('brokentls.test', '127.0.2.5', { starttls: 'garbage' })
  const { body } = await send({ to: 'a@brokentls.test' })
  await becomes(body.id, { status: 'delivered' })
  expect(remote.taken).toMatchObject([{ encrypted: false }])
})
