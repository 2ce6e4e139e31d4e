import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Caller } from '../../../src/engine/caller.ts'
import { isUnreachable } from '../../../src/engine/send/suppressions/never-again.ts'
import {
  deleteSuppression,
  listSuppressions,
} from '../../../src/engine/send/suppressions/operations.ts'
import { bounceOf, complaintAbout, report } from './reports.ts'
import { refused, type SendWorld, sendWorld, type TestInbox } from './send-world.ts'

let world: SendWorld
let inbox: TestInbox
let made = 0

beforeAll(async () => {
  world = await sendWorld()
})
beforeEach(async () => {
  inbox = await world.inbox()
  await world.calm()
})
afterAll(() => world.quit())

/** An address of its own for each test: the list is the organization's. */
function stranger(name = 'ann'): string {
  made += 1
  return `${name}${made}@x.test`
}

const send = (over: object) =>
  world.send({ inbox_id: inbox.id, subject: 'Hello', text_body: 'Hi', ...over })

async function sent(over: object) {
  const { id } = await send(over)
  await world.settle()
  return world.message(id)
}

const answers = (code: number, text: string) => {
  world.relay.onRecipient = (address) => (address.startsWith('gone') ? { code, text } : undefined)
}

async function list(of: TestInbox = inbox, caller: Caller = world.owner) {
  const input = { inbox_id: of.id, limit: 100, offset: 0 }
  return (await listSuppressions.run(world.engine, caller, input)).data
}

const onList = async (email: string, of: TestInbox = inbox) =>
  (await list(of)).find((one) => one.email === email)

const remove = (email: string, caller: Caller = world.owner) =>
  deleteSuppression.run(
    world.engine,
    caller,
    deleteSuppression.input.parse({ inbox_id: inbox.id, email }),
  )

describe('an address whose server says for good that it is not there', () => {
  test('is on the list, and the next mail goes to the others alone and says so', async () => {
    const [gone, ann] = [stranger('gone'), stranger()]
    answers(550, '5.1.1 no such user')
    const first = await sent({ to: gone })
    expect(await onList(gone)).toMatchObject({
      kind: 'bounce',
      inbox_id: null,
      reason: '5.1.1 no such user',
      message_id: first.id,
    })
    await world.calm()
    const detail = 'left out: an earlier mail bounced for good (5.1.1 no such user)'
    const accepted = await send({ to: [gone.toUpperCase(), ann] })
    expect(accepted.to).toEqual([{ email: ann }])
    await world.settle()
    const message = await world.message(accepted.id)
    expect(message.status).toBe('sent')
    expect(message.recipients).toEqual([
      { email: ann, status: 'sent', code: 250, detail: 'queued' },
      {
        email: gone.toUpperCase().replace('X.TEST', 'x.test'),
        status: 'suppressed',
        code: null,
        detail,
      },
    ])
    expect(world.relay.taken.map(({ to }) => to)).toEqual([[ann]])
    expect(world.relay.taken[0]?.raw.toString().toLowerCase()).not.toContain(gone)
    expect(await world.told(accepted.id)).toMatchObject([
      { event: 'email.bounced', data: { bounce: { type: 'suppressed', reason: detail } } },
      { event: 'email.sent' },
    ])
  })

  test('where nobody else is left the mail is refused, and trying it out says the same', async () => {
    const gone = stranger('gone')
    answers(550, '5.1.1 no such user')
    await sent({ to: gone })
    const mail = { inbox_id: inbox.id, to: gone, subject: 'Again', text_body: 'Hi' }
    expect(await refused(world, mail)).toMatchObject({
      status: 422,
      code: 'all_recipients_suppressed',
      message: expect.stringContaining(gone),
      fix: expect.stringContaining(`/suppressions/${gone}`),
    })
    const before = await world.kept()
    expect(await world.ask({ ...mail, dry_run: true })).toMatchObject({
      verdict: 'deny',
      reasons: [{ code: 'all_recipients_suppressed' }],
    })
    expect(await world.ask({ ...mail, cc: stranger(), dry_run: true })).toMatchObject({
      verdict: 'allow',
      reasons: [{ code: 'suppressed', recipients: [gone] }],
    })
    expect(await world.kept()).toEqual(before)
  })

  test('is on the list also where a report says it later, in capitals or not', async () => {
    const ann = stranger()
    const mail = await sent({ to: ann })
    await report(world, inbox, bounceOf(mail, ann.toUpperCase()))
    expect(await onList(ann)).toMatchObject({ kind: 'bounce', message_id: mail.id })
  })

  test('a mail that was accepted before goes to the others alone', async () => {
    const [gone, ann] = [stranger('gone'), stranger()]
    const waiting = await send({ to: [gone, ann], send_at: '2026-03-02T12:00:00Z' })
    answers(550, '5.1.1 no such user')
    await sent({ to: gone })
    world.relay.onRecipient = () => undefined
    world.clock.advance(Date.parse('2026-03-02T12:00:00Z') - world.clock.now().getTime())
    await world.settle()
    const message = await world.message(waiting.id)
    expect(world.states(message)).toEqual([
      `${gone} suppressed null left out: an earlier mail bounced for good (5.1.1 no such user)`,
      `${ann} sent 250 queued`,
    ])
  })

  test('no report that comes later makes a bounce of it', async () => {
    const [gone, ann] = [stranger('gone'), stranger()]
    answers(550, '5.1.1 no such user')
    await sent({ to: gone })
    await world.calm()
    const mail = await sent({ to: gone, bcc: ann })
    expect(mail).toMatchObject({ status: 'sent', to: [], bcc: [{ email: ann }] })
    await report(world, inbox, bounceOf(mail, gone))
    const statuses = (await world.message(mail.id)).recipients?.map(({ status }) => status)
    expect(statuses).toEqual(['sent', 'suppressed'])
  })

  test('our own inboxes are never on it: they may be switched on again', async () => {
    const other = await world.inbox()
    const active = (is_active: boolean) =>
      world.engine.db.query('UPDATE inboxes SET is_active = $2 WHERE id = $1', [
        other.id,
        is_active,
      ])
    const first = await send({ to: other.address })
    await active(false)
    await world.settle()
    expect((await world.message(first.id)).status).toBe('bounced')
    expect(await onList(other.address)).toBeUndefined()
    await active(true)
    expect((await sent({ to: other.address })).status).toBe('delivered')
  })
})

