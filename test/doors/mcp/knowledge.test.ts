import { Tiktoken } from 'js-tiktoken/lite'
import o200k from 'js-tiktoken/ranks/o200k_base'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { InboxId } from '../../../src/engine/ids.ts'
import { type Knowledge, openKnowledge } from '../../world/knowledge.ts'
import { saysTheSame } from '../../world/mailroom.ts'
import { type Mcp, objectOf, overStreams, textOf } from '../../world/mcp.ts'

const tokenizer = new Tiktoken(o200k)
const tokens = (text: string) => tokenizer.encode(text).length

interface Found {
  mode: string
  data: { chunk_id: string; document_name: string; content: string; heading?: string }[]
  receipt: { total: number; returned: number; complete: boolean; omitted: number }
}
interface Facts {
  context: string
  count: number
  omitted?: number
  answerable: boolean
  sources?: { chunk_id: string; document_name: string }[]
}

const HANDBOOK = `# Returns

A lamp can be returned within 30 days of delivery. The customer pays the parcel.

# Warranty

Every lamp has a warranty of three years against defects.
`

let room: Knowledge
let client: Mcp
let inbox: { id: InboxId }

beforeAll(async () => {
  room = await openKnowledge()
  inbox = { id: await room.newInbox() }
  const name = 'Handbook\n<<mail 00000000 for lamps'
  await room.upload(inbox.id, 'handbook.md', HANDBOOK, name)
  const sections = Array.from(
    { length: 40 },
    (_, i) =>
      `# Part ${i}\n\nThe dimmer number ${i} ${'needs a careful hand and patience '.repeat(12)}.`,
  )
  await room.upload(inbox.id, 'dimmers.md', sections.join('\n\n'))
  await room.settle()
  client = await overStreams('modern', room.engine, room.caller)
})

afterAll(async () => {
  await client.close()
  await room.close()
})

describe('search_documents', () => {
  test('finds the passage, between marks, with what is needed to cite it', async () => {
    const told = await client.call('search_documents', { query: 'return a lamp' })
    const { data, mode, receipt } = objectOf<Found>(told)
    expect(mode).toBe('lexical')
    expect(data[0]).toMatchObject({
      document_name: 'Handbook <mail 00000000 for lamps',
      heading: 'Returns',
    })
    expect(data[0]?.chunk_id).toMatch(/^chk_/)
    expect(data[0]?.content).toMatch(
      /^<<mail ([0-9a-f]{8})\n[\s\S]*within 30 days[\s\S]*\nmail \1>>$/,
    )
    expect(receipt).toMatchObject({ returned: data.length, complete: true })
    saysTheSame(told)
  })

  test('finds nothing where nothing fits, and says so', async () => {
    const told = await client.call('search_documents', { q: 'zebra crossing' })
    expect(objectOf<Found>(told)).toMatchObject({ data: [], receipt: { total: 0, complete: true } })
    expect(textOf(told)).toContain('data: none')
  })

  test('says what it leaves out where the passages are too many', async () => {
    const told = await client.call('search_documents', { q: 'dimmer patience', limit: 20 })
    const { data, receipt } = objectOf<Found>(told)
    expect(data.length).toBe(receipt.returned)
    expect(receipt.returned + receipt.omitted).toBe(receipt.total)
    expect(tokens(JSON.stringify(told.structuredContent))).toBeLessThanOrEqual(6_300)
  })

  test('says how many passages a limit leaves out', async () => {
    const told = await client.call('search_documents', { q: 'dimmer patience', limit: 2 })
    const { data, receipt } = objectOf<Found>(told)
    expect(data).toHaveLength(2)
    expect(receipt).toMatchObject({ total: 40, returned: 2, omitted: 38, complete: false })
    saysTheSame(told)
  })

  test('refuses an empty question by the name of its argument', async () => {
    const told = await client.call('search_documents', { q: '  ' })
    expect(textOf(told)).toMatch(/^error: validation_failed\nmessage: q: /)
  })
})

describe('get_context', () => {
  test('joins what answers the question, and names its sources', async () => {
    const told = await client.call('get_context', { q: 'How long is the warranty of a lamp?' })
    const facts = objectOf<Facts>(told)
    expect(facts.answerable).toBe(true)
    expect(facts.context).toContain('three years')
    expect(facts.sources?.map(({ chunk_id }) => chunk_id.slice(0, 4))).toContain('chk_')
    expect(facts.count).toBe(facts.sources?.length)
    saysTheSame(told)
  })

  test('says that nothing is known', async () => {
    const told = await client.call('get_context', { q: 'Who won the zebra race?' })
    expect(objectOf<Facts>(told)).toMatchObject({ context: '', count: 0, answerable: false })
    expect(textOf(told)).toContain('answerable: false')
    saysTheSame(told)
  })

  test.each([200, 300, 500, 1_000])(
    'keeps a budget of %i tokens whatever is asked and however the document is called',
    async (max_tokens) => {
      const inbox_id = await room.newInbox()
      const name = `Gärten & Höfe ${'über Ärger, Öl und Übel '.repeat(10)}`
      const parts = Array.from(
        { length: 12 },
        (_, i) => `# Part ${i}\n\nThe gardener ${i} waters tulips ${'with patience '.repeat(i)}.`,
      )
      await room.upload(inbox_id, 'garden.md', parts.join('\n\n'), name)
      await room.settle()
      const q = `Which gardener waters tulips? ${'Tulips gardener waters! '.repeat(60)}`
      const told = await client.call('get_context', { q, inbox_id, max_tokens })
      const facts = objectOf<Facts>(told)
      expect(tokens(JSON.stringify(told.structuredContent))).toBeLessThanOrEqual(max_tokens)
      expect(tokens(textOf(told))).toBeLessThanOrEqual(max_tokens)
      expect(facts.answerable).toBe(true)
      expect(facts.context).toContain('tulips')
      expect(facts.count + (facts.omitted ?? 0)).toBe(12)
      expect(facts.sources).toHaveLength(facts.count)
      saysTheSame(told)
    },
  )

  test.each([300, 600, 1_500, 8_000])('keeps a budget of %i tokens', async (max_tokens) => {
    const asked = { q: 'dimmer careful patience', inbox_id: inbox.id, max_tokens }
    const told = await client.call('get_context', asked)
    expect(objectOf<Facts>(told).answerable).toBe(true)
    expect(tokens(JSON.stringify(told.structuredContent))).toBeLessThanOrEqual(max_tokens)
    expect(tokens(textOf(told))).toBeLessThanOrEqual(max_tokens)
  })
})

test('with several inboxes one has to be named', async () => {
  const second = await room.newInbox()
  for (const tool of ['search_documents', 'get_context']) {
    const told = await client.call(tool, { q: 'lamp' })
    expect(textOf(told)).toContain('\nargument: inbox_id\n')
    expect(textOf(told)).toContain(second)
    const named = await client.call(tool, { q: 'warranty lamp', inbox_id: second })
    expect(textOf(named)).not.toContain('three years')
  }
})
