import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Caller } from '../../../src/engine/caller.ts'
import { putAllowList, putBlockList } from '../../../src/engine/inboxes/lists.ts'
import { updateInbox } from '../../../src/engine/inboxes/operations.ts'
import type { Settings } from '../../../src/engine/ports.ts'
import { checkMessage } from '../../../src/engine/send/check.ts'
import type { Held } from '../../../src/engine/send/sent.ts'
import { refused, type SendWorld, sendWorld, type TestInbox } from './send-world.ts'

let world: SendWorld
let inbox: TestInbox

beforeAll(async () => {
  world = await sendWorld()
})
beforeEach(async () => {
  Object.assign(world.engine.settings, {
    outbound: 'relay',
    agentSendPolicy: 'open',
    readOnly: false,
  } satisfies Partial<Settings>)
  inbox = await world.inbox()
})
afterAll(() => world.quit())

const mail = (over: object = {}) => ({
  inbox_id: inbox.id,
  to: 'Ann <ann@x.test>',
  subject: 'Hello',
  text_body: 'Hi Ann',
  ...over,
})

const denied = { status: 403, code: 'recipient_not_allowed' }

/** The mail as it is held: status, and the reasons in one line each. */
async function held(input: object, caller: Caller = world.agent) {
  const answer = await world.ask(input, caller)
  expect(answer).toMatchObject({ status: 'pending_review', review_id: expect.any(String) })
  return (answer as Held).reasons
}
const went = async (input: object, caller: Caller = world.agent) =>
  expect(await world.send(input, caller)).toMatchObject({ status: 'queued' })

describe('an agent under review-new', () => {
  beforeEach(() => {
    Object.assign(world.engine.settings, { agentSendPolicy: 'review-new' })
  })

  test('its mail to somebody new is held, and names the setting, the recipients and the way to mend it', async () => {
    const [reason, ...others] = await held(mail({ cc: ['new@y.test'] }))
    expect(others).toEqual([])
    expect(reason).toMatchObject({
      code: 'new_recipient',
      recipients: ['ann@x.test', 'new@y.test'],
      message: expect.stringMatching(/ann@x\.test, new@y\.test.*AGENT_SEND_POLICY is "review-new"/),
      fix: expect.stringContaining(`PUT /v1/agent/inboxes/${inbox.id}/lists/allow`),
    })
  })

  test('the allow-list lets it go; a person needs none', async () => {
    await went(mail(), world.owner)
    const list = { inbox_id: inbox.id, entries: ['x.test'] }
    await putAllowList.run(world.engine, world.owner, list)
    await went(mail())
    const [reason] = await held(mail({ bcc: 'spy@y.test' }))
    expect(reason?.recipients).toEqual(['spy@y.test'])
  })

  test('in dry-run nothing is held, and the answer says what would have been', async () => {
    Object.assign(world.engine.settings, { outbound: 'dry-run' })
    expect(await world.send(mail({ to: 'new@y.test' }), world.agent)).toMatchObject({
      status: 'queued',
      delivery: 'dry-run',
      would_have_been: 'review',
      reasons: [{ code: 'new_recipient', recipients: ['new@y.test'] }],
    })
    expect(await world.send(mail({ to: 'new@y.test' }))).not.toHaveProperty('would_have_been')
  })

  test('an author with DMARC pass is proven in the thread, for an answer; without it not', async () => {
    const first = await world.mail(inbox, `i-${inbox.id}`, [], 'fail')
    const answer = { thread_id: first.thread_id, text_body: 'ok' }
    await held(answer)
    const tie = [`In-Reply-To: <i-${inbox.id}@x.test>`, 'Cc: eve@z.test', 'Reply-To: eve@z.test']
    world.clock.advance(1000)
    const second = await world.mail(inbox, `j-${inbox.id}`, tie, 'pass')
    expect(second.thread_id).toBe(first.thread_id)
    // Cc and Reply-To of the proven author prove nobody.
    expect((await held(answer))[0]?.recipients).toEqual(['eve@z.test'])
    await went({ ...answer, to: 'ANN@x.test' })
    await held(mail())
  })

  test('two authors in one From prove neither, whatever DMARC says of the first', async () => {
    const from = ['From: Ann <ann@x.test>, Eve <eve@z.test>']
    const first = await world.mail(inbox, `k-${inbox.id}`, from, 'pass')
    await held({ thread_id: first.thread_id, to: 'ann@x.test', text_body: 'ok' })
  })

  test('whom a person wrote to in the thread is proven there; whom an agent wrote to is not', async () => {
    const byPerson = await world.send(mail({ bcc: 'hidden@x.test' }))
    const answer = {
      thread_id: byPerson.thread_id,
      text_body: 'ok',
      to: ['ann@x.test', 'hidden@x.test'],
    }
    await went(answer)
    Object.assign(world.engine.settings, { agentSendPolicy: 'open' })
    const byAgent = await world.send(mail({ to: 'bob@x.test' }), world.agent)
    Object.assign(world.engine.settings, { agentSendPolicy: 'review-new' })
    await held({ thread_id: byAgent.thread_id, text_body: 'ok' })
  })

  test('whom a person only meant to write to is not proven: the mail waits itself', async () => {
    const first = await world.mail(inbox, `l-${inbox.id}`, [], 'fail')
    const answer = { thread_id: first.thread_id, to: 'bob@x.test', text_body: 'ok' }
    const change = { inbox_id: inbox.id, send_policy: 'review' as const }
    await updateInbox.run(world.engine, world.owner, change)
    await held(answer, world.owner)
    await updateInbox.run(world.engine, world.owner, { ...change, send_policy: 'open' })
    await held(answer)
  })

  test('our own inboxes are always proven, also under a tag', async () => {
    const other = await world.inbox()
    await went(mail({ to: [other.address, other.address.replace('@', '+tag@').toUpperCase()] }))
  })
})

