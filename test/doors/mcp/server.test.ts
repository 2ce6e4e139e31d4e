import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeKey } from '../../../src/engine/access/keys.ts'
import type { Engine } from '../../../src/engine/ports.ts'
import { type EngineWorld, engineWorld } from '../../world/engine.ts'
import {
  CLIENTS,
  type Kind,
  type Mcp,
  mailbox,
  objectOf,
  overHttp,
  overStreams,
  serveHttp,
  textOf,
} from '../../world/mcp.ts'

let world: EngineWorld
let http: { url: string; close(): Promise<void> }

beforeAll(async () => {
  world = await engineWorld()
  http = await serveHttp(world.engine)
  await mailbox(world.engine)(
    world.hello,
    'From: Ann <ann@example.com>\nTo: hello@postroom.localhost\nSubject: Order 7\nMessage-ID: <7@example.com>',
    'Where is my order?',
  )
})

afterAll(async () => {
  await http.close()
  await world.close()
})

async function withClient<Result>(open: Promise<Mcp>, use: (client: Mcp) => Promise<Result>) {
  const client = await open
  try {
    return await use(client)
  } finally {
    await client.close()
  }
}

const WAYS: { way: string; open: (kind: Kind) => Promise<Mcp> }[] = [
  { way: 'HTTP', open: (kind) => overHttp(kind, http.url, world.keys.agent) },
  { way: 'streams', open: (kind) => overStreams(kind, world.engine, world.agent) },
]

describe.each(WAYS)('over $way', ({ open }) => {
  test.each(CLIENTS)('the %s client finds its way from the inbox to the mail', async (kind) => {
    await withClient(open(kind), async (client) => {
      const inboxes = objectOf<{ data: { address: string }[]; outbound: string }>(
        await client.call('list_inboxes'),
      )
      expect(inboxes.outbound).toBe('dry-run')
      expect(inboxes.data.map(({ address }) => address)).toContain(world.hello)
      const threads = objectOf<{ data: { thread_id: string; subject: string }[] }>(
        await client.call('list_threads', { waiting_on: 'us', inbox_id: world.hello }),
      )
      expect(threads.data.map(({ subject }) => subject)).toEqual(['Order 7'])
      const read = await client.call('get_thread_messages', {
        thread_id: threads.data[0]?.thread_id,
      })
      expect(textOf(read)).toContain('\nWhere is my order?\n')
    })
  })

  test.each(CLIENTS)('the %s client is told the same as the others', async (kind) => {
    await withClient(open(kind), async (client) => {
      expect(client.instructions()).toMatch(/^Postroom gives you real email addresses\./)
      const tools = await client.tools()
      expect(tools.map(({ name }) => name).slice(0, 4)).toEqual([
        'list_inboxes',
        'create_inbox',
        'list_threads',
        'get_thread_messages',
      ])
    })
  })
})

describe('what is offered', () => {
  test('read-only offers no tool that changes anything', async () => {
    const readOnly = { readOnly: true }
    await withClient(overStreams('modern', world.engine, world.agent, readOnly), async (client) => {
      const tools = await client.tools()
      expect(tools.length).toBeGreaterThan(0)
      const hints = tools.map(({ annotations }) => annotations as { readOnlyHint: boolean })
      expect(hints.every(({ readOnlyHint }) => readOnlyHint)).toBe(true)
      expect(client.instructions()).not.toContain('send_email')
    })
  })

  test('a toolset that is not named is not there', async () => {
    const toolsets = ['knowledge']
    await withClient(
      overStreams('modern', world.engine, world.agent, { toolsets }),
      async (client) => {
        const names = (await client.tools()).map(({ name }) => name)
        expect(names).not.toContain('list_inboxes')
      },
    )
  })

  test('a key sees only the tools its scopes allow, and cannot call the others', async () => {
    const { key } = await makeKey(world.engine, world.agent.orgId, {
      name: 'reader',
      scopes: ['inbox:read'],
      inboxIds: null,
      agent: true,
      interactive: false,
      expiresAt: null,
    })
    await withClient(overHttp('modern', http.url, key), async (client) => {
      const names = (await client.tools()).map(({ name }) => name)
      expect(names).toContain('list_inboxes')
      expect(names).not.toContain('list_threads')
      await expect(client.call('list_threads')).rejects.toThrow(/list_threads/)
    })
  })

  test('over streams the scope of the key is asked at each call', async () => {
    const reader = { ...world.agent, scopes: ['inbox:read'] as const }
    await withClient(overStreams('modern', world.engine, reader), async (client) => {
      const told = await client.call('list_threads')
      expect(told.isError).toBe(true)
      expect(textOf(told)).toMatch(
        /^error: forbidden\nmessage: This key lacks the scope email:read/,
      )
    })
  })
})

