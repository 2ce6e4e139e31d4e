import { request } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { SCOPES } from '../../../src/engine/caller.ts'
import { type HttpWorld, httpWorld } from '../../world/http.ts'

let world: HttpWorld
const INBOXES = '/v1/agent/inboxes'

beforeAll(async () => {
  world = await httpWorld({
    mcp: async (asked, caller) => Response.json({ body: await asked.text(), key: caller.name }),
  })
})
afterAll(() => world.close())

/** fetch sets Host itself. */
function withHost(host: string, path: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: '127.0.0.1', port: world.port, path, headers: { host } },
      (answer) => {
        let text = ''
        answer.on('data', (chunk) => {
          text += chunk
        })
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }))
      },
    )
    asked.on('error', reject).end()
  })
}

test.each([
  ['no key', {}],
  ['a word', { authorization: 'Bearer nonsense' }],
  ['an unknown key', { authorization: 'Bearer ait_00000000-0000-4000-8000-000000000000' }],
  ['another scheme', { authorization: 'Basic YTpi' }],
  ['an empty key', { 'x-api-key': '' }],
  ['two keys', { authorization: 'Bearer a', 'x-api-key': 'b' }],
])('%s is 401, and says how to get in', async (_, headers) => {
  const { status, body, headers: answered } = await world.call('GET', INBOXES, { key: '', headers })
  expect([status, body.error.code]).toEqual([401, 'unauthorized'])
  expect(body.error.fix).toContain('postroom keys create')
  expect(answered.get('www-authenticate')).toBe(
    `Bearer resource_metadata="${world.engine.settings.publicUrl}/.well-known/oauth-protected-resource", scope="inbox:read inbox:write email:read email:write email:send"`,
  )
})

test('a key is taken as a bearer token and as x-api-key, on every route', async () => {
  const key = world.keys.first
  for (const headers of [
    { 'x-api-key': key },
    { authorization: `bearer ${key}` },
    { authorization: `Bearer ${key}`, 'x-api-key': key },
  ]) {
    expect(
      (
        await world.call('GET', INBOXES, {
          key: '',
          headers: { ...headers } as Record<string, string>,
        })
      ).status,
    ).toBe(200)
    expect(
      (
        await world.call('POST', '/mcp', {
          key: '',
          headers: { ...headers } as Record<string, string>,
        })
      ).status,
    ).toBe(200)
  }
})

test('a key without the scope is 403, which names the scope', async () => {
  const key = await world.keyOf(world.owner.orgId, { scopes: ['email:read'] })
  const { status, body } = await world.call('GET', INBOXES, { key })
  expect([status, body.error.code]).toEqual([403, 'forbidden'])
  expect(body.error.message).toContain('inbox:read')
})

test('the key that a refusal asks for is enough for the call', async () => {
  const change = { body: { agent_prompt: 'Be kind.' } }
  const path = `${INBOXES}/${world.hello}`
  const { status, body } = await world.call('PATCH', path, { key: world.keys.agent, ...change })
  expect(status).toBe(403)
  const [, listed = ''] = / --scopes ([a-z:,]+)/.exec(body.error.fix) ?? []
  const scopes = SCOPES.filter((scope) => listed.split(',').includes(scope))
  expect(scopes.join()).toBe(listed)
  const key = await world.keyOf(world.owner.orgId, { scopes })
  expect((await world.call('PATCH', path, { key, ...change })).status).toBe(200)
})

test('a key is limited to inboxes by their ids or their addresses', async () => {
  const path = `/v1/organizations/${world.owner.orgId}/api-keys`
  const made = (inbox_ids: string[]) =>
    world.call('POST', path, { body: { name: 'x', scopes: ['inbox:read'], inbox_ids } })
  const inbox = (await world.call('GET', `${INBOXES}/${world.hello}`)).body.id
  for (const named of [[world.hello], [world.hello.toUpperCase(), inbox], [inbox, inbox]]) {
    const { status, body } = await made(named)
    expect([status, body.inbox_ids]).toEqual([201, [inbox]])
  }
  const { status, body } = await made([world.hello, 'nobody@postroom.localhost'])
  expect(status).toBe(400)
  expect(body.error.details).toEqual([
    { field: 'inbox_ids', message: 'there is no inbox nobody@postroom.localhost' },
  ])
})

test('a key is asked for before the body is read, and scope before input', async () => {
  const malformed = { body: '{', headers: { 'content-type': 'application/json' } }
  expect((await world.call('POST', INBOXES, { key: '', ...malformed })).status).toBe(401)
  const key = await world.keyOf(world.owner.orgId, { scopes: ['email:read'] })
  expect((await world.call('POST', INBOXES, { key, ...malformed })).status).toBe(403)
})

