import { simpleParser } from 'mailparser'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { rejectReview } from '../../../src/engine/send/reviews/operations.ts'
import type { Held } from '../../../src/engine/send/sent.ts'
import { type SendWorld, sendWorld, type TestInbox } from './send-world.ts'

let world: SendWorld
let inbox: TestInbox

beforeAll(async () => {
  world = await sendWorld({ agentSendPolicy: 'review-new' })
})
beforeEach(async () => {
  await world.calm()
  inbox = await world.inbox()
})
afterAll(() => world.quit())

async function hold(over: object = {}): Promise<Held> {
  const mail = { inbox_id: inbox.id, to: 'ann@x.test', subject: 'Hello', text_body: 'Hi Ann' }
  const held = (await world.ask({ ...mail, ...over }, world.agent)) as Held
  expect(held.status).toBe('pending_review')
  return held
}

describe('REVIEW_NOTIFY', () => {
  test('is told by a mail what waits, why, and how to let it go', async () => {
    Object.assign(world.engine.settings, { reviewNotify: 'boss@y.test' })
    const held = await hold({ subject: 'Grüße' })
    await world.settle()
    const [notice] = world.relay.taken
    expect(notice?.to).toEqual(['boss@y.test'])
    const mail = await simpleParser(notice?.raw ?? '')
    expect(mail.subject).toBe('A mail waits for you: Grüße')
    expect(mail.headers.get('auto-submitted')).toBe('auto-generated')
    for (const told of ['ann@x.test', 'Hi Ann', held.review_id, 'AGENT_SEND_POLICY']) {
      expect(mail.text).toContain(told)
    }
  })

  test('is not told the secret that a mail is held for', async () => {
    Object.assign(world.engine.settings, { reviewNotify: 'boss@y.test' })
    const key = ['ait_0f8fad5b-d9cb-', '469f-a165-70867728950e'].join('')
    const content = Buffer.from(key).toString('base64')
    const attachments = [{ filename: `${key}.txt`, content }]
    const held = await hold({ subject: `Key ${key}`, text_body: `It is ${key}`, attachments })
    expect(JSON.stringify(held.reasons)).not.toContain(key)
    await world.settle()
    const [notice] = world.relay.taken
    const mail = await simpleParser(notice?.raw ?? '')
    expect(mail.subject).toBe(`A mail waits for you: from ${inbox.address}`)
    for (const told of ['ann@x.test', inbox.address, held.review_id, 'postroom reviews show']) {
      expect(mail.text).toContain(told)
    }
    expect(mail.text).toContain('subject and text are left out')
    expect(`${mail.text}${notice?.raw}`).not.toContain(key)
  })

  test('is told again where the relay was away, and not of what was decided meanwhile', async () => {
    Object.assign(world.engine.settings, { reviewNotify: 'boss@y.test' })
    world.relay.onRecipient = () => ({ code: 451, text: '4.3.0 later' })
    const [one, two] = [await hold(), await hold()]
    await world.settle()
    await rejectReview.run(world.engine, world.owner, { review_id: two.review_id })
    world.relay.onRecipient = () => undefined
    world.clock.advance(300_000)
    await world.settle()
    expect(world.relay.taken).toHaveLength(1)
    expect(world.relay.taken[0]?.raw.toString()).toContain(one.review_id)
  })

  test('may be an inbox of ours', async () => {
    const boss = await world.inbox()
    Object.assign(world.engine.settings, { reviewNotify: boss.address })
    await hold()
    await world.settle()
    expect((await world.list(boss)).data).toMatchObject([
      { subject: 'A mail waits for you: Hello', auto_reply: expect.any(String) },
    ])
  })
})
