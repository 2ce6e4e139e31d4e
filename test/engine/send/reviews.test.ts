import { createHash } from 'node:crypto'
import { simpleParser } from 'mailparser'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { listAudit } from '../../../src/engine/access/audit.ts'
import { putBlockList } from '../../../src/engine/inboxes/lists.ts'
import { deleteInbox, updateInbox } from '../../../src/engine/inboxes/operations.ts'
import { getThread } from '../../../src/engine/messages/operations.ts'
import {
  approveReview,
  getReview,
  listReviews,
  rejectReview,
} from '../../../src/engine/send/reviews/operations.ts'
import type { Review } from '../../../src/engine/send/reviews/review.ts'
import type { Held } from '../../../src/engine/send/sent.ts'
import { type SendWorld, sendWorld, type TestInbox } from './send-world.ts'

const HOUR_MS = 3_600_000

let world: SendWorld
let inbox: TestInbox

beforeAll(async () => {
  world = await sendWorld({ agentSendPolicy: 'review-new' })
})
beforeEach(async () => {
  await world.calm()
  Object.assign(world.engine.settings, { agentSendPolicy: 'review-new', reviewNotify: undefined })
  inbox = await world.inbox()
})
afterAll(() => world.quit())

async function hold(over: object = {}): Promise<Held> {
  const mail = { inbox_id: inbox.id, to: 'ann@x.test', subject: 'Hello', text_body: 'Hi Ann' }
  const held = (await world.ask({ ...mail, ...over }, world.agent)) as Held
  expect(held.status).toBe('pending_review')
  return held
}
const review = (id: string): Promise<Review> =>
  getReview.run(world.engine, world.owner, { review_id: id })
const approve = async (id: string, over: { sha256?: string } = {}, caller = world.owner) => {
  const { sha256 } = await review(id)
  return approveReview.run(world.engine, caller, { review_id: id, sha256, ...over })
}
const reject = (id: string, reason?: string, caller = world.owner) =>
  rejectReview.run(world.engine, caller, { review_id: id, ...(reason && { reason }) })
const list = (input: object) =>
  listReviews.run(world.engine, world.owner, listReviews.input.parse(input))

describe('a mail that waits', () => {
  test('is stored with its bytes, is not delivered, and is told of', async () => {
    const held = await hold({ bcc: 'boss@x.test' })
    await world.settle()
    expect(world.relay.taken).toEqual([])
    expect(await world.message(held.id)).toMatchObject({ status: 'pending_review' })
    const waits = await review(held.review_id)
    expect(waits).toMatchObject({
      status: 'pending',
      message_id: held.message_id,
      inbox_id: inbox.id,
      expires_at: held.expires_at,
      reasons: [{ code: 'new_recipient', recipients: ['ann@x.test', 'boss@x.test'] }],
      message: { bcc: [{ email: 'boss@x.test' }], text_body: expect.stringContaining('Hi Ann') },
    })
    expect(await world.told(held.id)).toMatchObject([
      {
        event: 'email.pending_review',
        data: { review_id: held.review_id, sha256: waits.sha256, reasons: held.reasons },
      },
    ])
  })

  test('has a hash over its envelope and its bytes', async () => {
    const held = await hold({ bcc: 'boss@x.test' })
    const [row] = await world.engine.db.query<{ raw_sha256: string }>(
      'SELECT raw_sha256 FROM messages WHERE id = $1',
      [held.id],
    )
    const raw = await world.engine.blobs.get(world.owner.orgId, row?.raw_sha256 ?? '')
    const envelope = { mail_from: inbox.address, rcpt_to: ['ann@x.test', 'boss@x.test'] }
    const hash = createHash('sha256')
      .update(`${JSON.stringify(envelope)}\n`)
      .update(raw)
    expect((await review(held.review_id)).sha256).toBe(hash.digest('hex'))
  })

  test('does not make its thread look answered', async () => {
    const asked = await world.mail(inbox, `r-${inbox.id}`, [], 'fail')
    const held = await hold({ thread_id: asked.thread_id, subject: undefined })
    const shown = () => getThread.run(world.engine, world.owner, { thread_id: asked.thread_id })
    expect(await shown()).toMatchObject({ waiting_on: 'us', last_message_id: asked.id })
    await approve(held.review_id)
    expect(await shown()).toMatchObject({
      waiting_on: 'them',
      last_message_id: held.id,
      message_count: 2,
    })
  })

  test('is listed, for the inbox and for the organization, by status', async () => {
    const [one, two] = [await hold(), await hold({ subject: 'Second' })]
    await reject(one.review_id)
    const ids = async (input: object) => (await list(input)).data.map(({ id }) => id)
    expect(await ids({ inbox_id: inbox.id })).toEqual([two.review_id, one.review_id])
    expect(await ids({ inbox_id: inbox.id, status: 'pending' })).toEqual([two.review_id])
    expect(await ids({ org_id: world.owner.orgId })).toContain(two.review_id)
    const page = await list({ inbox_id: inbox.id, limit: 1 })
    expect(page.pagination).toMatchObject({ total: 2, limit: 1 })
    const rest = { inbox_id: inbox.id, limit: 1, cursor: page.pagination.next_cursor }
    expect(await ids(rest)).toEqual([one.review_id])
    await expect(list({ org_id: 'org_00000000000000000000000000' })).rejects.toMatchObject({
      status: 404,
    })
  })

  test('goes with its inbox', async () => {
    const held = await hold()
    await deleteInbox.run(world.engine, world.owner, { inbox_id: inbox.id })
    await world.settle()
    await expect(review(held.review_id)).rejects.toMatchObject({ status: 404 })
    const rows = 'SELECT id FROM reviews WHERE id = $1'
    expect(await world.engine.db.query(rows, [held.review_id])).toEqual([])
  })
})

