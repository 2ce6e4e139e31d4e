import { afterAll, beforeAll, expect, test } from 'vitest'
import type { McpParts } from '../../../src/doors/mcp/server.ts'
import { type EngineWorld, engineWorld } from '../../world/engine.ts'
import {
  type Mcp,
  OFFER,
  objectOf,
  overHttp,
  overStreams,
  serveHttp,
  textOf,
} from '../../world/mcp.ts'
import { publishRecord } from '../../world/zone.ts'

interface Result {
  domain_id: string
  domain: string
  status: string
  checked_at?: string
  records: {
    purpose: string
    type: 'CNAME' | 'TXT' | 'MX'
    name: string
    value: string
    status: string
    fix?: string
    alternative?: { value: string }
    target?: { value: string }
  }[]
}

const ADMIN = { toolsets: ['mail', 'admin'] }

let world: EngineWorld
const clients: Mcp[] = []

beforeAll(async () => {
  world = await engineWorld({ settings: { mailDomain: 'mail.operator.test' } })
})
afterAll(async () => {
  for (const client of clients) await client.close()
  await world.close()
})

async function onThisMachine(parts: Partial<McpParts>): Promise<Mcp> {
  const client = await overStreams('modern', world.engine, world.agent, parts)
  clients.push(client)
  return client
}

const toolsOf = async (client: Mcp) => (await client.tools()).map(({ name }) => name)

test('where the operator named admin, an agent on this machine adds a domain and checks it', async () => {
  const client = await onThisMachine({ ...ADMIN, onThisMachine: true })
  const told = await client.call('add_domain', { domain: 'shop.test' })
  const added = objectOf<Result>(told)
  expect(added).toMatchObject({
    domain_id: expect.stringMatching(/^dom_/),
    domain: 'shop.test',
    status: 'pending',
  })
  expect(added.records.map(({ purpose }) => purpose)).toEqual([
    'dkim',
    'dkim',
    'dkim',
    'mx',
    'spf',
    'dmarc',
  ])
  for (const { name, value } of added.records) {
    expect(textOf(told)).toContain(name)
    expect(textOf(told)).toContain(value)
  }
  const early = objectOf<Result>(await client.call('verify_domain', { domain_id: added.domain_id }))
  expect(early).toMatchObject({ status: 'failed', checked_at: expect.any(String) })
  expect(early.records.every(({ status, fix }) => status === 'missing' && fix !== undefined)).toBe(
    true,
  )
  // A fix names only what is there to be seen.
  for (const { fix, alternative, target } of early.records) {
    if (fix?.includes('"alternative"')) expect(alternative?.value).toMatch(/^v=DKIM1; .*p=/)
    if (fix?.includes('"target"')) expect(target?.value).toMatch(/^v=DKIM1; .*p=/)
  }
  for (const record of added.records) {
    const [domain] = await world.engine.db.query<{ public_key: string }>(
      'SELECT public_key FROM domain_keys WHERE selector = $1',
      [record.name.split('.')[0]],
    )
    const target = domain && { name: record.value, value: `v=DKIM1; p=${domain.public_key}` }
    publishRecord(world.names.zones, { ...record, target })
  }
  const checked = objectOf<Result>(await client.call('verify_domain', { domain: 'shop.test' }))
  expect(checked.status).toBe('verified')
  expect(checked.records.some((record) => 'alternative' in record)).toBe(false)
  const inbox = await client.call('create_inbox', { username: 'help', domain: 'shop.test' })
  expect(objectOf<{ address: string }>(inbox).address).toBe('help@shop.test')
})

test('a name that is none, and a domain that is not there, are told as errors', async () => {
  const client = await onThisMachine({ ...ADMIN, onThisMachine: true })
  const wrong = await client.call('add_domain', { domain: 'not a domain' })
  expect([wrong.isError, textOf(wrong)]).toEqual([true, expect.stringContaining('domain')])
  const unknown = await client.call('verify_domain', { domain_id: 'unknown.test' })
  expect([unknown.isError, textOf(unknown)]).toEqual([true, expect.stringContaining('not_found')])
})

test("without that, and for an agent's key over HTTP, the tools are not there", async () => {
  const usual = await onThisMachine({ onThisMachine: true })
  expect(await toolsOf(usual)).not.toContain('add_domain')
  const elsewhere = await onThisMachine(ADMIN)
  expect(await toolsOf(elsewhere)).not.toContain('add_domain')
  const refused = await elsewhere.call('add_domain', { domain: 'x.test' }).catch((error) => error)
  expect(refused instanceof Error || refused.isError).toBe(true)
  const http = await serveHttp(world.engine, { ...OFFER, ...ADMIN })
  const agent = await overHttp('modern', http.url, world.keys.agent)
  const owner = await overHttp('modern', http.url, world.keys.first)
  expect(await toolsOf(agent)).not.toContain('verify_domain')
  expect(await toolsOf(owner)).toContain('verify_domain')
  await Promise.all([agent.close(), owner.close()])
  await http.close()
})
