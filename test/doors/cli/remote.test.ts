import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { endAll, postroom } from '../../world/postroom.ts'

vi.setConfig({ testTimeout: 60_000 })

interface Frame {
  id?: unknown
  method?: string
  result?: unknown
  error?: { message: string }
}

const INITIALIZE = { jsonrpc: '2.0', id: 1, method: 'initialize', params: {} }
const MAYBE_SENT = /may have been taken already.*where it is missing it is safe to repeat/
const SAFE = /It is safe to repeat this call\.$/
const call = (id: number, name: string, args: object = {}) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: args },
})

/** A server elsewhere: it greets, and does with a call what the test says. */
let how: (response: ServerResponse, frame: Frame) => void
let got: Frame[] = []
const server = createServer(async (request, response) => {
  const frame = (await json(request)) as Frame
  got.push(frame)
  if (frame.method !== 'initialize') return how(response, frame)
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ jsonrpc: '2.0', id: frame.id, result: {} }))
})
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)))
afterEach(async () => {
  got = []
  await endAll()
})
afterAll(() => server.close())

const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`

function talk(to = url()) {
  const program = postroom(['mcp', '--url', to], {})
  return {
    ...program,
    send(...frames: object[]) {
      for (const frame of frames) program.process.stdin.write(`${JSON.stringify(frame)}\n`)
    },
    async answer(id: number): Promise<Frame> {
      const [line] = await program.says(new RegExp(`^.*"id":${id}[,}].*$`, 'm'))
      return JSON.parse(line)
    },
    /** Every frame it has said, and its exit code, once the client has left. */
    async leave() {
      program.process.stdin.end()
      const { code, out } = await program.ended
      const frames: Frame[] = out
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line))
      return { code, frames }
    },
  }
}

const CUT = (response: ServerResponse) => response.destroy()
const HALF = (response: ServerResponse) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '999' })
  response.write('{"jsonrpc":"2.0",')
  setImmediate(() => response.destroy())
}
const SILENT_STREAM = (response: ServerResponse) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.end('data: {"jsonrpc":"2.0","method":"notifications/progress"}\n\n')
}
const GATEWAY = (status: number) => (response: ServerResponse) => {
  response.writeHead(status, { 'content-type': 'text/html' })
  response.end('<h1>Bad gateway</h1>')
}

test.each([
  ['the connection was cut', CUT],
  ['the answer was cut', HALF],
  ['the stream ended without the answer', SILENT_STREAM],
  ['a proxy answered 502', GATEWAY(502)],
  ['a proxy answered 503', GATEWAY(503)],
  ['a proxy answered 504', GATEWAY(504)],
])('where %s, each call hears whether it is safe to repeat', async (_, broken) => {
  how = broken
  const client = talk()
  client.send(
    INITIALIZE,
    call(2, 'send_email'),
    call(3, 'send_email', { idempotency_key: 'k' }),
    call(4, 'list_inboxes'),
    call(5, 'create_draft'),
  )
  const said = async (id: number) => (await client.answer(id)).error?.message
  expect(await said(2)).toMatch(MAYBE_SENT)
  expect(await said(3)).toMatch(SAFE)
  expect(await said(4)).toMatch(SAFE)
  expect(await said(5)).toMatch(/may have been made already.*list_drafts/)
  const { code, frames } = await client.leave()
  expect(code).toBe(0)
  expect(frames.filter(({ id }) => id !== undefined)).toHaveLength(5)
})

test('a call that reached nobody is safe to repeat, whatever it is', async () => {
  const gone = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => gone.once('listening', resolve))
  const { port } = gone.address() as AddressInfo
  await new Promise((resolve) => gone.close(resolve))
  for (const place of [`http://127.0.0.1:${port}`, 'http://nobody.invalid']) {
    const client = talk(place)
    client.send(call(2, 'send_email'))
    const { error } = await client.answer(2)
    expect(error?.message).toMatch(/cannot be reached/)
    expect(error?.message).toMatch(SAFE)
    expect(await client.leave()).toMatchObject({ code: 0 })
  }
})

test('an error that names no request answers the one that was sent', async () => {
  how = (response) => {
    response.writeHead(400, { 'content-type': 'application/json' })
    response.end('{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Not like that."}}')
  }
  const client = talk()
  client.send(INITIALIZE, call(2, 'send_email'))
  expect((await client.answer(2)).error?.message).toBe(
    `${url()}/mcp answered HTTP 400. Not like that.`,
  )
  expect((await client.leave()).frames).toHaveLength(2)
})

test("the client's own answer to a question is no request, and is answered with nothing", async () => {
  how = (response, frame) => {
    if (frame.method === undefined) return void response.writeHead(202).end()
    SILENT_STREAM(response)
  }
  const client = talk()
  client.send(INITIALIZE, { jsonrpc: '2.0', id: 7, result: {} }, call(2, 'list_inboxes'))
  await client.answer(2)
  const { frames } = await client.leave()
  expect(got.map(({ id }) => id)).toContain(7)
  expect(frames.map(({ id }) => id)).not.toContain(7)
})

test('nobody waits for a call that was cancelled', async () => {
  let came = (): void => undefined
  const asked = new Promise<void>((resolve) => {
    came = resolve
  })
  how = (response, frame) => {
    if (frame.method === 'tools/call') came()
    else response.writeHead(202).end()
  }
  const client = talk()
  client.send(INITIALIZE, call(2, 'list_inboxes'))
  await asked
  client.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 2 } })
  const { code, frames } = await client.leave()
  expect({ code, ids: frames.map(({ id }) => id) }).toEqual({ code: 0, ids: [1] })
})
