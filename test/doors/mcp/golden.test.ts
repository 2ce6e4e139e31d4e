import { readdirSync } from 'node:fs'
import { Tiktoken } from 'js-tiktoken/lite'
import o200k from 'js-tiktoken/ranks/o200k_base'
import { beforeAll, describe, expect, test } from 'vitest'
import { instructionsFor } from '../../../src/doors/mcp/instructions.ts'
import type { McpParts } from '../../../src/doors/mcp/server.ts'
import { TOOLSETS } from '../../../src/doors/mcp/tool.ts'
import { TOOLS } from '../../../src/doors/mcp/tools.ts'
import { SCOPES } from '../../../src/engine/caller.ts'
import { expectGolden } from '../../golden/golden.ts'
import { OFFER, overPipes } from '../../world/mcp.ts'

const FOLDER = 'test/golden/tools'
const MAX_TOKENS = 3_500
const MAX_TEXT = 2_048

const tokenizer = new Tiktoken(o200k)
type Served = { name: string; [field: string]: unknown }[]
let served: Served
/** Where nobody names toolsets. */
let usual: Served

beforeAll(async () => {
  served = await listedBy({ toolsets: [...TOOLSETS], scopes: SCOPES })
  usual = await listedBy({})
})

async function listedBy(over: Partial<McpParts>): Promise<Served> {
  const untouched = () => Promise.reject(new Error('listing tools asks the engine nothing'))
  const parts = { ...OFFER, engine: untouched, caller: untouched, ...over }
  const client = await overPipes('modern', parts)
  const tools = await client.tools()
  await client.close()
  return tools
}

/** Short lists in one line, as the formatter writes them. */
const json = (value: unknown) =>
  JSON.stringify(value, null, 2).replace(
    /\[\s+([^[\]{}]*?)\s+\]/g,
    (_, inner: string) => `[${inner.replace(/\s*\n\s*/g, ' ')}]`,
  )

test('each tool is served as its golden file shows it', () => {
  for (const tool of served) expectGolden(`tools/${tool.name}.json`, json(tool))
  const names = served.map(({ name }) => name)
  const recorded = readdirSync(FOLDER).map((file) => file.replace('.json', ''))
  expect(recorded.sort()).toEqual([...names].sort())
})

test('the list is served whole and in its fixed order', () => {
  expectGolden('tools-list.json', json({ tools: usual }))
  expect(served.map(({ name }) => name)).toEqual(TOOLS.map(({ name }) => name))
})

test('the default tools cost at most 3,500 tokens', () => {
  const tokens = tokenizer.encode(JSON.stringify({ tools: usual })).length
  expect(tokens).toBeLessThanOrEqual(MAX_TOKENS)
})

describe.each(TOOLS)('$name', (tool) => {
  const shown = () => served.find(({ name }) => name === tool.name) ?? { name: 'missing' }

  test('has a name, a title, a description and all four hints that clients take', () => {
    const { title, description, annotations } = shown()
    expect(tool.name).toMatch(/^[a-z_]{1,52}$/)
    expect(title).toBe(tool.title)
    expect(String(description).length).toBeLessThanOrEqual(MAX_TEXT)
    expect(Object.values(annotations as object).map((hint) => typeof hint)).toEqual([
      'boolean',
      'boolean',
      'boolean',
      'boolean',
    ])
  })

  test('has a schema that every client can read', () => {
    const { inputSchema, outputSchema } = shown()
    const words = JSON.stringify(inputSchema)
    expect(inputSchema).toMatchObject({ type: 'object', additionalProperties: false })
    expect(words).not.toMatch(/"(\$ref|oneOf|anyOf|allOf|pattern|format|nullable|\$schema)":/)
    expect(outputSchema).toBeUndefined()
    const properties = (inputSchema as { properties: Record<string, object> }).properties
    expect(Object.keys(properties)).toEqual(Object.keys(tool.input.shape))
    expect(Object.values(properties).every((property) => 'description' in property)).toBe(true)
  })
})

/** Every name in the descriptions and the instructions that looks like a tool or an argument. */
const NAMES = /\b[a-z]+(?:_[a-z]+)+\b/g
/** Fields and values of results. */
const RESULTS = [
  'agent_send_policy',
  'checked_through',
  'chunk_id',
  'pending_review',
  'chunk_ids',
  'next_cursor',
  'dry_run',
  'sender_flags',
]

test('neither descriptions nor instructions speak of what is not there', () => {
  const said = [instructionsFor(TOOLS), JSON.stringify(served)].join('\n')
  const known = new Set([
    ...RESULTS,
    ...TOOLS.flatMap(({ name, input }) => [name, ...Object.keys(input.shape)]),
  ])
  expect([...new Set(said.match(NAMES))].filter((name) => !known.has(name))).toEqual([])
  expect(instructionsFor(TOOLS).length).toBeLessThanOrEqual(MAX_TEXT)
})

test('the instructions are those of the golden file', () => {
  expectGolden('mcp-instructions.txt', instructionsFor(TOOLS))
})

test('with fewer tools the instructions say less', () => {
  const readers = TOOLS.filter(({ hints }) => !hints.writes)
  expect(instructionsFor(readers)).not.toMatch(/send_email|dry_run/)
  expect(instructionsFor([])).not.toMatch(/list_|get_/)
})
