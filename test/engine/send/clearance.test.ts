import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { putAllowList, putBlockList } from '../../../src/engine/inboxes/lists.ts'
import { updateInbox } from '../../../src/engine/inboxes/operations.ts'
import type { Settings } from '../../../src/engine/ports.ts'
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

describe('what would be held or is not allowed', () => {
  const held = { status: 403, code: 'recipient_not_allowed' }

  beforeEach(() => {
    Object.assign(world.engine.settings, { agentSendPolicy: 'review-new' })
  })

  test('an agent’s mail to somebody new names the setting, the recipient and the way to mend it', async () => {
    const error = await refused(world, mail({ cc: ['new@y.test'] }), world.agent)
    expect(error).toMatchObject(held)
    expect(error.message).toMatch(/ann@x\.test, new@y\.test.*AGENT_SEND_POLICY is "review-new"/)
    expect(error.fix).toContain(`PUT /v1/agent/inboxes/${inbox.id}/lists/allow`)
  })

  test('the allow-list lets it go; so does dry-run; a person needs neither', async () => {
    expect((await world.send(mail())).status).toBe('queued')
    const list = { inbox_id: inbox.id, entries: ['x.test'] }
    await putAllowList.run(world.engine, world.owner, list)
    expect((await world.send(mail(), world.agent)).status).toBe('queued')
    expect(await refused(world, mail({ bcc: 'spy@y.test' }), world.agent)).toMatchObject(held)
    Object.assign(world.engine.settings, { outbound: 'dry-run' })
    expect((await world.send(mail({ to: 'new@y.test' }), world.agent)).status).toBe('queued')
  })

  test('an author with DMARC pass is proven in the thread, for an answer; without it not', async () => {
    const first = await world.mail(inbox, `i-${inbox.id}`, [], 'fail')
    const answer = { thread_id: first.thread_id, text_body: 'ok' }
    expect(await refused(world, answer, world.agent)).toMatchObject(held)
    const tie = [`In-Reply-To: <i-${inbox.id}@x.test>`, 'Cc: eve@z.test', 'Reply-To: eve@z.test']
    world.clock.advance(1000)
    const second = await world.mail(inbox, `j-${inbox.id}`, tie, 'pass')
    expect(second.thread_id).toBe(first.thread_id)
    // Cc and Reply-To of the proven author prove nobody.
    expect((await refused(world, answer, world.agent)).message).toContain('eve@z.test')
    const toAuthor = await world.send({ ...answer, to: 'ANN@x.test' }, world.agent)
    expect(toAuthor.status).toBe('queued')
    expect(await refused(world, mail(), world.agent)).toMatchObject(held)
  })

  test('whom a person wrote to in the thread is proven there; whom an agent wrote to is not', async () => {
    const byPerson = await world.send(mail({ bcc: 'hidden@x.test' }))
    const answer = {
      thread_id: byPerson.thread_id,
      text_body: 'ok',
      to: ['ann@x.test', 'hidden@x.test'],
    }
    expect((await world.send(answer, world.agent)).status).toBe('queued')
    Object.assign(world.engine.settings, { agentSendPolicy: 'open' })
    const byAgent = await world.send(mail({ to: 'bob@x.test' }), world.agent)
    Object.assign(world.engine.settings, { agentSendPolicy: 'review-new' })
    expect(
      await refused(world, { thread_id: byAgent.thread_id, text_body: 'ok' }, world.agent),
    ).toMatchObject(held)
  })

  test('our own inboxes are always proven, also under a tag', async () => {
    const other = await world.inbox()
    const to = [other.address, other.address.replace('@', '+tag@').toUpperCase()]
    expect((await world.send(mail({ to }), world.agent)).status).toBe('queued')
  })

  test('the block-list wins, in dry-run too', async () => {
    const list = { inbox_id: inbox.id, entries: ['x.test'] }
    await putAllowList.run(world.engine, world.owner, list)
    await putBlockList.run(world.engine, world.owner, list)
    for (const outbound of ['relay', 'dry-run']) {
      Object.assign(world.engine.settings, { outbound })
      const error = await refused(world, mail())
      expect(error).toMatchObject(held)
      expect(error.message).toContain('block-list')
    }
  })

  test.each(['off', 'reply_only', 'allowlist', 'review'] as const)(
    'send_policy %s is named',
    async (policy) => {
      const change = { inbox_id: inbox.id, send_policy: policy }
      await updateInbox.run(world.engine, world.owner, change)
      const error = await refused(world, mail())
      expect(error).toMatchObject(held)
      expect(error.message).toContain(`send_policy of ${inbox.address} is "${policy}"`)
      expect(error.fix).toContain(policy === 'allowlist' ? 'lists/allow' : 'PATCH')
    },
  )
})
