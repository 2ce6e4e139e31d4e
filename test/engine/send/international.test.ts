/** People whose addresses are not ASCII are written to, answered, listed and left out like all others. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { smtpRelay } from '../../../src/drains/smtp.ts'
import { putAllowList, putBlockList } from '../../../src/engine/inboxes/lists.ts'
import {
  deleteSuppression,
  listSuppressions,
} from '../../../src/engine/send/suppressions/operations.ts'
import { unsubscribe } from '../../../src/engine/send/suppressions/unsubscribe.ts'
import { startRelay } from '../../world/relay.ts'
import { bounceOf, report } from './reports.ts'
import { refused, type SendWorld, sendWorld, type TestInbox } from './send-world.ts'

let world: SendWorld
let inbox: TestInbox

beforeAll(async () => {
  world = await sendWorld({ agentSendPolicy: 'review-new' })
})
beforeEach(async () => {
  inbox = await world.inbox()
  await world.calm()
})
afterAll(() => world.quit())

const write = (to: unknown, over: object = {}) => ({
  inbox_id: inbox.id,
  to,
  subject: 'Grüße',
  text_body: 'Hi',
  ...over,
})
const raws = () => world.relay.taken.map(({ raw }) => raw.toString())

/** In another spelling: capitals, a letter and its mark apart, the domain in letters. */
const author = (name: string) => [`From: ${name} <${name}@例子.test>`]

describe('sent', () => {
  test('where the relay takes international mail, to the address as it was given', async () => {
    const { id, to } = await world.send(write(['Jörg <Jörg@x.test>', '用户@例子.test']))
    expect(to).toEqual([{ email: 'Jörg@x.test', name: 'Jörg' }, { email: '用户@xn--fsqu00a.test' }])
    await world.settle()
    const message = await world.message(id)
    expect(message.status).toBe('sent')
    expect(world.relay.taken.flatMap((mail) => mail.to).sort()).toEqual([
      'Jörg@x.test',
      '用户@例子.test',
    ])
    expect(world.relay.taken.map(({ smtpUtf8 }) => smtpUtf8)).toEqual([true, true])
    for (const raw of raws()) {
      expect(raw).toMatch(/^To: =\?UTF-8\?Q\?J=C3=B6rg\?= <Jörg@x\.test>, 用户@例子\.test\r$/m)
    }
  })

  test('where it does not, they bounce with the reason and are not given up for ever; the others have their mail', async () => {
    const relay = await startRelay({ hideSMTPUTF8: true })
    const drain = smtpRelay({ url: `smtp://${relay.host}`, hostname: 'mail.ours.test' })
    const { id, message_id_header } = await world.send(
      write(['ülf@x.test', 'ann@x.test'], { cc: 'bob@y.test' }),
    )
    await world.settle({ world: drain })
    const message = await world.message(id)
    expect(message.status).toBe('bounced')
    expect(world.states(message)).toEqual([
      'ülf@x.test bounced 550 5.6.7 the relay, which has the mail for x.test, takes no international addresses: it offers no SMTPUTF8',
      'ann@x.test sent 250 queued',
      'bob@y.test sent 250 queued',
    ])
    expect(relay.seen.map(({ to }) => to).sort()).toEqual([['ann@x.test'], ['bob@y.test']])
    for (const { raw, smtpUtf8 } of relay.seen) {
      expect(smtpUtf8).toBe(false)
      expect(raw.toString()).toMatch(/^[\t\r\n -~]*$/)
      expect(raw.toString()).toContain(`Message-ID: ${message_id_header}`)
      expect(raw.toString()).toMatch(/^To: =\?UTF-8\?B\?[\w+/=]+\?= :;,\r\n ann@x\.test\r$/m)
    }
    await drain.close()
    await relay.close()
    expect((await world.send(write('ülf@x.test'))).to).toEqual([{ email: 'ülf@x.test' }])
  })

  test('through a relay that takes it, whoever has an ASCII address depends on nobody behind it', async () => {
    const { id } = await world.send(write(['jörg@x.test', 'ann@x.test']))
    await world.settle()
    expect((await world.message(id)).status).toBe('sent')
    expect(world.relay.taken.map(({ to, smtpUtf8 }) => [...to, smtpUtf8])).toEqual([
      ['jörg@x.test', true],
      ['ann@x.test', false],
    ])
  })

  test('an inbox of ours on the same mail reads everybody on it', async () => {
    const other = await world.inbox()
    await world.send(write(['jörg@x.test', '用户@例子.test', other.address]))
    await world.settle()
    expect((await world.list(other)).data[0]?.to).toEqual([
      { email: 'jörg@x.test' },
      { email: '用户@例子.test' },
      { email: other.address },
    ])
  })
})

describe('answered', () => {
  test('the author of a mail is, and everybody else on it', async () => {
    const cc = ['Cc: jörg@x.test, =?UTF-8?Q?=C3=9Clf?= <ülf@x.test>, bob@y.test']
    const { id } = await world.mail(inbox, 'i1', [...author('用户'), ...cc])
    const answer = await world.send({ reply_to_message_id: id, reply_all: true, text_body: 'Yes' })
    expect(answer.to).toEqual([{ email: '用户@xn--fsqu00a.test', name: '用户' }])
    expect(answer.cc).toEqual([
      { email: 'jörg@x.test' },
      { email: 'ülf@x.test', name: 'Ülf' },
      { email: 'bob@y.test' },
    ])
    await world.settle()
    expect((await world.message(answer.id)).status).toBe('sent')
  })

  test('by an agent without a person, where the author is proven, in whatever spelling', async () => {
    const { thread_id } = await world.mail(inbox, 'i2', author('JO\u0308RG'), 'pass')
    const sent = await world.ask({ thread_id, text_body: 'Yes' }, world.agent)
    expect(sent).toMatchObject({ to: [{ email: 'JÖRG@xn--fsqu00a.test' }] })
    const again = await world.mail(inbox, 'i3', author('jörg'))
    const held = await world.ask({ thread_id: again.thread_id, text_body: 'Yes' }, world.agent)
    expect(held).toMatchObject({ status: 'pending_review' })
  })
})