describe('a refusal', () => {
  test.each([
    [550, '5.1.1 no such user', true],
    [550, '5.1.10 null MX', true],
    [550, '5.2.1 mailbox disabled', true],
    [550, 'No such user here', true],
    [551, 'User not local', true],
    [553, 'Mailbox name not allowed', true],
    [null, '5.1.2 bad domain', true],
    [550, '5.1.7 bad sender', false],
    [550, '5.1.8 bad sender domain', false],
    [550, '5.7.1 refused by policy', false],
    [552, '5.2.2 mailbox full', false],
    [550, 'Message rejected as spam', false],
    [550, 'SPF check failed', false],
    [554, 'Transaction failed', false],
    [550, '5.1.11 made up', false],
    [null, 'gone', false],
  ])('%s %s: never again is %s', (code, said, never) =>
    expect(isUnreachable(code, said)).toBe(never),
  )

  test('that is about the mail leaves the address as it is', async () => {
    const gone = stranger('gone')
    answers(550, '5.7.1 this text is not wanted')
    expect((await sent({ to: gone })).status).toBe('bounced')
    expect(await onList(gone)).toBeUndefined()
  })
})

describe('the list', () => {
  test('shows the newest first, and a person takes an address off it', async () => {
    const [first, second] = [stranger('gone'), stranger('gone')]
    answers(550, '5.1.1 no such user')
    await sent({ to: first })
    world.clock.advance(1000)
    await sent({ to: second })
    const emails = (await list()).map(({ email }) => email)
    expect(emails.slice(0, 2)).toEqual([second, first])
    await remove(first.toUpperCase())
    expect(await onList(first)).toBeUndefined()
    await world.calm()
    expect((await sent({ to: first })).status).toBe('sent')
    const [audit] = await world.engine.db.prisma.audit.findMany({
      where: { action: 'suppression.removed' },
    })
    expect(audit).toMatchObject({ detail: { email: first, kinds: ['bounce'] } })
    await expect(remove(first)).rejects.toMatchObject({ status: 404 })
  })

  test('no agent changes it, and each page leads to the next', async () => {
    expect(deleteSuppression.scope).toBe('org:admin')
    const page = { inbox_id: inbox.id, limit: 1, offset: 0, kind: 'bounce' as const }
    const one = await listSuppressions.run(world.engine, world.agent, page)
    const cursor = one.pagination.next_cursor
    const two = await listSuppressions.run(world.engine, world.agent, { ...page, cursor })
    expect(one.data).toHaveLength(1)
    expect(two.data[0]?.id).not.toBe(one.data[0]?.id)
  })
})

