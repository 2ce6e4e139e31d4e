import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { SmtpDoor } from '../../../src/doors/smtp/server.ts'
import { listMessages } from '../../../src/engine/messages/operations.ts'
import { connected, transcript } from '../../world/transcript.ts'
import { type DoorWorld, doorWorld, HELLO, HOSTNAME, QUIT, upToData } from './door-world.ts'

let house: DoorWorld
let door: SmtpDoor
let to: string
let made = 0

beforeAll(async () => {
  house = await doorWorld()
  door = await house.open()
})
beforeEach(async () => {
  made += 1
  to = await house.newInbox(`inbox${made}`)
})
afterAll(() => house.close())

const messages = async () => {
  const { engine, owner } = house.world
  return (await listMessages.run(engine, owner, { inbox_id: to, limit: 20, offset: 0 })).data
}

test('what is offered, and what is not', async () => {
  await transcript(
    door,
    `
  S: 220 ${HOSTNAME} ESMTP Postroom
  C: EHLO a.test
  S: 250-${HOSTNAME} greets [127.0.0.1]
  S: 250-PIPELINING
  S: 250-8BITMIME
  S: 250-SMTPUTF8
  S: 250-ENHANCEDSTATUSCODES
  S: 250 SIZE 26214400
  C: BDAT 10 LAST
  S: 500 5.5.2 Error: command not recognized
  C: AUTH PLAIN AGEAYg==
  S: 500 5.5.2 Error: command not recognized
  C: XCLIENT ADDR=192.0.2.1
  S: 550 5.7.0 Error: Not allowed
  C: WIZ me
  S: 500 5.5.2 Error: command not recognized
  C: MAIL FROM:<ann@a.test> BODY=BINARYMIME
  S: 501 5.5.4 …
  C: HELO a.test
  S: 250 ${HOSTNAME} greets [127.0.0.1]
  ${QUIT}`,
  )
})

test('the greeting waits for no timer, and comes once', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  try {
    const line = await connected(door)
    const greeting = line.line()
    const timer = new Promise<string>((resolve) => void setTimeout(() => resolve('late'), 99))
    expect(await Promise.race([greeting, timer])).toBe(`220 ${HOSTNAME} ESMTP Postroom`)
    vi.advanceTimersByTime(1_000)
    vi.useRealTimers()
    await line.play(`
  C: NOOP
  S: 250 2.0.0 OK`)
    line.leave()
  } finally {
    vi.useRealTimers()
  }
})

test('two mails in as few writes as PIPELINING allows, each command answered in its turn', async () => {
  await transcript(
    door,
    `
  S: 220 ${HOSTNAME} ESMTP Postroom
  C: EHLO a.test
  S: 250-…
  S: 250 …
  C: MAIL FROM:<ann@a.test>
  C: RCPT TO:<nobody@postroom.localhost>
  C: RCPT TO:<${to}>
  C: DATA
  S: 250 2.1.0 Accepted
  S: 550 5.1.1 There is no such inbox here
  S: 250 2.1.5 Accepted
  S: 354 …
  C: Subject: first
  C:
  C: .
  C: RSET
  C: MAIL FROM:<ann@a.test>
  C: RCPT TO:<${to}>
  C: DATA
  S: 250 2.0.0 Kept as msg_…
  S: 250 2.0.0 Flushed
  S: 250 2.1.0 Accepted
  S: 250 2.1.5 Accepted
  S: 354 …
  C: Subject: second
  C:
  C: .
  C: QUIT
  C: MAIL FROM:<never@a.test>
  S: 250 2.0.0 Kept as msg_…
  S: 221 2.0.0 Bye
  S: (closed)`,
  )
  expect((await messages()).map(({ subject }) => subject)).toEqual(['second', 'first'])
})