describe('heard of', () => {
  test('in a report of their server, in whatever spelling', async () => {
    const { id } = await world.send(write(['用户@例子.test', 'Ülf@x.test', 'ann@x.test']))
    await world.settle()
    const mail = await world.message(id)
    const inType = (address: string) =>
      bounceOf(mail, address).map((line) => line.replace('rfc822; ', 'utf-8; '))
    await report(world, inbox, inType('用户@例子.test'))
    await report(world, inbox, inType('\\x{DC}lf@x.test'))
    expect(world.states(await world.message(id))).toEqual([
      '用户@xn--fsqu00a.test bounced 550 5.1.1 550 5.1.1 refused',
      'Ülf@x.test bounced 550 5.1.1 550 5.1.1 refused',
      'ann@x.test sent 250 queued',
    ])
    const page = { inbox_id: inbox.id, limit: 10, offset: 0 }
    const listed = await listSuppressions.run(world.engine, world.owner, page)
    for (const { email } of listed.data) {
      await deleteSuppression.run(world.engine, world.owner, { inbox_id: inbox.id, email })
    }
  })

  test('who answers is nobody new in the thread', async () => {
    const { message_id_header } = await world.send(write(['用户@例子.test', 'jörg@x.test']))
    await world.settle()
    const answerOf = (id: string, from: string) =>
      world.mail(inbox, id, [`From: ${from}`, `In-Reply-To: ${message_id_header}`])
    expect((await answerOf('n1', '用户@例子.test')).sender_flags).not.toContain('new_participant')
    expect((await answerOf('n2', 'JO\u0308RG@x.test')).sender_flags).not.toContain(
      'new_participant',
    )
    expect((await answerOf('n3', 'jürg@x.test')).sender_flags).toContain('new_participant')
  })
})

describe('a spelling is not a way around', () => {
  const SPELLINGS = [
    'jörg@xn--fsqu00a.test',
    'JÖRG@例子.TEST',
    'jo\u0308rg@例子.test',
    'Jörg+x@例子.test',
  ]

  test.each(['Jörg@例子.test', 'jo\u0308rg@xn--fsqu00a.test', '例子.test'])(
    'the block-list, with %s on it',
    async (entry) => {
      const input = { inbox_id: inbox.id, entries: [entry] }
      await putBlockList.run(world.engine, world.owner, input)
      for (const to of SPELLINGS) {
        expect(await refused(world, write(to))).toMatchObject({ code: 'recipient_not_allowed' })
      }
    },
  )

  test('nor is it an obstacle on the allow-list', async () => {
    const input = { inbox_id: inbox.id, entries: ['JÖRG@例子.test'] }
    await putAllowList.run(world.engine, world.owner, input)
    const sent = await world.ask(write('jo\u0308rg@xn--fsqu00a.test'), world.agent)
    expect(sent).toMatchObject({ direction: 'outbound' })
    const held = await world.ask(write('ju\u0308rg@xn--fsqu00a.test'), world.agent)
    expect(held).toMatchObject({ status: 'pending_review' })
  })

  test('an address that bounced for good is left out, until it is taken off the list', async () => {
    world.relay.onRecipient = () => ({ code: 550, text: '5.1.1 no such user' })
    await world.send(write('JÖRG@例子.test'))
    await world.settle()
    for (const to of SPELLINGS.slice(0, 3)) {
      expect(await refused(world, write(to))).toMatchObject({ code: 'all_recipients_suppressed' })
    }
    const page = { inbox_id: inbox.id, limit: 10, offset: 0 }
    const listed = await listSuppressions.run(world.engine, world.owner, {
      ...page,
      email: 'JO\u0308RG@例子.test',
    })
    expect(listed.data).toMatchObject([{ email: 'jörg@xn--fsqu00a.test', kind: 'bounce' }])
    const email = 'Jörg@例子.test'
    await deleteSuppression.run(world.engine, world.owner, { inbox_id: inbox.id, email })
    expect((await world.send(write(SPELLINGS[0]))).status).toBe('queued')
  })

  test('who unsubscribed is left out, and answered when they write', async () => {
    const sent = await world.send(write('用户@例子.test'))
    const row = { org_id: world.owner.orgId, inbox_id: inbox.id, thread_id: sent.thread_id }
    await unsubscribe(
      world.engine,
      { ...row, id: sent.id } as Parameters<typeof unsubscribe>[1],
      '用户@xn--fsqu00a.test',
    )
    expect(await refused(world, write('用户@例子.test'))).toMatchObject({
      code: 'all_recipients_suppressed',
    })
    const { id } = await world.mail(inbox, 'i4', author('用户'))
    const answer = await world.send({ reply_to_message_id: id, text_body: 'Yes' })
    await world.settle()
    expect((await world.message(answer.id)).status).toBe('sent')
  })

  test('nor does it add somebody twice', async () => {
    const { to } = await world.send(write(SPELLINGS.slice(0, 3)))
    expect(to).toEqual([{ email: 'jörg@xn--fsqu00a.test' }])
  })
})

test('what only looks like letters is refused in words that show it', async () => {
  const error = await refused(world, write(['jo\u200brg@x.test', 'jö\u202erg@x.test']))
  expect(JSON.stringify(error.details)).toMatch(/\\u\{200b\}.*\\u\{202e\}/)
})