describe('before the engine is there', () => {
  const never = () => new Promise<Engine>(() => undefined)

  test.each(CLIENTS)('the %s client is greeted and sees the tools', async (kind) => {
    const parts = { engine: never }
    await withClient(overStreams(kind, world.engine, world.agent, parts), async (client) => {
      expect((await client.tools()).length).toBeGreaterThan(3)
    })
  })

  test('a call that cannot be finished in time ends as an error that says so', async () => {
    const parts = { engine: never, deadlineMs: 5 }
    await withClient(overStreams('modern', world.engine, world.agent, parts), async (client) => {
      const told = await client.call('list_inboxes')
      expect(textOf(told)).toMatch(/^error: timeout\n/)
    })
  })

  test('what stands in the way of the start is what every call answers', async () => {
    const { NotStarted } = await import('../../../src/app/mcp-door.ts')
    const parts = {
      engine: () => Promise.reject(new NotStarted('HTTP_PORT="x" cannot be used.')),
    }
    await withClient(overStreams('old', world.engine, world.agent, parts), async (client) => {
      const told = await client.call('list_inboxes')
      expect(told.isError).toBe(true)
      expect(textOf(told)).toMatch(/^error: not_started\nmessage: HTTP_PORT="x" cannot be used\./)
    })
  })
})

describe('errors', () => {
  test('nothing that was thrown reaches the text; the log has it under the ref', async () => {
    const lines: { ref: string; err: Error }[] = []
    const log = { ...world.engine.log, error: (line: object) => lines.push(line as never) }
    const parts = {
      engine: () => Promise.reject(new Error('password=hunter2 at /srv/secret.ts:1')),
      log: log as Engine['log'],
    }
    await withClient(overStreams('modern', world.engine, world.agent, parts), async (client) => {
      const told = await client.call('list_inboxes')
      const [, ref] = /^ref: (ref_[0-9a-f]{8})$/m.exec(textOf(told)) ?? []
      expect(told.structuredContent).toBeUndefined()
      expect(textOf(told)).toMatch(/^error: internal_error\n/)
      expect(textOf(told)).not.toMatch(/hunter2|secret\.ts/)
      expect(lines.map((line) => [line.ref, line.err.message])).toEqual([
        [ref, 'password=hunter2 at /srv/secret.ts:1'],
      ])
    })
  })

  test('the id of another organization is not found', async () => {
    await withClient(overHttp('modern', http.url, world.keys.agent), async (client) => {
      const told = await client.call('get_thread_messages', {
        thread_id: 'thr_00000000000000000000000000',
      })
      expect(textOf(told)).toMatch(/^error: not_found\n/)
      expect(textOf(told)).toMatch(/^fix: /m)
    })
  })
})

describe('HTTP', () => {
  test('a request without a key is told where to find out about keys', async () => {
    const response = await fetch(http.url, { method: 'POST', body: '{}' })
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe(
      'Bearer resource_metadata="http://127.0.0.1:8525/.well-known/oauth-protected-resource/mcp", scope="inbox:read inbox:write email:read email:write email:send"',
    )
  })

  test('a foreign Origin or Host is refused before the key is looked at', async () => {
    const response = await fetch(http.url, { headers: { origin: 'https://evil.example' } })
    expect(response.status).toBe(403)
  })

  test('lists say how long and for whom they may be kept', async () => {
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
    }
    const response = await fetch(http.url, {
      method: 'POST',
      headers: {
        'x-api-key': world.keys.agent,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/list',
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/list',
        params: { _meta: meta },
      }),
    })
    const body = (await response.json()) as { result: Record<string, unknown> }
    expect(body.result).toMatchObject({ ttlMs: 3_600_000, cacheScope: 'private' })
  })
})
