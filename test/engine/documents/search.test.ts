import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { getContext, searchDocuments } from '../../../src/engine/documents/operations.ts'
import { newId } from '../../../src/platform/ids.ts'
import { HANDBOOK } from '../../world/handbook.ts'
import { type Knowledge, openKnowledge } from '../../world/knowledge.ts'

let house: Knowledge
beforeAll(async () => {
  house = await openKnowledge()
})
afterAll(() => house.close())

const search = (inbox_id: string, q: string, limit = 20) =>
  searchDocuments.run(house.engine, house.caller, { inbox_id, q, limit })
const context = (inbox_id: string, q: string, max_tokens = 2000) =>
  getContext.run(house.engine, house.caller, { inbox_id, q, max_tokens, limit: 20 })

describe('a search', () => {
  test('sees the documents of its inbox only, and a key those of its inboxes', async () => {
    const [mine, other] = [await house.newInbox(), await house.newInbox()]
    await house.upload(mine, 'a.txt', 'The password of the door is blue.')
    await house.upload(other, 'b.txt', 'The password of the safe is green.')
    await house.settle()
    expect((await search(mine, 'password')).data).toHaveLength(1)
    const limited = { ...house.caller, inboxIds: [other] }
    const found = await searchDocuments.run(house.engine, limited, { q: 'password', limit: 20 })
    expect(found.data.map(({ document_name }) => document_name)).toEqual(['b.txt'])
    const stranger = { ...house.caller, orgId: newId('org', house.clock.now()) }
    const none = await searchDocuments.run(house.engine, stranger, { q: 'password', limit: 20 })
    expect(none.data).toEqual([])
    await expect(
      searchDocuments.run(house.engine, limited, { inbox_id: mine, q: 'password', limit: 20 }),
    ).rejects.toMatchObject({ status: 404 })
  })

  test('finds other forms of a word, in English and in German', async () => {
    const inbox = await house.newInbox()
    await house.upload(inbox, 'en.txt', 'Refunds are granted to customers who return the items.')
    await house.upload(
      inbox,
      'de.txt',
      'Die Rückgabe ist innerhalb von 14 Tagen möglich. Die Kosten der Rücksendung trägt der Käufer.',
    )
    await house.settle()
    const names = async (q: string) => (await search(inbox, q)).data.map((one) => one.document_name)
    expect(await names('refunding a customer')).toEqual(['en.txt'])
    expect(await names('Wer zahlt die Rücksendungen?')).toEqual(['de.txt'])
    const { answerable, context: text } = await context(
      inbox,
      'Wie lange ist die Rückgabe möglich?',
    )
    expect(answerable).toBe(true)
    expect(text).toContain('14 Tagen')
    expect(await context(inbox, 'Wie ist das Wetter in der Stadt?')).toMatchObject({
      answerable: false,
    })
  })

  test('finds Japanese and Chinese, which have no spaces', async () => {
    const inbox = await house.newInbox()
    await house.upload(
      inbox,
      'ja.md',
      '# 返品\n\n商品の返品期限はお届けから30日以内です。送料は無料です。',
    )
    await house.upload(inbox, 'zh.md', '# 付款\n\n我们接受信用卡和银行转账。发票会在付款后发送。')
    await house.settle()
    const names = async (q: string) => (await search(inbox, q)).data.map((one) => one.document_name)
    expect((await names('返品の期限は何日ですか'))[0]).toBe('ja.md')
    expect((await names('怎么用信用卡付款'))[0]).toBe('zh.md')
    expect((await context(inbox, '返品の期限は何日ですか')).answerable).toBe(true)
    expect((await context(inbox, '社長の名前は誰ですか')).answerable).toBe(false)
  })

  test('tells one code from its neighbour', async () => {
    const inbox = await house.newInbox()
    await house.upload(inbox, 'a.txt', 'ERR-4711 means that the session token has expired.')
    await house.upload(inbox, 'b.txt', 'ERR-4712 means that the mailbox is full.')
    await house.settle()
    for (const q of ['What does ERR-4711 mean?', 'err 4711', 'error ERR_4711', 'ERR4711']) {
      expect((await search(inbox, q)).data[0]?.document_name, q).toBe('a.txt')
    }
    expect((await context(inbox, 'What does ERR-4711 mean?')).count).toBe(1)
    expect((await context(inbox, 'What does ERR-9999 mean?')).answerable).toBe(false)
  })

  test.each(["'", "\\'", 'a & | ! ( ) :* <->', '"', '%_', '💥', 'the of and', '\u0000 refund'])(
    'takes any question as words: %j',
    async (q) => {
      const inbox = await house.newInbox()
      await house.upload(inbox, 'a.txt', "It's the refund: 'quoted' \\ and \"so\" on.")
      await house.settle()
      expect((await search(inbox, q)).query).toBe(q)
    },
  )
})

describe('a context', () => {
  test('joins the passages to answer from, with their sources', async () => {
    const inbox = await house.newInbox()
    const { id } = await house.upload(inbox, 'handbook.md', HANDBOOK, 'Returns Policy')
    await house.settle()
    const answer = await context(inbox, 'refund policy')
    expect(answer).toMatchObject({
      query: 'refund policy',
      count: 1,
      answerable: true,
      mode: 'lexical',
    })
    expect(answer.context).toMatch(
      /^--- Document: Returns Policy \(relevance: [01]\.\d\d\) ---\n## Returns\n\nCustomers may request a refund/,
    )
    expect(answer.sources).toEqual([
      {
        chunk_id: expect.stringMatching(/^chk_/),
        document_id: id,
        document_name: 'Returns Policy',
        version: 1,
        heading: 'Shop handbook > Returns',
        relevance: expect.any(Number),
      },
    ])
  })

  test.each([
    'What is the capital of France?',
    'Who won the football world cup?',
    'How do I install a printer driver?',
    'moon landing',
  ])('is empty where nothing relevant is known: %s', async (q) => {
    const inbox = await house.newInbox()
    await house.upload(inbox, 'handbook.md', HANDBOOK)
    await house.settle()
    expect(await context(inbox, q)).toEqual({
      query: q,
      context: '',
      count: 0,
      omitted: 0,
      sources: [],
      answerable: false,
      mode: 'lexical',
    })
  })
})