describe('approval', () => {
  test('lets exactly the mail go that was seen, to exactly its recipients', async () => {
    const held = await hold({ cc: 'cc@x.test', bcc: 'boss@y.test' })
    const done = await approve(held.review_id)
    expect(done).toMatchObject({
      status: 'approved',
      resolved_by: world.owner.name,
      message: { status: 'queued' },
    })
    await world.settle()
    const to = world.relay.taken.flatMap((taken) => taken.to)
    expect(to.sort()).toEqual(['ann@x.test', 'boss@y.test', 'cc@x.test'])
    const sent = await simpleParser(world.relay.taken[0]?.raw ?? '')
    expect(sent).toMatchObject({ subject: 'Hello', text: expect.stringContaining('Hi Ann') })
    expect(await world.message(held.id)).toMatchObject({ status: 'sent' })
    const told = (await world.told(held.id)).map(({ event }) => event)
    expect(told).toEqual(['email.pending_review', 'email.approved', 'email.sent'])
  })

  test('names the hash: another one is a conflict, and the mail stays', async () => {
    const held = await hold()
    await expect(approve(held.review_id, { sha256: 'ab'.repeat(32) })).rejects.toMatchObject({
      status: 409,
      details: [{ field: 'sha256' }],
    })
    expect(await review(held.review_id)).toMatchObject({ status: 'pending' })
  })

  test.each([
    `UPDATE messages SET envelope = jsonb_set(envelope, '{rcpt_to,1}', '"eve@z.test"') WHERE id = $1`,
    `INSERT INTO recipients SELECT (jsonb_populate_record(r, '{"email": "eve@z.test"}')).*
     FROM recipients r WHERE r.message_id = $1`,
  ])('is for the recipients that were seen: not after %s', async (change) => {
    const held = await hold()
    await world.engine.db.query(change, [held.id])
    await expect(approve(held.review_id)).rejects.toMatchObject({
      status: 409,
      message: expect.stringContaining('not the one that was held'),
    })
    await world.settle()
    expect(world.relay.taken).toEqual([])
  })

  test('happens once, however many say it at the same time', async () => {
    const held = await hold()
    const all = await Promise.allSettled(Array.from({ length: 20 }, () => approve(held.review_id)))
    const others = all.flatMap((one) => (one.status === 'rejected' ? [one.reason.status] : []))
    expect(others).toEqual(Array(19).fill(409))
    await expect(approve(held.review_id)).rejects.toMatchObject({ status: 409 })
    await expect(reject(held.review_id)).rejects.toMatchObject({ status: 409 })
    await world.settle()
    expect(world.relay.taken).toHaveLength(1)
  })

  test('is nothing that an agent can say, whatever scopes it has', async () => {
    const held = await hold()
    const { sha256 } = await review(held.review_id)
    const agent = { ...world.owner, agent: true }
    await expect(approve(held.review_id, { sha256 }, agent)).rejects.toMatchObject({ status: 403 })
    await expect(reject(held.review_id, 'no', agent)).rejects.toMatchObject({ status: 403 })
    expect(await review(held.review_id)).toMatchObject({ status: 'pending' })
  })

  test('yields to a block-list and a send_policy that were set meanwhile', async () => {
    const held = await hold()
    const block = (entries: string[]) =>
      putBlockList.run(world.engine, world.owner, { inbox_id: inbox.id, entries })
    const refused = { status: 403, code: 'recipient_not_allowed' }
    await block(['x.test'])
    await expect(approve(held.review_id)).rejects.toMatchObject(refused)
    await block([])
    const policy = (send_policy: 'off' | 'review') =>
      updateInbox.run(world.engine, world.owner, { inbox_id: inbox.id, send_policy })
    await policy('off')
    await expect(approve(held.review_id)).rejects.toMatchObject(refused)
    await policy('review')
    expect(await approve(held.review_id)).toMatchObject({ status: 'approved' })
  })

  test('of a mail for later plans it; it goes at its hour', async () => {
    const at = new Date(world.clock.now().getTime() + 2 * HOUR_MS)
    const held = await hold({ send_at: at.toISOString() })
    expect(await approve(held.review_id)).toMatchObject({ message: { status: 'scheduled' } })
    await world.settle()
    expect(world.relay.taken).toEqual([])
    world.clock.advance(2 * HOUR_MS)
    await world.settle()
    expect(world.relay.taken).toHaveLength(1)
  })

  test('and rejection are in the audit', async () => {
    const [one, two] = [await hold(), await hold()]
    await approve(one.review_id)
    await reject(two.review_id)
    const audit = await listAudit.run(world.engine, world.owner, { limit: 2, offset: 0 })
    expect(audit.data).toMatchObject([
      { action: 'review.rejected', ids: [two.review_id, two.id], inbox_id: inbox.id },
      { action: 'review.approved', ids: [one.review_id, one.id], actor: world.owner.name },
    ])
  })
})

