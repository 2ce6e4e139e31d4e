import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Json } from '../world/http.ts'
import { unusedPort } from '../world/port.ts'
import { type Remote, type Script, startRemote } from '../world/remote.ts'
import { type Server, startServer } from '../world/server.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 90_000 })
const patience = { timeout: 30_000, interval: 20 }
/** Of OUTBOUND_RETRY_SCHEDULE. */
const STEP_MS = 2_000

let server: Server
let port: number
let relay: Remote | undefined
let inbox: { id: string; address: string }

beforeAll(async () => {
  port = await unusedPort()
  server = await startServer({
    SMTP_RELAY_URL: `smtp://127.0.0.1:${port}`,
    OUTBOUND_RETRY_SCHEDULE: '0,2,2,2,2,2,2,2',
    POSTROOM_MAIL_DOMAIN: 'shop.example',
  })
  inbox = (await server.call('POST', '/v1/agent/inboxes', { username: 'support' })).body
})
afterAll(async () => {
  await server?.close()
  await relay?.close()
})

async function relayIs(script: Script): Promise<Remote> {
  await relay?.close()
  relay = await startRemote(script, { port })
  return relay
}

const send = async (to: string | string[]): Promise<Json> => {
  const body = { to, subject: 'Your order', text_body: 'It is on its way.' }
  const sent = await server.call('POST', `/v1/agent/inboxes/${inbox.id}/messages`, body)
  expect(sent.status).toBe(201)
  return sent.body
}
const look = async (id: string): Promise<Json> =>
  (await server.call('GET', `/v1/agent/inboxes/${inbox.id}/messages/${id}`)).body
const becomes = (id: string, expected: object): Promise<Json> =>
  vi.waitFor(async () => {
    const message = await look(id)
    expect(message).toMatchObject(expected)
    return message
  }, patience)
const idOf = (raw: string) => /^Message-ID: (<.+>)/im.exec(raw)?.[1]

test('while no relay is there mail waits and says why; it leaves when the relay comes back', async () => {
  const { id, message_id_header } = await send(['ann@a.test', 'bob@b.test'])
  const waiting = await becomes(id, { status: 'deferred' })
  expect(waiting.recipients.map((one: Json) => one.detail)).toEqual([
    expect.stringMatching(/relay could not be reached.*ECONNREFUSED/),
    expect.stringMatching(/relay could not be reached.*ECONNREFUSED/),
  ])
  const { taken } = await relayIs({})
  const sent = await becomes(id, { status: 'sent' })
  expect(sent.recipients).toMatchObject([{ status: 'sent' }, { status: 'sent' }])
  expect(taken.flatMap(({ to }) => to).sort()).toEqual(['ann@a.test', 'bob@b.test'])
  expect(new Set(taken.map(({ raw }) => idOf(raw)))).toEqual(new Set([message_id_header]))
})

test('a relay that says 4xx is asked again at the time of the schedule', async () => {
  const remote = await relayIs({ mail: '451 4.3.0 try again later' })
  const { id } = await send('ann@a.test')
  const started = Date.now()
  await becomes(id, {
    status: 'deferred',
    recipients: [{ status: 'deferred', code: 451, detail: '4.3.0 try again later' }],
  })
  remote.script.mail = '250 Ok'
  await becomes(id, { status: 'sent' })
  expect(Date.now() - started).toBeGreaterThanOrEqual(STEP_MS - 500)
  expect(remote.taken).toHaveLength(1)
})

test('a line lost after the final dot: the same mail again, and the truth meanwhile', async () => {
  const remote = await relayIs({ dot: 'cut' })
  const { id, message_id_header } = await send('ann@a.test')
  const unsure = await becomes(id, { status: 'deferred' })
  expect(unsure.recipients[0].detail).toContain('may have arrived')
  remote.script.dot = '250 2.0.0 Ok'
  await becomes(id, { status: 'sent' })
  expect(remote.seen.length).toBeGreaterThanOrEqual(2)
  expect(new Set(remote.seen.map(({ raw }) => raw)).size).toBe(1)
  expect(idOf(remote.seen[0]?.raw ?? '')).toBe(message_id_header)
})

test('a relay whose TLS is broken is trouble of ours, and no bounce', async () => {
  await relayIs({ starttls: 'garbage' })
  const { id } = await send('ann@a.test')
  const waiting = await becomes(id, { status: 'deferred' })
  expect(waiting.recipients[0]).toMatchObject({ status: 'deferred', code: null })
  const remote = await relayIs({})
  await becomes(id, { status: 'sent' })
  expect(remote.taken).toHaveLength(1)
})

test('a server that is killed while the relay hangs hands the mail over after its restart', async () => {
  const remote = await relayIs({ dot: 'hang' })
  const { id } = await send('ann@a.test')
  await vi.waitFor(() => expect(remote.seen).toHaveLength(1), patience)
  await becomes(id, { status: 'sending' })
  await server.kill()
  remote.script.dot = '250 2.0.0 Ok'
  await server.restart()
  // On PostgreSQL the lease of the dead process has to run out first.
  const longer = { timeout: 58_000, interval: 100 }
  await vi.waitFor(async () => expect(await look(id)).toMatchObject({ status: 'sent' }), longer)
  expect(remote.seen.length).toBe(2)
  expect(remote.seen[1]?.raw).toBe(remote.seen[0]?.raw)
})

test('one that refuses for good is heard at once', async () => {
  await relayIs({ rcpt: '554 5.7.1 relay access denied' })
  const { id } = await send('ann@a.test')
  const bounced = await becomes(id, { status: 'bounced' })
  expect(bounced.recipients).toMatchObject([{ code: 554, detail: '5.7.1 relay access denied' }])
})
