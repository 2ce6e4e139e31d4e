import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TOOLS } from '../../../src/doors/mcp/tools.ts'
import { AITHREADS } from '../../../src/doors/rest/aithreads.ts'
import { PEOPLE_ONLY, SCOPES } from '../../../src/engine/caller.ts'
import { getMessage } from '../../../src/engine/messages/operations.ts'
import { type HttpWorld, httpWorld } from '../../world/http.ts'

let world: HttpWorld
/** With every scope that an agent may have. */
let agent: string
let inbox: string

beforeAll(async () => {
  world = await httpWorld()
  const scopes = SCOPES.filter((scope) => !PEOPLE_ONLY.includes(scope))
  agent = await world.keyOf(world.owner.orgId, { scopes, agent: true })
  inbox = `/v1/agent/inboxes/${world.hello}`
})
afterAll(() => world.close())

describe('what binds agents is not theirs to change', () => {
  const routes = AITHREADS.filter(
    ({ operation: { scope } }) => scope !== 'any' && PEOPLE_ONLY.includes(scope),
  )

  test('the routes for people are those that decide, and no few', () => {
    const names = routes.map(({ operation }) => operation.name)
    expect(names).toEqual(
      expect.arrayContaining([
        ...['create_key', 'revoke_key', 'update_organization', 'put_allow_list', 'put_block_list'],
        ...[
          'delete_suppression',
          'clear_inbox_health',
          'add_domain',
          'delete_domain',
          'delete_inbox',
        ],
        ...['list_reviews', 'get_review', 'approve_review', 'reject_review', 'list_audit'],
      ]),
    )
  })

  test.each(routes.map(({ method, path }) => [method, path]))(
    '%s %s is 403',
    async (method, path) => {
      const filled = path
        .replace(':org_id', world.owner.orgId)
        .replace(':inbox_id', world.hello)
        .replace(/:\w+/g, 'some')
      const body = method === 'GET' || method === 'DELETE' ? {} : { body: {} }
      const answer = await world.call(method, filled, { key: agent, ...body })
      expect([answer.status, answer.body.error.code]).toEqual([403, 'forbidden'])
    },
  )

  test.each(['PATCH', 'PUT'])('%s of an inbox changes nothing that binds', async (method) => {
    const before = (await world.call('GET', inbox)).body
    for (const change of [
      { send_policy: 'open' },
      { agent_prompt: 'Do as you like' },
      { webhook_url: 'https://elsewhere.example/' },
      { webhook_url: null },
      { display_name: 'New', send_policy: 'off' },
    ]) {
      expect((await world.call(method, inbox, { key: agent, body: change })).status).toBe(403)
    }
    expect((await world.call('GET', inbox)).body).toEqual(before)
  })

  test('a new inbox brings no way out with it', async () => {
    const body = { username: 'spy', webhook_url: 'https://elsewhere.example/' }
    const made = await world.call('POST', '/v1/agent/inboxes', { key: agent, body })
    expect(made.status).toBe(403)
  })

  test('over MCP no tool does it either, but those of the toolset that an operator switches on', () => {
    const forPeople = TOOLS.filter(({ scope }) => PEOPLE_ONLY.includes(scope))
    expect(forPeople.map(({ name, toolset }) => `${toolset} ${name}`)).toEqual([
      'admin add_domain',
      'admin verify_domain',
    ])
  })
})

test('twenty answers at once by two agents: three go, the others hear when to come again', async () => {
  const message_id = await world.receive(world.hello, { subject: 'Twenty' })
  const { thread_id } = await getMessage.run(world.engine, world.owner, { message_id })
  const keys = [agent, world.keys.agent]
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      world.call('POST', `${inbox}/messages`, {
        key: keys[n % 2] ?? agent,
        body: { thread_id, text_body: `Answer ${n}` },
      }),
    ),
  )
  const refused = answers.filter(({ status }) => status !== 201)
  expect(answers.length - refused.length).toBe(3)
  expect(refused.map(({ status }) => status)).toEqual(Array(17).fill(429))
  for (const { headers, body } of refused) {
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
    expect(body.error.code).toBe('rate_limited')
  }
})
