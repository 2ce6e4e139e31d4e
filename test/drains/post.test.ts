import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createPoster, type PosterOptions } from '../../src/drains/post.ts'
import { type Receiver, startReceiver } from '../world/receiver.ts'

let receiver: Receiver
beforeEach(async () => {
  receiver = await startReceiver()
})
afterEach(() => receiver.close())

const CLOSED = { allowPrivate: 'false', listensOnLoopback: true } as const
const AUTO = { allowPrivate: 'auto', listensOnLoopback: true } as const
const OPEN = { allowPrivate: 'true', listensOnLoopback: false } as const

function post(url: string, options: PosterOptions, timeoutMs = 5_000) {
  const headers = { 'content-type': 'application/json', 'x-test': 'yes' }
  return createPoster(options).post({ url, headers, body: '{"a":"ü"}', timeoutMs })
}

test('a POST arrives with its headers and exactly its bytes, and the answer comes back', async () => {
  receiver.answer((response) => response.writeHead(201).end('made'))
  const result = await post(receiver.url, AUTO)
  expect(result).toMatchObject({ kind: 'answered', status: 201, body: 'made' })
  expect(receiver.posts).toMatchObject([
    { path: '/hook', body: '{"a":"ü"}', headers: { 'x-test': 'yes', 'content-length': '10' } },
  ])
})

test.each([
  'http://127.0.0.1',
  'http://127.1',
  'http://2130706433',
  'http://0x7f.0.0.1',
  'http://017700000001',
  'http://127.0.0.1.',
  'http://[::1]',
  'http://[::ffff:7f00:1]',
  'http://[::ffff:127.0.0.1]',
  'http://0.0.0.0',
  'http://0',
  'http://[::]',
  'http://localhost',
  'http://LOCALHOST.',
])('%s is loopback, and nothing is dialled', async (origin) => {
  const url = `${origin}:${receiver.port}/`
  expect(await post(url, CLOSED)).toMatchObject({ kind: 'forbidden' })
  const verdict = await createPoster(CLOSED).allowed(url)
  expect(verdict).toMatchObject({ ok: false, reason: /WEBHOOK_ALLOW_PRIVATE/ })
  expect(receiver.posts).toEqual([])
})

test.each([
  ['private', 'http://10.0.0.1/'],
  ['private', 'http://172.31.255.255/'],
  ['private', 'http://192.168.1.1/'],
  ['CGNAT', 'http://100.64.0.1/'],
  ['link-local', 'http://169.254.1.1/'],
  ['metadata', 'http://169.254.169.254/latest/meta-data/'],
  ['metadata', 'http://168.63.129.16/'],
  ['metadata', 'http://100.100.100.200/'],
  ['benchmarking', 'http://198.18.0.1/'],
  ['multicast', 'http://224.0.0.1/'],
  ['broadcast', 'http://255.255.255.255/'],
  ['unique local', 'http://[fd00:ec2::254]/'],
  ['link-local', 'http://[fe80::1]/'],
  ['NAT64', 'http://[64:ff9b::7f00:1]/'],
  ['NAT64 of a network', 'http://[64:ff9b:1::a00:1]/'],
  ['6to4', 'http://[2002:7f00:1::]/'],
  ['Teredo', 'http://[2001::1]/'],
  ['mapped private', 'http://[::ffff:10.0.0.1]/'],
  ['IPv4-compatible', 'http://[::7f00:1]/'],
  ['multicast', 'http://[ff02::1]/'],
])('a %s address is refused, also with auto: %s', async (_kind, url) => {
  expect(await createPoster(AUTO).allowed(url)).toMatchObject({ ok: false })
  expect(await post(url, AUTO)).toMatchObject({ kind: 'forbidden' })
})

test.each(['http://93.184.215.14/', 'https://[2606:4700::1111]/x'])(
  '%s is allowed',
  async (url) => {
    expect(await createPoster(CLOSED).allowed(url)).toEqual({ ok: true })
  },
)

test('auto opens loopback only while we listen on loopback only', async () => {
  const localhost = `http://localhost:${receiver.port}/`
  expect(await post(localhost, AUTO)).toMatchObject({ kind: 'answered', status: 200 })
  const outside = { allowPrivate: 'auto', listensOnLoopback: false } as const
  expect(await post(localhost, outside)).toMatchObject({ kind: 'forbidden' })
})

test('true opens everything', async () => {
  expect(await createPoster(OPEN).allowed('http://10.0.0.1/')).toEqual({ ok: true })
  expect(await post(receiver.url, OPEN)).toMatchObject({ kind: 'answered' })
})

test('a name is judged by the address that is dialled, not by what it was when it was set', async () => {
  let address = '93.184.215.14'
  const lookup = async () => [{ address, family: 4 }]
  const url = `http://rebind.test:${receiver.port}/`
  expect(await createPoster({ ...CLOSED, lookup }).allowed(url)).toEqual({ ok: true })
  address = '127.0.0.1'
  expect(await post(url, { ...CLOSED, lookup })).toMatchObject({
    kind: 'forbidden',
    reason: /rebind\.test: 127\.0\.0\.1 is a loopback address/,
  })
  expect(receiver.posts).toEqual([])
})

test('of a name with several addresses only those are dialled that may be', async () => {
  const lookup = async () => [
    { address: '10.0.0.1', family: 4 },
    { address: '127.0.0.1', family: 4 },
  ]
  const result = await post(`http://both.test:${receiver.port}/`, { ...AUTO, lookup })
  expect(result).toMatchObject({ kind: 'answered', status: 200 })
})

