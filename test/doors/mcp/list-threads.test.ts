import { Tiktoken } from 'js-tiktoken/lite'
import o200k from 'js-tiktoken/ranks/o200k_base'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { headers, type Mailroom, openMailroom, type Threads } from '../../world/mailroom.ts'
import { objectOf, textOf } from '../../world/mcp.ts'

const tokenizer = new Tiktoken(o200k)
const tokens = (text: string) => tokenizer.encode(text).length

let room: Mailroom

beforeAll(async () => {
  room = await openMailroom()
})
afterAll(() => room.close())

describe('list_threads', () => {
  test('20 threads cost at most 2,000 tokens as an object and 1,500 as text', async () => {
    const inbox = await room.newInbox()
    for (let i = 0; i < 20; i += 1) {
      const subject = ['Where is my order', 'Invoice for November', 'Broken lamp'][i % 3]
      await room.mail(
        inbox,
        headers(inbox, `cost-${i}`, `${subject} ${i}`),
        'Hello, it is still not here and I have been waiting for two weeks now.',
      )
    }
    const told = await room.client.call('list_threads', { inbox_id: inbox })
    expect(objectOf<Threads>(told).data).toHaveLength(20)
    expect(tokens(JSON.stringify(told.structuredContent))).toBeLessThanOrEqual(2_000)
    expect(tokens(textOf(told))).toBeLessThanOrEqual(1_500)
  })

  test('goes on with the cursor until everything was shown once', async () => {
    const inbox = await room.newInbox()
    for (let i = 0; i < 7; i += 1) await room.mail(inbox, headers(inbox, `page-${inbox}-${i}`))
    const pages: Threads[] = []
    let cursor: string | undefined
    do {
      const args = { inbox_id: inbox, limit: 3, ...(cursor ? { cursor } : {}) }
      const page = objectOf<Threads>(await room.client.call('list_threads', args))
      pages.push(page)
      cursor = page.receipt.next_cursor
    } while (cursor)
    const ids = pages.flatMap(({ data }) => data.map(({ thread_id }) => thread_id))
    expect(new Set(ids).size).toBe(7)
    expect(ids).toHaveLength(7)
    expect(pages.map(({ receipt }) => receipt)).toMatchObject([
      { total: 7, returned: 3, omitted: 4, complete: false },
      { total: 7, returned: 3, omitted: 1, complete: false },
      { total: 7, returned: 1, omitted: 0, complete: true },
    ])
  })

  test('is cut at 6,000 tokens, and the cut can be taken up', async () => {
    const inbox = await room.newInbox()
    const people = Array.from(
      { length: 40 },
      (_, i) => `Person Number ${i} <p${i}@long-domain.example>`,
    )
    const subject = 'A very long subject that goes on and on '.repeat(4)
    for (let i = 0; i < 30; i += 1) {
      const id = `${inbox}-big-${i}`
      await room.mail(
        inbox,
        headers(inbox, id, subject, `Cc: ${people.join(', ')}\n`),
        'x '.repeat(100),
      )
    }
    const told = await room.client.call('list_threads', { inbox_id: inbox, limit: 30 })
    const { data, receipt } = objectOf<Threads>(told)
    expect(receipt.returned).toBe(data.length)
    expect(data.length).toBeLessThan(30)
    expect(receipt).toMatchObject({ total: 30, complete: false, omitted: 30 - data.length })
    expect(tokens(JSON.stringify(told.structuredContent))).toBeLessThanOrEqual(6_300)
    const rest = objectOf<Threads>(
      await room.client.call('list_threads', {
        inbox_id: inbox,
        limit: 30,
        cursor: receipt.next_cursor,
      }),
    )
    const all = [...data, ...rest.data].map(({ thread_id }) => thread_id)
    expect(new Set(all).size).toBe(all.length)
    expect(rest.receipt.omitted).toBe(30 - all.length)
  })

  test('leaves out what a reader assumes, and says what differs', async () => {
    const inbox = await room.newInbox()
    await room.mail(inbox, headers(inbox, `plain-${inbox}`))
    const args = { inbox_id: inbox }
    const { data, checked_through, receipt } = objectOf<Threads>(
      await room.client.call('list_threads', args),
    )
    expect(data[0]).toMatchObject({ is_read: false, waiting_on: 'us', message_count: 1 })
    expect(Object.keys(data[0] ?? {})).not.toContain('labels')
    expect(Object.keys(data[0] ?? {})).not.toContain('is_archived')
    expect(Object.keys(data[0] ?? {})).not.toContain('inbox_id')
    expect(data[0]?.last_message_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\dZ$/)
    expect(checked_through).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    expect(receipt.now).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ [A-Z][a-z]+day$/)
    const everywhere = objectOf<Threads>(await room.client.call('list_threads', { limit: 1 }))
    expect(everywhere.data[0]).toHaveProperty('inbox_id')
  })

  test.each([
    [{ after: 'yesterday' }, 'after'],
    [{ before: '22.11.2026' }, 'before'],
    [{ cursor: 'abc' }, 'cursor'],
    [{ cursor: '5.abc' }, 'cursor'],
  ])('%j is refused by name', async (args, argument) => {
    const told = await room.client.call('list_threads', args)
    expect(textOf(told)).toMatch(/^error: validation_failed\n/)
    expect(textOf(told)).toContain(`\nargument: ${argument}\n`)
  })

  test('times without a zone are UTC', async () => {
    const inbox = await room.newInbox()
    await room.mail(inbox, headers(inbox, `zone-${inbox}`))
    const later = new Date(Date.now() + 60_000).toISOString().slice(0, 16)
    const args = { inbox_id: inbox, before: later, after: '2020-01-01' }
    expect(objectOf<Threads>(await room.client.call('list_threads', args)).data).toHaveLength(1)
  })
})
