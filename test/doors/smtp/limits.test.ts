import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  COMMAND_MS,
  DATA_MS,
  MAIL_LIMIT,
  MAX_CONNECTIONS,
  MAX_CONNECTIONS_PER_ADDRESS,
  MAX_RECEIVED,
} from '../../../src/doors/smtp/limits.ts'
import type { SmtpDoor } from '../../../src/doors/smtp/server.ts'
import { heldClock } from '../../world/clock.ts'
import { type Client, connected, transcript } from '../../world/transcript.ts'
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

describe('25 MB', () => {
  const TOO_LARGE = '552 5.3.4 Error: message exceeds fixed maximum message size 26214400'

  test('a mail that says it is larger is refused before it is sent', async () => {
    await transcript(
      door,
      `${HELLO}
  C: MAIL FROM:<ann@a.test> SIZE=${MAIL_LIMIT + 1}
  S: ${TOO_LARGE}
  C: MAIL FROM:<ann@a.test> SIZE=lots
  S: 501 5.5.4 Error: Bad message size syntax
  C: MAIL FROM:<ann@a.test> SIZE=${MAIL_LIMIT}
  S: 250 2.1.0 Accepted
  ${QUIT}`,
    )
  })

  test('one that does not say so is refused when it has come, and the connection goes on', async () => {
    const line = await connected(door)
    await line.play(upToData(to))
    const lines = Buffer.from(`${'x'.repeat(998)}\r\n`.repeat(1000))
    for (let sent = 0; sent <= MAIL_LIMIT; sent += lines.length) await line.write(lines)
    await line.play(`
  C: .
  S: ${TOO_LARGE}
  C: MAIL FROM:<ann@a.test>
  S: 250 2.1.0 Accepted
  ${QUIT}`)
    line.leave()
    expect(await house.mails(to)).toEqual([])
  })

  test('one of exactly 25 MB is taken', async () => {
    const line = await connected(door)
    await line.play(upToData(to))
    const head = 'Subject: large\r\n\r\n'
    const rest = MAIL_LIMIT - head.length
    await line.write(head)
    await line.write(`${'x'.repeat(998)}\r\n`.repeat(Math.floor(rest / 1000)))
    await line.write(`${'y'.repeat((rest % 1000) - 2)}\r\n`)
    await line.play(`
  C: .
  S: 250 2.0.0 Kept as msg_…
  ${QUIT}`)
    line.leave()
    const [mail = ''] = await house.mails(to)
    expect(mail.length).toBe(MAIL_LIMIT)
  })
})

test('what grows beyond 25 MB by being normalized is refused too', async () => {
  const lenient = await house.open({ bareNewlines: 'normalize' })
  const line = await connected(lenient)
  await line.play(upToData(to))
  await line.write('\n'.repeat(13 * 1024 * 1024))
  await line.play(`
  C:
  C: .
  S: 552 5.3.4 The mail is larger than 26214400 bytes
  ${QUIT}`)
  line.leave()
})

test('100 recipients, then 452, and those taken so far get the mail', async () => {
  const tagged = (tag: number) => to.replace('@', `+${tag}@`)
  const all = Array.from({ length: 101 }, (_, i) => `  C: RCPT TO:<${tagged(i)}>`).join('\n')
  await transcript(
    door,
    `${HELLO}
  C: MAIL FROM:<ann@a.test>
  S: 250 2.1.0 Accepted
${all}
${'  S: 250 2.1.5 Accepted\n'.repeat(100)}
  S: 452 4.5.3 Error: too many recipients
  C: RCPT TO:<${tagged(7)}>
  S: 250 2.1.5 Accepted
  C: DATA
  S: 354 …
  C: Subject: many
  C:
  C: .
  S: 250 2.0.0 Kept as msg_…
  ${QUIT}`,
  )
  expect(await house.mails(to)).toHaveLength(1)
})

describe('connections', () => {
  const open = (from: string, count: number) =>
    Promise.all(Array.from({ length: count }, () => connected(door, { from })))
  const greeted = async (clients: Client[]) => {
    await Promise.all(clients.map((client) => client.play(`S: 220 ${HOSTNAME} ESMTP Postroom`)))
    return clients
  }
  const BUSY = 'S: 421 4.3.2 Too many connections; please come again\nS: (closed)'
  const ADDRESS_BUSY = 'S: 421 4.7.0 Too many connections from your address\nS: (closed)'

  test('20 from one address; another address and whoever comes after one has left is welcome', async () => {
    const clients = await greeted(await open('127.0.0.1', MAX_CONNECTIONS_PER_ADDRESS))
    await transcript(door, ADDRESS_BUSY)
    await transcript(door, `${HELLO}${QUIT}`, { from: '127.0.0.2' })
    for (const leaving of clients.splice(0, 2)) leaving.leave()
    await transcript(door, `${HELLO}${QUIT}`)
    await clients[0]?.play(`C: QUIT\nS: 221 2.0.0 Bye`)
    await transcript(door, `${HELLO}${QUIT}`)
    for (const client of clients) client.leave()
  })

  test('200 in all', async () => {
    const addresses = Array.from(
      { length: MAX_CONNECTIONS / MAX_CONNECTIONS_PER_ADDRESS },
      (_, i) => `127.0.1.${i + 1}`,
    )
    const opened = addresses.map((from) => open(from, MAX_CONNECTIONS_PER_ADDRESS))
    const clients = await greeted((await Promise.all(opened)).flat())
    await transcript(door, BUSY, { from: '127.0.2.1' })
    clients[0]?.leave()
    await transcript(door, `${HELLO}${QUIT}`, { from: '127.0.2.1' })
    for (const client of clients) client.leave()
  })
})