test('a name that is not there yet may be set, and fails when it is used', async () => {
  const lookup = () => Promise.reject(new Error('ENOTFOUND soon.test'))
  const options = { ...CLOSED, lookup }
  expect(await createPoster(options).allowed('https://soon.test/')).toEqual({ ok: true })
  expect(await post('https://soon.test/', options)).toMatchObject({
    kind: 'failed',
    reason: 'ENOTFOUND soon.test',
  })
})

test.each(['ftp://example.com/', 'file:///etc/passwd', 'example.com/hook', ''])(
  '%j is not a URL to post to',
  async (url) => {
    expect(await createPoster(OPEN).allowed(url)).toMatchObject({ ok: false })
    expect(await post(url, OPEN)).toMatchObject({ kind: 'failed' })
  },
)

test('a redirect is an answer and is not followed', async () => {
  const elsewhere = await startReceiver()
  receiver.answer((response) => response.writeHead(307, { location: elsewhere.url }).end())
  expect(await post(receiver.url, AUTO)).toMatchObject({ kind: 'answered', status: 307 })
  expect(elsewhere.posts).toEqual([])
  await elsewhere.close()
})

test('Retry-After is read as seconds and as a date', async () => {
  receiver.answer((response) => response.writeHead(429, { 'retry-after': '120' }).end())
  expect(await post(receiver.url, AUTO)).toMatchObject({ retryAfterSeconds: 120 })
  const date = new Date(Date.now() + 600_000).toUTCString()
  receiver.answer((response) => response.writeHead(503, { 'retry-after': date }).end())
  const { retryAfterSeconds } = (await post(receiver.url, AUTO)) as { retryAfterSeconds: number }
  expect(retryAfterSeconds).toBeGreaterThan(590)
  expect(retryAfterSeconds).toBeLessThanOrEqual(600)
  receiver.answer((response) => response.writeHead(503, { 'retry-after': 'soon' }).end())
  expect(await post(receiver.url, AUTO)).toMatchObject({ retryAfterSeconds: null })
})

test('an answer without end is read up to 64 KB', async () => {
  receiver.answer((response) => {
    const more = () => {
      while (response.writable && response.write('x'.repeat(16_384)));
    }
    response.on('drain', more)
    more()
  })
  const result = await post(receiver.url, AUTO)
  expect(result.kind === 'answered' && result.body.length).toBe(65_536)
})

test('a receiver that says nothing fails at the deadline, to the whole of it', async () => {
  receiver.answer(() => {})
  const result = await post(receiver.url, AUTO, 200)
  expect(result).toMatchObject({ kind: 'failed', reason: 'no answer within 200 ms' })
  expect(result.durationMs).toBeGreaterThanOrEqual(190)
  expect(result.durationMs).toBeLessThan(2_000)
})

test('a 2xx in time counts, though its body never ends', async () => {
  receiver.answer((response) => void response.writeHead(200).write('part'))
  expect(await post(receiver.url, AUTO, 200)).toMatchObject({
    kind: 'answered',
    status: 200,
    body: 'part',
  })
})

test('a lookup that never ends is under the deadline too', async () => {
  const lookup = () => new Promise<never>(() => {})
  const result = await post('http://silent.test/', { ...CLOSED, lookup }, 100)
  expect(result).toMatchObject({ kind: 'failed', reason: 'no answer within 100 ms' })
})

test('a connection that is closed without an answer is a failure, not an exception', async () => {
  receiver.answer((response) => void response.destroy())
  expect(await post(receiver.url, AUTO)).toMatchObject({ kind: 'failed' })
  const { url } = receiver
  await receiver.close()
  expect(await post(url, AUTO)).toMatchObject({ kind: 'failed', reason: /ECONNREFUSED/ })
})

test('every POST has a connection of its own, closed behind it', async () => {
  const poster = createPoster(AUTO)
  const request = { url: receiver.url, headers: {}, body: '{}', timeoutMs: 1_000 }
  await poster.post(request)
  await poster.post(request)
  expect(new Set(receiver.posts.map(({ from }) => from)).size).toBe(2)
  expect(receiver.posts.map(({ headers }) => headers.connection)).toEqual(['close', 'close'])
})

/** What a receiver says by hand once the whole POST is there; it never closes by itself. */
async function postTo(said: (socket: Socket) => void, timeoutMs: number) {
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('error', () => undefined).on('close', () => open.delete(socket))
    socket.on('data', (bytes) => void (bytes.toString().includes('{') && said(socket)))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const { port } = server.address() as AddressInfo
    return await post(`http://127.0.0.1:${port}/`, AUTO, timeoutMs)
  } finally {
    for (const socket of open) socket.destroy()
    server.close()
  }
}

test.each(['Upgrade: websocket\r\nConnection: Upgrade\r\n', 'Upgrade: h2c\r\n', ''])(
  'one that changes the protocol (%j) has answered 101',
  async (headers) => {
    const said = (socket: Socket) =>
      void socket.write(`HTTP/1.1 101 Switching Protocols\r\n${headers}\r\nmore`)
    expect(await postTo(said, 1_000)).toMatchObject({ kind: 'answered', status: 101 })
  },
)

test.each(['', 'HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 2', 'nothing of the kind\r\n\r\n'])(
  'one that says %j and hangs up has failed at once',
  async (words) => {
    const result = await postTo((socket) => void socket.end(words), 4_000)
    expect(result).toMatchObject({ kind: 'failed' })
    expect(result.durationMs).toBeLessThan(2_000)
  },
)