test('8BITMIME: eight bits arrive as they were sent', async () => {
  await transcript(
    door,
    `${HELLO}
  C: MAIL FROM:<ann@a.test> BODY=8BITMIME
  C: RCPT TO:<${to}>
  C: DATA
  S: 250 2.1.0 Accepted
  S: 250 2.1.5 Accepted
  S: 354 …
  C: Subject: eight
  C: MIME-Version: 1.0
  C: Content-Type: text/plain; charset=utf-8
  C: Content-Transfer-Encoding: 8bit
  C:
  C: Grüße, 你好, 👋
  C: .
  S: 250 2.0.0 Kept as msg_…
  ${QUIT}`,
  )
  expect(await messages()).toMatchObject([{ text_body: 'Grüße, 你好, 👋', parse_status: 'ok' }])
  expect((await house.mails(to))[0]).toContain('\r\n\r\nGrüße, 你好, 👋\r\n')
})

test('SMTPUTF8: addresses and headers in letters of any script', async () => {
  await transcript(
    door,
    `${HELLO}
  C: MAIL FROM:<jörg@bücher.example> SMTPUTF8 BODY=8BITMIME
  C: RCPT TO:<${to}>
  C: DATA
  S: 250 2.1.0 Accepted
  S: 250 2.1.5 Accepted
  S: 354 …
  C: From: Jörg Müller <jörg@bücher.example>
  C: To: 用户 <用户@例子.example>, ${to}
  C: Subject: Grüße aus 東京
  C:
  C: Hallo
  C: .
  S: 250 2.0.0 Kept as msg_…
  C: MAIL FROM:<jörg@bücher.example> SMTPUTF8=1
  S: 501 5.5.4 …
  ${QUIT}`,
  )
  const [message] = await messages()
  expect(message).toMatchObject({ subject: 'Grüße aus 東京', parse_status: 'ok' })
  expect(message?.from?.name).toBe('Jörg Müller')
  expect(message?.from?.email).toMatch(/^jörg@/)
  expect(message?.to[0]).toMatchObject({ name: '用户' })
  const [row] = await house.world.engine.db.prisma.messages.findMany({
    where: { id: message?.id ?? '' },
  })
  expect(row?.envelope).toEqual({ mail_from: 'jörg@xn--bcher-kva.example', rcpt_to: [to] })
})

test('a sender whose own address is none by the book may write', async () => {
  await transcript(
    door,
    `${HELLO}
  C: MAIL FROM:<hana..ko.@a.test>
  S: 250 2.1.0 Accepted
  ${QUIT}`,
  )
})

test('commands in a wrong order and lines that are none are answered, not obeyed', async () => {
  await transcript(
    door,
    `
  S: 220 ${HOSTNAME} ESMTP Postroom
  C: MAIL FROM:<ann@a.test>
  S: 503 5.5.1 Error: send HELO/EHLO first
  C: EHLO a.test
  S: 250-…
  S: 250 …
  C: RCPT TO:<${to}>
  S: 503 5.5.1 Error: need MAIL command
  C: RCPT TO:<"odd"@a.test>
  S: 503 5.5.1 Error: need MAIL command
  C: MAIL FROM:<ann@a.test>
  S: 250 2.1.0 Accepted
  C: MAIL FROM:<bob@a.test>
  S: 503 5.5.1 Error: nested MAIL command
  C: RCPT TO:ann
  S: 501 5.1.3 Error: Bad recipient address syntax
  C: GET / HTTP/1.1
  S: 421 4.4.2 HTTP requests not allowed
  S: (closed)`,
  )
  await transcript(door, `${HELLO}\nC: NOOP ${'x'.repeat(5_000)}\nS: 421 4.4.2 …\nS: (closed)`)
})

test('a connection that breaks off in a mail leaves nothing behind', async () => {
  const line = await connected(door)
  await line.play(`${upToData(to)}\nC: Subject: half`)
  line.leave()
  await transcript(door, `${HELLO}${QUIT}`)
  expect(await messages()).toEqual([])
})
