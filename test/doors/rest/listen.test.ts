import { connect } from 'node:net'
import { Hono } from 'hono'
import { afterEach, expect, test } from 'vitest'
import { type HttpListener, startHttp } from '../../../src/doors/rest/listen.ts'
import type { HttpEnv } from '../../../src/doors/rest/server.ts'
import { createLog } from '../../../src/platform/log.ts'

const log = createLog({ level: 'silent' })
const host = '127.0.0.1'
const open: HttpListener[] = []

afterEach(async () => {
  for (const door of open.splice(0)) await door.close()
})

async function start(timeouts = {}) {
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  let arrived = () => {}
  const arrival = new Promise<void>((resolve) => {
    arrived = resolve
  })
  const app = new Hono<HttpEnv>()
  app.onError(() => new Response(null, { status: 500 }))
  app.get('/', (c) => c.text('hello'))
  app.post('/', async (c) => c.text(await c.req.text()))
  app.get('/slow', async (c) => {
    arrived()
    await held
    return c.text('finished')
  })
  const door = await startHttp(app, { host, port: 0, log, timeouts })
  open.push(door)
  return { door, release, arrival, url: `http://${host}:${door.port}` }
}

/** Sends bytes as they are and gives all that comes back until the server closes. */
function talk(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host, () => socket.write(bytes))
    let heard = ''
    socket.on('data', (chunk) => {
      heard += chunk
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(heard))
  })
}

const bodyOf = (answer: string) => JSON.parse(answer.split('\r\n\r\n')[1] ?? '')

test('a port that is taken is told with the system code', async () => {
  const { door } = await start()
  const app = new Hono<HttpEnv>()
  await expect(startHttp(app, { host, port: door.port, log })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  })
})

test('a request that runs is finished when we stop, and no other is taken', async () => {
  const { door, url, release, arrival } = await start()
  const running = fetch(`${url}/slow`)
  await arrival
  const closed = door.close()
  await expect(fetch(url)).rejects.toThrow()
  release()
  const answer = await running
  expect([answer.headers.get('connection'), await answer.text()]).toEqual(['close', 'finished'])
  await closed
})

test('idle connections do not hold the end up, and neither does a request that never ends', async () => {
  const { door, url, arrival } = await start()
  await (await fetch(url)).text()
  const stuck = fetch(`${url}/slow`).catch((error: Error) => error.name)
  await arrival
  const start_ = performance.now()
  await door.close()
  expect(performance.now() - start_).toBeLessThan(2000)
  expect(await stuck).toBe('TypeError')
})

test('with nothing under way it ends at once, also when asked twice', async () => {
  const { door, url } = await start()
  await (await fetch(url)).text()
  const begun = performance.now()
  await Promise.all([door.close(), door.close()])
  expect(performance.now() - begun).toBeLessThan(500)
})

test('headers that trickle in are cut off with 408', async () => {
  const { door } = await start({ headersMs: 100, requestMs: 200, checkMs: 50 })
  const heard = await talk(door.port, 'GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ')
  expect(heard).toMatch(/^HTTP\/1.1 408 /)
  expect(bodyOf(heard).error.code).toBe('request_timeout')
})

test('a body that never comes is cut off', async () => {
  const { door } = await start({ headersMs: 100, requestMs: 200, checkMs: 50 })
  const heard = await talk(
    door.port,
    'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc',
  )
  expect(heard).toMatch(/^HTTP\/1.1 408 /)
})

test.each([
  ['no HTTP at all', 'EHLO example.com\r\n\r\n'],
  [
    'two lengths',
    'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
  ],
  [
    'a length and chunks',
    'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  ['no Host', 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n'],
  ['a Host that is none', 'GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n'],
  ['a target that is none', 'GET nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'],
])('%s is 400', async (_, bytes) => {
  const { door } = await start()
  expect(await talk(door.port, bytes)).toMatch(/^HTTP\/1.1 400 /)
})
