import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createLog } from '../../../src/platform/log.ts'
import { type HttpWorld, httpWorld } from '../../world/http.ts'

let world: HttpWorld
let lines: Record<string, unknown>[]
const stream = new PassThrough()
stream.on('data', (chunk) => {
  for (const line of String(chunk).trim().split('\n')) lines.push(JSON.parse(line))
})

beforeAll(async () => {
  lines = []
  world = await httpWorld({
    mcp: () => Promise.reject(new Error('SELECT secret FROM nowhere')),
    log: createLog({ level: 'info', stream, pretty: false }),
  })
})
beforeEach(() => {
  lines = []
})
afterAll(() => world.close())

test('one line a request: route, status, time, key; no address, no body, no secret', async () => {
  await world.call('PATCH', `/v1/agent/inboxes/${world.hello}`, { body: { display_name: 'Hush' } })
  expect(lines).toEqual([
    {
      level: 'info',
      time: expect.any(String),
      method: 'PATCH',
      route: '/v1/agent/inboxes/:inbox_id',
      status: 200,
      ms: expect.any(Number),
      key: world.owner.keyId,
      org: world.owner.orgId,
      msg: 'request',
    },
  ])
})

test('a request that is refused has its line too', async () => {
  await world.call('GET', '/v1/agent/inboxes?limit=0')
  await world.call('GET', '/v1/agent/inboxes', { key: 'ait_wrong' })
  await world.call('GET', '/nowhere/hello@example.com')
  expect(lines).toMatchObject([
    { route: '/v1/agent/inboxes', status: 400, key: world.owner.keyId },
    { route: '/v1/agent/inboxes', status: 401, key: null },
    { route: null, status: 404 },
  ])
  expect(JSON.stringify(lines)).not.toMatch(/ait_|hello@/)
})

test('probes are not logged', async () => {
  await world.call('GET', '/healthz', { key: '' })
  expect(lines).toEqual([])
})

test('a fault of ours is 500 without a word of its cause, which the log has under the same reference', async () => {
  const { status, body, text } = await world.call('POST', '/mcp', { body: {} })
  expect([status, body.error.code]).toEqual([500, 'internal_error'])
  expect(text).not.toMatch(/SELECT|nowhere|\.ts|at /)
  const reference = /reference (\w+)/.exec(body.error.message)?.[1]
  expect(lines[0]).toMatchObject({ level: 'error', reference })
  expect(lines[0]?.error).toContain('SELECT secret')
  expect(lines[1]).toMatchObject({ status: 500 })
})
