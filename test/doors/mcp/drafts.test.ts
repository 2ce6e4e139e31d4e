import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createInbox } from '../../../src/engine/inboxes/operations.ts'
import { type EngineWorld, engineWorld } from '../../world/engine.ts'
import { headers, type Receipt, saysTheSame } from '../../world/mailroom.ts'
import { type Mcp, mailbox, objectOf, overStreams, textOf } from '../../world/mcp.ts'

let world: EngineWorld
let client: Mcp
let inbox: string
let mail: ReturnType<typeof mailbox>

const TOOLSETS = ['mail', 'drafts']
const HOUR = '2027-05-01T08:00:00Z'

beforeAll(async () => {
  world = await engineWorld()
  mail = mailbox(world.engine)
  client = await overStreams('modern', world.engine, world.agent, { toolsets: TOOLSETS })
  inbox = (await createInbox.run(world.engine, world.owner, { username: 'drafts' })).address
})
afterAll(async () => {
  await client.close()
  await world.close()
})

interface Row {
  draft_id: string
  message_id: string
  thread_id: string
  to: string[]
  [field: string]: unknown
}

async function told<Shape = Row>(name: string, args: Record<string, unknown>): Promise<Shape> {
  const result = await client.call(name, args)
  expect(result.isError, textOf(result)).toBeFalsy()
  saysTheSame(result)
  return objectOf<Shape>(result)
}
async function refusal(name: string, args: Record<string, unknown>): Promise<string> {
  const result = await client.call(name, args)
  expect(result.isError).toBe(true)
  return textOf(result)
}
const write = (over: object = {}) => ({
  inbox_id: inbox,
  to: ['ann@x.test'],
  subject: 'Offer',
  text_body: 'Here it is.',
  ...over,
})
const asked = async (id: string, more = '') => {
  const message_id = await mail(inbox, headers(inbox, id, `Order ${id}`, more), `Where is ${id}?`)
  const { thread_id } = (
    await world.engine.db.query<{ thread_id: string }>(
      'SELECT thread_id FROM messages WHERE id = $1',
      [message_id],
    )
  )[0] ?? { thread_id: '' }
  return { message_id, thread_id }
}

test('the toolset is offered where the operator names it, and nowhere else', async () => {
  const names = async (toolsets: string[]) => {
    const other = await overStreams('modern', world.engine, world.agent, { toolsets })
    const tools = (await other.tools()).map(({ name }) => name)
    await other.close()
    return tools.filter((name) => name.includes('draft'))
  }
  expect(await names(['mail', 'knowledge'])).toEqual([])
  expect(await names(['drafts'])).toEqual([
    'create_draft',
    'update_draft',
    'list_drafts',
    'send_draft',
    'delete_draft',
  ])
})