describe('slow senders', () => {
  const SLOW = `S: 421 4.4.2 That took too long; please come again\nS: (closed)`
  const later = (ms: number) => `(${ms / 1_000} s later)`

  test('one that says nothing after the greeting', async () => {
    const clock = heldClock('2026-11-22T10:00:00Z')
    const slow = await house.open({ clock })
    await transcript(slow, `S: 220 ${HOSTNAME} ESMTP Postroom\n${later(COMMAND_MS)}\n${SLOW}`, {
      clock,
    })
    expect(clock.pending()).toBe(0)
  })

  test('one whose command comes byte by byte: every answer starts the time anew, a byte does not', async () => {
    const clock = heldClock('2026-11-22T10:00:00Z')
    const slow = await house.open({ clock })
    const line = await connected(slow, { clock })
    await line.play(HELLO)
    clock.advance(COMMAND_MS - 1_000)
    await line.play('C: NOOP\nS: 250 2.0.0 OK')
    clock.advance(COMMAND_MS - 1_000)
    await line.play('C= MAIL FR')
    clock.advance(1_000)
    await line.play(SLOW)
    line.leave()
  })

  test('one whose mail does not end', async () => {
    const clock = heldClock('2026-11-22T10:00:00Z')
    const slow = await house.open({ clock })
    const line = await connected(slow, { clock })
    await line.play(upToData(to))
    clock.advance(DATA_MS - 1_000)
    await line.play('C: Subject: slow')
    clock.advance(1_000)
    await line.play(SLOW)
    line.leave()
    expect(await house.mails(to)).toEqual([])
  })

  test('a connection that has ended waits for nothing', async () => {
    const clock = heldClock('2026-11-22T10:00:00Z')
    const slow = await house.open({ clock })
    const line = await connected(slow, { clock })
    await line.play(HELLO)
    expect(clock.pending()).toBe(1)
    line.leave()
    await vi.waitFor(() => expect(clock.pending()).toBe(0))
  })
})

describe('mail that goes in circles', () => {
  const mailWith = (header: string, answer: string) => `${upToData(to)}
${header
  .split('\n')
  .map((line) => `  C= ${line}<CR><LF>`)
  .join('\n')}
  C= Subject: round<CR><LF><CR><LF>Received: in the text<CR><LF>.<CR><LF>
  S: ${answer}
  ${QUIT}`
  const hop = (by: string) =>
    `Received: from x.test (x.test [192.0.2.1])<CR><LF> by ${by};<CR><LF> Sun, 22 Nov 2026 10:00:00 +0000 (UTC)`
  const hops = (count: number) => Array.from({ length: count }, () => hop('y.test')).join('\n')

  test(`${MAX_RECEIVED} Received lines are a long way`, async () => {
    await transcript(door, mailWith(hops(MAX_RECEIVED), '250 2.0.0 Kept as msg_…'))
  })

  test('one more is a loop', async () => {
    const answer = '554 5.4.6 More than 50 Received lines: this mail goes in circles'
    await transcript(door, mailWith(hops(MAX_RECEIVED + 1), answer))
  })

  test.each([
    [`${HOSTNAME} with ESMTP id 7`],
    [`${HOSTNAME} (Postroom) with ESMTPS id 7`],
    [HOSTNAME],
    [HOSTNAME.toUpperCase()],
  ])('it was here before: by %s', async (by) => {
    const answer = `554 5.4.6 This mail was at ${HOSTNAME} before: it goes in circles`
    await transcript(door, mailWith(`${hops(2)}\n${hop(by)}`, answer))
  })

  test.each([
    [`${HOSTNAME} (Postfix) with ESMTPS id 4F1`],
    [`${HOSTNAME} with esmtps (Exim 4.98) (envelope-from <a@x.test>)`],
    [`other.${HOSTNAME} with ESMTP`],
    [`localhost (${HOSTNAME} [127.0.0.1]) (amavisd-new, port 10024)`],
  ])('another server of this machine, or another machine, is no loop: by %s', async (by) => {
    await transcript(door, mailWith(hop(by), '250 2.0.0 Kept as msg_…'))
  })

  test('a name without a dot is none to go by', async () => {
    const short = await house.open({ hostname: 'mail' })
    const script = mailWith(hop('mail with ESMTP'), '250 2.0.0 Kept as msg_…')
    await transcript(short, script.replace(HOSTNAME, 'mail'))
  })
})
