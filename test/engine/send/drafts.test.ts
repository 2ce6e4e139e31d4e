import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { updateDraft } from '../../../src/engine/send/drafts/operations.ts'
import { onItsWay } from '../../world/sent.ts'
import { draftsIn, MINUTE } from './draft-world.ts'
import { type SendWorld, sendWorld, type TestInbox } from './send-world.ts'

type Drafts = ReturnType<typeof draftsIn>

let world: SendWorld
let inbox: TestInbox
let draft: Drafts['draft']
let get: Drafts['get']
let change: Drafts['change']
let send: Drafts['send']
let list: Drafts['list']
let later: Drafts['later']

beforeAll(async () => {
  world = await sendWorld()
})
beforeEach(async () => {
  inbox = await world.inbox()
  await world.calm()
  Object.assign(world.engine.settings, { agentSendPolicy: 'open' })
  const drafts = draftsIn(world, inbox)
  ;({ draft, get, change, send, list, later } = drafts)
})
afterAll(() => world.quit())

const wrongFields = (error: { details: { field: string }[] }) =>
  error.details.map(({ field }) => field)

describe('a draft', () => {
  test('is kept as it was written, and says what would become of it', async () => {
    const made = await draft({ cc: ['Bob <bob@x.test>'], send_at: later(60) })
    expect(made).toMatchObject({
      id: expect.stringMatching(/^drf_/),
      kind: 'new',
      status: 'draft',
      from: { email: inbox.address },
      to: [{ email: 'ann@x.test' }],
      cc: [{ email: 'bob@x.test', name: 'Bob' }],
      subject: 'Offer',
      text_body: 'Here it is.',
      send_at: later(60),
      message_id: null,
      would: { verdict: 'allow', reasons: [] },
    })
    expect(await get(made.id)).toEqual(made)
    expect((await list()).data).toEqual(
      [{ ...made, would: undefined }].map(({ would: _, ...d }) => d),
    )
    await world.settle()
    expect(world.relay.seen).toEqual([])
    expect((await world.list(inbox)).data).toEqual([])
  })

  test('may be unfinished: what is missing is a reason', async () => {
    const bare = { to: undefined, subject: undefined, text_body: undefined }
    const made = await draft(bare)
    expect(made.would).toMatchObject({ verdict: 'deny', reasons: [{ code: 'validation_failed' }] })
    await expect(send(made.id)).rejects.toMatchObject({ status: 400 })
    await change(made.id, { text_body: 'Now.', to: ['ann@x.test'] })
    expect((await change(made.id, { subject: 'Done' })).would.verdict).toBe('allow')
    expect(onItsWay(await send(made.id)).subject).toBe('Done')
  })

  test.each([
    ['to', { to: ['ann@x.test', 'nobody'] }, 'to.1'],
    ['a line break in the subject', { subject: 'a\r\nBcc: z@z.test' }, 'subject'],
    ['a subject of 999 characters', { subject: 'x'.repeat(999) }, 'subject'],
    ['51 recipients', { to: Array.from({ length: 51 }, (_, n) => `n${n}@x.test`) }, 'to'],
    ['an hour that has passed', { send_at: '2020-01-01T00:00:00Z' }, 'send_at'],
    ['a header that is not allowed', { headers: { 'X\r\nBcc': 'z@z.test' } }, 'headers'],
  ])('with %s is refused by name, new or changed', async (_, wrong, field) => {
    const before = (await list()).pagination.total
    await expect(draft(wrong)).rejects.toSatisfy((error: { details: { field: string }[] }) =>
      wrongFields(error).some((one) => one.startsWith(field)),
    )
    expect((await list()).pagination.total).toBe(before)
    const { id } = await draft()
    await expect(change(id, wrong)).rejects.toMatchObject({ status: 400 })
    expect(await get(id)).toMatchObject({ subject: 'Offer', to: [{ email: 'ann@x.test' }] })
  })

  test('answers what was the newest when it was drafted, and shows whom', async () => {
    const asked = await world.mail(inbox, 'drafted')
    world.clock.advance(MINUTE)
    const reply = { thread_id: asked.thread_id, to: undefined, subject: undefined }
    const made = await draft(reply)
    expect(made).toMatchObject({
      kind: 'reply',
      thread_id: asked.thread_id,
      reply_to_message_id: asked.id,
      to: [{ email: 'ann@x.test' }],
      subject: 'Re: Order drafted',
    })
    const newer = ['From: Eve <eve@y.test>', 'In-Reply-To: <drafted@x.test>']
    await world.mail(inbox, 'drafted-2', newer)
    expect((await get(made.id)).to).toEqual([{ email: 'ann@x.test', name: 'Ann' }])
    const guarded = send(made.id, { if_last_message_id: asked.id })
    await expect(guarded).rejects.toMatchObject({ code: 'thread_moved' })
    const sent = onItsWay(await send(made.id))
    expect(sent.to).toEqual([{ email: 'ann@x.test', name: 'Ann' }])
    expect(sent.in_reply_to).toBe(asked.message_id_header)
  })

  test('of a forward keeps what it hands on', async () => {
    const came = await world.mail(inbox, 'handed-on')
    const made = await draft({ forward_message_id: came.id, subject: undefined, text_body: '' })
    expect(made).toMatchObject({
      kind: 'forward',
      subject: 'Fwd: Order handed-on',
      thread_id: null,
    })
    expect(onItsWay(await send(made.id)).text_body).toContain('Where is it?')
  })

  test('keeps its files as uploads, and sends them', async () => {
    const content = Buffer.from('a,b\n1,2\n').toString('base64')
    const made = await draft({ attachments: [{ filename: 'list.csv', content }] })
    expect(made.attachment_ids).toEqual([expect.stringMatching(/^att_/)])
    const [row] = await world.engine.db.query<{ written: object }>(
      'SELECT written FROM drafts WHERE id = $1',
      [made.id],
    )
    expect(JSON.stringify(row)).not.toContain(content)
    expect((await change(made.id, { subject: 'With files' })).attachment_ids).toHaveLength(1)
    const sent = onItsWay(await send(made.id))
    expect(sent.attachments).toMatchObject([{ filename: 'list.csv', size: 8 }])
    const without = await draft({ attachments: [{ filename: 'list.csv', content }] })
    expect((await change(without.id, { attachment_ids: [] })).attachment_ids).toEqual([])
  })

  test('that an agent writes to somebody new would be held', async () => {
    Object.assign(world.engine.settings, { agentSendPolicy: 'review-new' })
    const made = await draft({}, world.agent)
    expect(made).toMatchObject({
      by_agent: true,
      would: { verdict: 'review', reasons: [{ code: 'new_recipient' }] },
    })
    const held = await send(made.id, {}, world.agent)
    expect(held).toMatchObject({ status: 'pending_review', review_id: expect.any(String) })
    expect(await send(made.id, {}, world.agent)).toEqual({ ...held, replayed: true })
  })
})

