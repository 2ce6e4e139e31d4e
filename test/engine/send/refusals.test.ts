import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Refusal } from '../../../src/engine/errors.ts'
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

const MIB = 1024 * 1024
const mail = (over: object = {}) => ({
  inbox_id: inbox.id,
  to: 'Ann <ann@x.test>',
  subject: 'Hello',
  text_body: 'Hi Ann',
  ...over,
})

describe('refused before anything is stored:', () => {
  const fields = (error: Refusal) => error.details.map(({ field }) => field)

  test.each<[string, object, number, string[]]>([
    ['no recipients', { to: undefined }, 400, ['to']],
    ['an empty list of recipients', { to: [], cc: 'c@x.test' }, 400, ['to']],
    ['a wrong address, by its index', { to: ['a@x.test', 'b@x.test,c@x.test'] }, 400, ['to.1']],
    [
      'several wrong fields at once',
      { to: 'x', subject: 'a\r\nBcc: b', text_body: ' ' },
      400,
      ['to', 'subject', 'text_body'],
    ],
    ['no subject in a new mail', { subject: undefined }, 400, ['subject']],
    ['a blank subject in a new mail', { subject: ' ' }, 400, ['subject']],
    ['a subject of 999 characters', { subject: 'x'.repeat(999) }, 400, ['subject']],
    ['no body', { text_body: undefined }, 400, ['text_body']],
    ['51 recipients', { to: Array.from({ length: 51 }, (_, i) => `a${i}@x.test`) }, 400, ['to']],
    [
      'both ways of replying',
      { thread_id: 'thr_x', reply_to_message_id: 'msg_x' },
      400,
      ['reply_to_message_id'],
    ],
    ['an unknown thread', { thread_id: 'thr_00000000000000000000000000' }, 404, []],
    ['an unknown message', { reply_to_message_id: 'msg_00000000000000000000000000' }, 404, []],
    ['an unknown inbox', { inbox_id: 'nobody@ours.test' }, 404, []],
    ['a body of more than 25 MB', { text_body: 'x'.repeat(25 * MIB + 1) }, 413, ['text_body']],
    [
      'a body that its encoding makes longer than any server takes',
      { text_body: `${'ä'.repeat(8 * MIB)} \n.` },
      413,
      ['text_body'],
    ],
  ])('%s', async (_title, over, status, wrong) => {
    const error = await refused(world, mail(over))
    expect(error.status).toBe(status)
    expect(fields(error)).toEqual(wrong)
    expect(error.fix).not.toBe('')
  })

  test('a thread or message of another inbox', async () => {
    const other = await world.inbox()
    const first = await world.mail(other, `h-${inbox.id}`)
    const byThread = await refused(world, mail({ thread_id: first.thread_id }))
    expect(byThread).toMatchObject({ status: 400, details: [{ field: 'thread_id' }] })
    const byMessage = await refused(world, mail({ reply_to_message_id: first.id }))
    expect(byMessage).toMatchObject({ status: 400, details: [{ field: 'reply_to_message_id' }] })
  })

  test('an inbox that has to be named: the choice is listed', async () => {
    const error = await refused(world, mail({ inbox_id: undefined }))
    expect(error).toMatchObject({ status: 400, details: [{ field: 'inbox_id' }] })
    expect(error.message).toContain(world.hello)
  })

  test('but a key of one inbox need not name it', async () => {
    const caller = { ...world.owner, inboxIds: [inbox.id] }
    expect((await world.send(mail({ inbox_id: undefined }), caller)).inbox_id).toBe(inbox.id)
    const other = await world.inbox()
    expect((await refused(world, mail({ inbox_id: other.id }), caller)).status).toBe(404)
  })

  test('an inbox that is switched off', async () => {
    await updateInbox.run(world.engine, world.owner, { inbox_id: inbox.id, is_active: false })
    expect((await refused(world, mail())).status).toBe(409)
  })

  test('an unknown field', () =>
    expect(world.send(mail({ attachment: 'x' }))).rejects.toThrow(/attachment/))

  test('anything, while MCP_READ_ONLY is set', async () => {
    Object.assign(world.engine.settings, { readOnly: true })
    expect(await refused(world, mail())).toMatchObject({ status: 403, code: 'read_only' })
  })
})

describe('a sender on .localhost', () => {
  test('reaches nobody outside: 422 that names the setting, except in dry-run', async () => {
    const local = await sendWorld({ mailDomain: 'postroom.localhost' })
    const from = await local.inbox()
    const to = await local.inbox()
    const outside = {
      inbox_id: from.id,
      to: [to.address, 'ann@x.test'],
      subject: 'x',
      text_body: 'x',
    }
    await expect(local.send(outside)).rejects.toMatchObject({
      status: 422,
      code: 'sender_domain_unusable',
      fix: expect.stringContaining('POSTROOM_MAIL_DOMAIN'),
    })
    expect((await local.send({ ...outside, to: to.address })).status).toBe('queued')
    Object.assign(local.engine.settings, { outbound: 'dry-run' })
    expect((await local.send(outside)).status).toBe('queued')
    await local.quit()
  })
})