describe('everybody', () => {
  test('the block-list wins, in dry-run too', async () => {
    const list = { inbox_id: inbox.id, entries: ['x.test'] }
    await putAllowList.run(world.engine, world.owner, list)
    await putBlockList.run(world.engine, world.owner, list)
    for (const outbound of ['relay', 'dry-run']) {
      Object.assign(world.engine.settings, { outbound })
      const error = await refused(world, mail())
      expect(error).toMatchObject(denied)
      expect(error.message).toContain('block-list')
      expect(error.details).toEqual([{ field: 'recipients', message: 'ann@x.test' }])
    }
  })

  test.each(['off', 'reply_only', 'allowlist'] as const)(
    'send_policy %s refuses, and is named',
    async (policy) => {
      const change = { inbox_id: inbox.id, send_policy: policy }
      await updateInbox.run(world.engine, world.owner, change)
      const error = await refused(world, mail())
      expect(error).toMatchObject(denied)
      expect(error.message).toContain(`send_policy of ${inbox.address} is "${policy}"`)
      expect(error.fix).toContain(policy === 'allowlist' ? 'lists/allow' : 'PATCH')
    },
  )

  test('send_policy review holds the mail of a person too, and is named', async () => {
    const change = { inbox_id: inbox.id, send_policy: 'review' as const }
    await updateInbox.run(world.engine, world.owner, change)
    const [reason] = await held(mail(), world.owner)
    expect(reason).toMatchObject({ code: 'send_policy', recipients: ['ann@x.test'] })
    expect(reason?.message).toContain(`send_policy of ${inbox.address} is "review"`)
  })
})

describe('asked before', () => {
  const check = (input: object, caller: Caller = world.agent) =>
    checkMessage.run(world.engine, caller, checkMessage.input.parse(input))

  test('allow, review and deny with every reason, and nothing is stored', async () => {
    Object.assign(world.engine.settings, { agentSendPolicy: 'review-new' })
    const list = { inbox_id: inbox.id, entries: ['z.test'] }
    await putBlockList.run(world.engine, world.owner, list)
    const before = await world.kept()
    expect(await check(mail(), world.owner)).toEqual({ verdict: 'allow', reasons: [] })
    const key = 'ait_0f8fad5b-d9cb-469f-a165-70867728950e'
    const review = await check(mail({ text_body: `Here: ${key}` }))
    expect(review).toMatchObject({
      verdict: 'review',
      reasons: [{ code: 'new_recipient' }, { code: 'leak' }],
    })
    const deny = await check(mail({ to: ['ann@x.test', 'bob@z.test'], text_body: key }))
    expect(deny.verdict).toBe('deny')
    expect(deny.reasons.map(({ code }) => code)).toEqual(['blocked', 'new_recipient', 'leak'])
    expect(await check(mail({ dry_run: true }))).toMatchObject({ verdict: 'review' })
    expect(await world.ask(mail({ dry_run: true }), world.agent)).toMatchObject({
      verdict: 'review',
    })
    expect(await world.kept()).toEqual(before)
  })

  test('an address for answers is read like the rest of the mail', async () => {
    const reply_to = `${['AKIA', 'IOSFODNN7EXAMPLE'].join('')}@far.example`
    expect(await check(mail({ reply_to }), world.owner)).toMatchObject({
      verdict: 'review',
      reasons: [{ code: 'leak', message: expect.stringContaining('stands in a header or name') }],
    })
  })

  test('a file that cannot be looked through is a review, not an error', async () => {
    const filename = 'broken.zip'
    const content = Buffer.from('PK\u0003\u0004 and nothing else').toString('base64')
    expect(await check(mail({ attachments: [{ filename, content }] }), world.owner)).toMatchObject({
      verdict: 'review',
      reasons: [{ code: 'leak', message: expect.stringContaining('Not all of the file "broken') }],
    })
  })

  test('what is wrong in form stays an error that names the field', async () => {
    await expect(check(mail({ to: 'nobody' }))).rejects.toMatchObject({
      status: 400,
      details: [{ field: 'to' }],
    })
  })

  test('in dry-run it says what would have been', async () => {
    Object.assign(world.engine.settings, { agentSendPolicy: 'review-new', outbound: 'dry-run' })
    expect(await check(mail())).toMatchObject({
      verdict: 'allow',
      would_have_been: 'review',
      reasons: [{ code: 'new_recipient' }],
    })
  })
})