describe('changing a draft', () => {
  test('changes the fields given, and an empty one goes', async () => {
    const { id } = await draft({ cc: ['bob@x.test'], send_at: later(60) })
    const after = await change(id, { subject: 'Second', cc: [], send_at: '' })
    expect(after).toMatchObject({
      subject: 'Second',
      cc: [],
      send_at: null,
      text_body: 'Here it is.',
    })
    expect(after.updated_at > after.created_at).toBe(true)
  })

  test('keeps its kind: what it answers cannot change', () => {
    const fields = ['thread_id', 'reply_to_message_id', 'forward_message_id']
    for (const field of fields) {
      expect(updateDraft.input.safeParse({ draft_id: 'drf_x', [field]: 'x' }).success).toBe(false)
    }
  })

  test('by two at once loses neither', async () => {
    const { id } = await draft()
    await Promise.all([change(id, { subject: 'Mine' }), change(id, { text_body: 'Yours' })])
    expect(await get(id)).toMatchObject({ subject: 'Mine', text_body: 'Yours' })
  })

  test('is possible when its hour has passed, and sending it then is refused', async () => {
    const { id } = await draft({ send_at: later(5) })
    world.clock.advance(10 * MINUTE)
    const after = await change(id, { subject: 'Late' })
    expect(after.would).toMatchObject({ verdict: 'deny' })
    await expect(send(id)).rejects.toMatchObject({ details: [{ field: 'send_at' }] })
    await change(id, { send_at: later(5) })
    expect(onItsWay(await send(id)).status).toBe('scheduled')
  })
})