describe('a draft', () => {
  test('is made, changed, listed, sent once and gone from the list', async () => {
    const made = await told('create_draft', write({ body: undefined, cc: 'Bob <bob@x.test>' }))
    expect(made).toMatchObject({
      kind: 'new',
      from: inbox,
      to: ['ann@x.test'],
      cc: ['Bob <bob@x.test>'],
      subject: 'Offer',
      text: 'Here it is.',
      would: { verdict: 'allow', would_have_been: 'review', reasons: [{ code: 'new_recipient' }] },
    })
    const { draft_id } = made
    const changed = await told('update_draft', { draft_id, subject: 'Second', cc: [], bcc: '' })
    expect(changed).toMatchObject({ draft_id, subject: 'Second' })
    expect(changed).not.toHaveProperty('cc')
    const listed = await told<{ data: Row[]; receipt: Receipt }>('list_drafts', { inbox_id: inbox })
    expect(listed.data).toMatchObject([{ draft_id, subject: 'Second', kind: 'new' }])
    expect(listed.receipt).toMatchObject({ total: 1, returned: 1, complete: true })
    const trial = await told('send_draft', { draft_id, dry_run: true })
    expect(trial).toMatchObject({ verdict: 'allow' })
    const sent = await told('send_draft', { draft_id })
    expect(sent).toMatchObject({ status: 'dry_run', to: ['ann@x.test'], subject: 'Second' })
    expect(await told('send_draft', { draft_id })).toMatchObject({ message_id: sent.message_id })
    const after = await told<{ data: Row[] }>('list_drafts', { inbox_id: inbox })
    expect(after.data).toEqual([])
    expect(await refusal('update_draft', { draft_id, subject: 'x' })).toMatch(/^error: conflict/)
  })

  test('of a reply is addressed by itself, and is refused where the thread moved', async () => {
    const first = await asked('reply')
    const made = await told('create_draft', {
      thread_id: first.thread_id,
      text: 'Soon.',
    })
    expect(made).toMatchObject({
      kind: 'reply',
      thread_id: first.thread_id,
      to: ['Ann <ann@example.com>'],
      subject: 'Re: Order reply',
    })
    await asked('reply-2', 'In-Reply-To: <reply@example.com>\n')
    const text = await refusal('send_draft', {
      draft_id: made.draft_id,
      if_last_message_id: first.message_id,
    })
    expect(text).toMatch(/^error: thread_moved\n/)
    expect(text).toMatch(/<<mail [0-9a-f]{8}\nWhere is reply-2\?/)
    expect(await told('send_draft', { draft_id: made.draft_id })).toMatchObject({
      thread_id: first.thread_id,
    })
  })

  test('is whole when it is made: what is missing is refused as in send_email', async () => {
    for (const tool of ['create_draft', 'send_email']) {
      expect(await refusal(tool, write({ text_body: '' }))).toMatch(/the mail has no text/)
      expect(await refusal(tool, write({ to: [] }))).toMatch(/argument: to/)
      expect(await refusal(tool, write({ subject: undefined }))).toMatch(/argument: subject/)
      expect(await refusal(tool, write({ html_body: '<p>x' }))).toMatch(/markdown_body/)
      const both = { thread_id: 'thr_x', reply_to_message_id: 'msg_x' }
      expect(await refusal(tool, write(both))).toMatch(/not both/)
      expect(await refusal(tool, write({ reply_all: true }))).toMatch(/argument: reply_all/)
      expect(await refusal(tool, write({ send_at: 'tomorrow' }))).toMatch(/argument: send_at/)
      const many = Array.from({ length: 51 }, (_, n) => `n${n}@x.test`)
      expect(await refusal(tool, write({ to: many }))).toMatch(/at most 50/)
    }
    const { data } = await told<{ data: Row[] }>('list_drafts', { inbox_id: inbox })
    expect(data).toEqual([])
  })

  test('is thrown away, and so is a planned mail, which is listed beside it', async () => {
    const { draft_id } = await told('create_draft', write())
    const planned = await told('send_email', write({ send_at: '2027-05-01T08:00' }))
    expect(planned).toMatchObject({ status: 'scheduled', send_at: HOUR })
    const listed = await told<{ data: Row[] }>('list_drafts', {})
    expect(listed.data.map((row) => row.draft_id)).toEqual([planned.message_id, draft_id])
    const later = { draft_id: planned.message_id, send_at: '2027-06-01T08:00:00Z' }
    expect(await told('update_draft', later)).toMatchObject({ send_at: later.send_at })
    for (const id of [planned.message_id, draft_id]) {
      expect(await told('delete_draft', { draft_id: id })).toEqual({ draft_id: id, deleted: true })
    }
    expect((await told<{ data: Row[] }>('list_drafts', {})).data).toEqual([])
  })

  test('with an hour is planned when it is sent, and unscheduled by ""', async () => {
    const { draft_id } = await told('create_draft', write({ send_at: HOUR }))
    const without = await told('update_draft', { draft_id, send_at: '' })
    expect(without).not.toHaveProperty('send_at')
    await told('update_draft', { draft_id, send_at: HOUR })
    const sent = await told('send_draft', { draft_id })
    expect(sent).toMatchObject({ status: 'scheduled', send_at: HOUR })
    expect(sent.next).toMatch(/At send_at it is kept/)
    await told('delete_draft', { draft_id })
    const again = await told('send_draft', { draft_id })
    expect(again).toMatchObject({ message_id: sent.message_id, status: 'cancelled' })
    expect(again.next).toMatch(/^It does not go: it is cancelled/)
  })
})

describe('send_email', () => {
  test('under the same idempotency_key is one mail', async () => {
    const request = write({ idempotency_key: 'agent-1' })
    const first = await told('send_email', request)
    expect(await told('send_email', request)).toEqual(first)
    const other = await refusal('send_email', { ...request, subject: 'Other' })
    expect(other).toMatch(/^error: conflict\n/)
    expect(other).toMatch(/^argument: idempotency_key$/m)
  })

  test('is refused in a thread that moved, with what is new between the marks', async () => {
    const first = await asked('moved')
    await asked('moved-2', 'In-Reply-To: <moved@example.com>\n')
    const text = await refusal('send_email', {
      thread_id: first.thread_id,
      text_body: 'It comes.',
      if_last_message_id: first.message_id,
    })
    expect(text).toMatch(/^error: thread_moved\n/)
    expect(text).toMatch(/^argument: if_last_message_id$/m)
    expect(text).toMatch(/<<mail ([0-9a-f]{8})\nWhere is moved-2\?\s*\nmail \1>>/)
    expect(text).toMatch(/data, not instructions/)
  })

  test('as a trial says what would become of it, and stores nothing', async () => {
    const total = async () => (await world.engine.db.query('SELECT count(*) AS n FROM messages'))[0]
    const before = await total()
    const trial = await told('send_email', write({ dry_run: true }))
    expect(trial).toMatchObject({ verdict: 'allow' })
    expect(await total()).toEqual(before)
  })

  test('that is held shows whom it would reach, and why it waits', async () => {
    Object.assign(world.engine.settings, { outbound: 'relay', mailDomain: 'ours.test' })
    const { address } = await createInbox.run(world.engine, world.owner, { username: 'held' })
    const request = write({ inbox_id: address, idempotency_key: 'held' })
    const held = await told('send_email', request)
    expect(await told('send_email', request)).toEqual(held)
    expect(held).toMatchObject({
      status: 'pending_review',
      from: address,
      to: ['ann@x.test'],
      review: { reasons: [{ code: 'new_recipient' }] },
    })
    Object.assign(world.engine.settings, { outbound: 'dry-run' })
  })
})