describe('a complaint', () => {
  test('silences whoever complains for every inbox, and is told', async () => {
    const ann = stranger()
    const mail = await sent({ to: [ann, stranger()] })
    const id = await report(world, inbox, complaintAbout(mail, { named: [ann.toUpperCase()] }))
    expect(await world.message(id)).toMatchObject({ auto_reply: 'complaint' })
    expect(await onList(ann, await world.inbox())).toMatchObject({
      kind: 'complaint',
      reason: 'reported as spam',
      message_id: mail.id,
    })
    expect((await world.told(mail.id)).at(-1)).toEqual({
      event: 'email.complained',
      data: { complaint: { type: 'abuse', recipients: [ann] } },
    })
    const other = await world.inbox()
    const again = { inbox_id: other.id, to: ann, subject: 'Hello', text_body: 'Hi' }
    expect(await refused(world, again)).toMatchObject({ code: 'all_recipients_suppressed' })
  })

  test('weighs more than a bounce', async () => {
    const gone = stranger('gone')
    const mail = await sent({ to: gone })
    answers(550, '5.1.1 no such user')
    await sent({ to: gone })
    await report(world, inbox, complaintAbout(mail))
    expect(await onList(gone)).toMatchObject({ kind: 'complaint', message_id: mail.id })
  })

  test('that names nobody, or a made-up name, is the one recipient’s', async () => {
    const [ann, bob] = [stranger(), stranger('bob')]
    await report(world, inbox, complaintAbout(await sent({ to: ann })))
    const named = ['redacted-3f2a@x.test']
    await report(world, inbox, complaintAbout(await sent({ to: bob }), { named }))
    expect(await onList(ann)).toBeDefined()
    expect(await onList(bob)).toBeDefined()
  })

  test('that arrives at another inbox finds the mail', async () => {
    const ann = stranger()
    const mail = await sent({ to: ann })
    await report(world, await world.inbox(), complaintAbout(mail))
    expect(await onList(ann)).toMatchObject({ kind: 'complaint', message_id: mail.id })
  })

  test.each(['not-spam', 'auth-failure'])('of the kind %s is none', async (type) => {
    const ann = stranger()
    const mail = await sent({ to: ann })
    await report(world, inbox, complaintAbout(mail, { type }))
    expect(await onList(ann)).toBeUndefined()
    expect((await world.told(mail.id)).map(({ event }) => event)).not.toContain('email.complained')
  })

  test('forged for somebody who did not get the mail silences nobody', async () => {
    const [ann, bob, victim] = [stranger(), stranger('bob'), stranger('victim')]
    const mail = await sent({ to: [ann, bob] })
    await report(world, inbox, complaintAbout(mail, { named: [victim] }))
    const forged = { ...mail, message_id_header: '<made-up@ours.test>' }
    await report(world, inbox, complaintAbout(forged, { named: [ann] }))
    for (const email of [ann, bob, victim]) expect(await onList(email)).toBeUndefined()
  })

  test('of the kind opt-out unsubscribes from that inbox alone', async () => {
    const ann = stranger()
    const mail = await sent({ to: ann })
    await report(world, inbox, complaintAbout(mail, { type: 'opt-out' }))
    expect(await onList(ann)).toMatchObject({ kind: 'unsubscribe', inbox_id: inbox.id })
    expect(await onList(ann, await world.inbox())).toBeUndefined()
  })
})