describe('a mail that is not approved', () => {
  test('never goes once it is rejected; the reason is kept and told', async () => {
    const held = await hold()
    const done = await reject(held.review_id, 'Not to her')
    expect(done).toMatchObject({ status: 'rejected', note: 'Not to her' })
    const message = await world.message(held.id)
    expect(message.status).toBe('rejected')
    expect(message.recipients).toMatchObject([{ email: 'ann@x.test', status: 'cancelled' }])
    await world.settle()
    expect(world.relay.taken).toEqual([])
    expect((await world.told(held.id)).at(-1)).toMatchObject({
      event: 'email.failed',
      data: { status: 'rejected', note: 'Not to her', review_id: held.review_id },
    })
    await expect(approve(held.review_id)).rejects.toMatchObject({ status: 409 })
  })

  test('expires after REVIEW_TTL_HOURS, with an event; approving comes too late', async () => {
    const held = await hold()
    world.clock.advance(168 * HOUR_MS - 1)
    await world.settle()
    expect(await review(held.review_id)).toMatchObject({ status: 'pending' })
    world.clock.advance(1)
    await expect(approve(held.review_id)).rejects.toMatchObject({ status: 409 })
    await world.settle()
    expect(await review(held.review_id)).toMatchObject({ status: 'expired' })
    expect(await world.message(held.id)).toMatchObject({ status: 'expired' })
    expect((await world.told(held.id)).at(-1)).toMatchObject({
      event: 'email.failed',
      data: { status: 'expired' },
    })
    expect(world.relay.taken).toEqual([])
  })
})