test('nobody gives on more than they have, and an agent makes no keys', async () => {
  const path = `/v1/organizations/${world.owner.orgId}/api-keys`
  const key = await world.keyOf(world.owner.orgId, { scopes: ['org:admin'] })
  const beyond = await world.call('POST', path, {
    key,
    body: { name: 'x', scopes: ['email:send'] },
  })
  expect(beyond.status).toBe(403)
  const agent = await world.call('POST', path, {
    key: world.keys.agent,
    body: { name: 'x', scopes: ['email:send'] },
  })
  expect(agent.status).toBe(403)
})

test.each([
  'evil.example',
  'localhost.evil.example',
  '127.0.0.1.evil.example:80',
  'localhost:80:80',
  '0.0.0.0',
])('the Host %s is refused everywhere', async (host) => {
  for (const path of [INBOXES, '/mcp', '/healthz', '/.well-known/oauth-protected-resource']) {
    const { status, text } = await withHost(host, path)
    expect([400, 403]).toContain(status)
    expect(text).toMatch(/ALLOWED_HOSTS|Host header/)
  }
})

test.each(['localhost', 'LOCALHOST:1234', '127.0.0.1', '[::1]:8525', '127.0.0.1:8525'])(
  'the Host %s is accepted',
  async (host) => expect((await withHost(host, '/healthz')).status).toBe(200),
)

test('an Origin elsewhere is 403, a loopback one is not', async () => {
  for (const path of [INBOXES, '/mcp']) {
    for (const origin of ['https://evil.example', 'null', 'http://localhost.evil.example']) {
      const { status, body } = await world.call('GET', path, { headers: { origin } })
      expect([status, body.error.code]).toEqual([403, 'origin_not_allowed'])
      expect(body.error.fix).toContain('ALLOWED_ORIGINS')
    }
    const loopback = await world.call('GET', path, { headers: { origin: 'http://localhost:5173' } })
    expect(loopback.status).toBe(200)
  }
})

test('the host of PUBLIC_URL is accepted besides those of ALLOWED_HOSTS', async () => {
  const { settings } = world.engine
  const before = settings.publicUrl
  settings.publicUrl = 'https://mail.example.com'
  expect((await withHost('mail.example.com', '/healthz')).status).toBe(200)
  expect((await withHost('mail.example.com:443', '/healthz')).status).toBe(200)
  expect((await withHost('mail.example.com:8525', '/healthz')).status).toBe(403)
  settings.publicUrl = before
})

test('a request to /mcp is handed on with its body and its caller', async () => {
  const { body } = await world.call('POST', '/mcp', { key: world.keys.agent, body: { a: 1 } })
  expect(body).toEqual({ body: '{"a":1}', key: 'agent' })
  const anonymous = await world.call('POST', '/mcp', { key: '', body: {} })
  expect(anonymous.status).toBe(401)
  expect(anonymous.headers.get('www-authenticate')).toContain('oauth-protected-resource/mcp"')
})

test('/mcp answers the preflight of a page and shows it the headers it needs', async () => {
  const origin = 'http://localhost:6274'
  const preflight = await world.call('OPTIONS', '/mcp', {
    key: '',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization',
    },
  })
  expect(preflight.status).toBe(204)
  expect(preflight.headers.get('access-control-allow-origin')).toBe(origin)
  for (const name of ['Authorization', 'MCP-Protocol-Version', 'Mcp-Method', 'Mcp-Name']) {
    expect(preflight.headers.get('access-control-allow-headers')).toContain(name)
  }
  const refused = await world.call('POST', '/mcp', { key: '', headers: { origin } })
  expect(refused.status).toBe(401)
  expect(refused.headers.get('access-control-allow-origin')).toBe(origin)
  expect(refused.headers.get('access-control-expose-headers')).toBe(
    'Mcp-Session-Id,WWW-Authenticate,Mcp-Protocol-Version',
  )
})

test('what a client reads before it has a key', async () => {
  const { publicUrl } = world.engine.settings
  for (const resource of ['', '/mcp']) {
    const { status, body } = await world.call(
      'GET',
      `/.well-known/oauth-protected-resource${resource}`,
      { key: '' },
    )
    expect(status).toBe(200)
    expect(body).toMatchObject({
      resource: `${publicUrl}${resource}`,
      bearer_methods_supported: ['header'],
    })
  }
  expect((await world.call('GET', '/healthz', { key: '' })).body).toEqual({ status: 'ok' })
  expect((await world.call('GET', '/readyz', { key: '' })).body).toEqual({ status: 'ready' })
})
