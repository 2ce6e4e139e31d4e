import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { SmtpDoor } from '../../../src/doors/smtp/server.ts'
import { type HeldClock, heldClock } from '../../world/clock.ts'
import { connected, transcript } from '../../world/transcript.ts'
import { type DoorWorld, doorWorld, HELLO, QUIT } from './door-world.ts'

const UNKNOWN = '550 5.1.1 There is no such inbox here'

let house: DoorWorld
let door: SmtpDoor
let clock: HeldClock

beforeAll(async () => {
  house = await doorWorld({ mailDomain: 'xn--bcher-kva.example' })
})
beforeEach(async () => {
  clock = heldClock('2026-11-22T10:00:00Z')
  door = await house.open({ clock })
})
afterAll(() => house.close())

const rcpt = (path: string, answer: string) => `
  C: RCPT TO:${path}
  S: ${answer}`
const MAIL = `${HELLO}
  C: MAIL FROM:<ann@a.test>
  S: 250 2.1.0 Accepted`
const HERE = 'xn--bcher-kva.example'

describe('only inboxes of ours, and one answer for everything else', () => {
  test.each([
    ['an unknown local part', `<nobody@${HERE}>`],
    ['another domain', '<hello@example.com>'],
    ['a percent hack', `<ann%example.com@${HERE}>`],
    ['a percent hack on an inbox', `<hello%${HERE}@${HERE}>`],
    ['a bang path', `<example.com!ann@${HERE}>`],
    ['a bang path with a tag', `<hello+x!ann@${HERE}>`],
    ['a source route', `<@example.com,@b.test:hello@${HERE}>`],
    ['a source route to elsewhere', `<@${HERE}:ann@example.com>`],
    ['a quoted inbox', `<"hello"@${HERE}>`],
    ['quotes with a space', `<"hello there"@${HERE}>`],
    ['quotes with an @', `<"ann@example.com"@${HERE}>`],
    ['two addresses', `<hello@${HERE},ann@example.com>`],
    ['two @', `<ann@example.com@${HERE}>`],
    ['a dot at the end', `<hello.@${HERE}>`],
    ['two dots', `<hel..lo@${HERE}>`],
    ['an address literal', '<hello@[127.0.0.1]>'],
    ['no domain', '<hello>'],
    ['nobody at all', '<>'],
    ['letters beyond ASCII', `<héllo@${HERE}>`],
    ['an invisible letter', `<hello\u200b@${HERE}>`],
    ['a tag and no name', `<+tag@${HERE}>`],
    ['a postmaster that is no inbox', '<postmaster>'],
    ['a very long name', `<${'a'.repeat(300)}@${HERE}>`],
  ])('%s', async (_, path) => {
    await transcript(door, `${MAIL}${rcpt(path, UNKNOWN)}${QUIT}`)
  })
})

test('an inbox in any letter case, with a tag, and with its domain in letters', async () => {
  expect(house.world.hello).toBe(`hello@${HERE}`)
  await transcript(
    door,
    `${MAIL}
  ${[`<Hello@${HERE}>`, `<hello+order-7@${HERE.toUpperCase()}>`, '<hello@bücher.example>']
    .map((path) => rcpt(path, '250 2.1.5 Accepted'))
    .join('')}
  C: DATA
  S: 354 …
  C: Subject: one
  C:
  C: .
  S: 250 2.0.0 Kept as msg_…
  ${QUIT}`,
  )
  const [message] = await house.world.engine.db.prisma.messages.findMany()
  expect(message?.envelope).toEqual({
    mail_from: 'ann@a.test',
    rcpt_to: [`hello@${HERE}`, `hello+order-7@${HERE}`],
  })
})

test('postmaster without a domain is the one of our mail domain', async () => {
  await house.newInbox('postmaster')
  await transcript(door, `${MAIL}${rcpt('<Postmaster>', '250 2.1.5 Accepted')}${QUIT}`)
})

test('a mail none of whose recipients is ours gets no further than DATA', async () => {
  await transcript(
    door,
    `${HELLO}
  C: MAIL FROM:<ann@a.test>
  C: RCPT TO:<bob@example.com>
  C: DATA
  S: 250 2.1.0 Accepted
  S: ${UNKNOWN}
  S: 503 5.5.1 Error: need RCPT command
  C: VRFY hello@${HERE}
  S: 252 2.1.5 …
  C: EXPN all
  S: 500 5.5.2 …
  ${QUIT}`,
  )
})

test('after 5 unknown recipients the answer comes slowly, after 20 the connection ends', async () => {
  const line = await connected(door, { clock })
  await line.play(MAIL)
  await line.play(Array.from({ length: 5 }, (_, i) => rcpt(`<a${i}@${HERE}>`, UNKNOWN)).join(''))
  const slowly = (i: number) => `
  C: RCPT TO:<b${i}@${HERE}>
  (1 s later)
  S: ${UNKNOWN}`
  await line.play(Array.from({ length: 7 }, (_, i) => slowly(i)).join(''))
  await line.play(`
  C: RSET
  S: 250 2.0.0 Flushed
  C: MAIL FROM:<ann@a.test>
  S: 250 2.1.0 Accepted
  ${rcpt(`<hello@${HERE}>`, '250 2.1.5 Accepted')}`)
  await line.play(Array.from({ length: 8 }, (_, i) => slowly(i)).join(''))
  await line.play(`
  C: RCPT TO:<c@${HERE}>
  S: 421 4.7.0 Too many unknown recipients; please check your list
  S: (closed)`)
  line.leave()
})

test('recipients that were guessed in one go wait one after the other', async () => {
  const guesses = Array.from({ length: 21 }, (_, i) => `C: RCPT TO:<g${i}@${HERE}>`).join('\n')
  const line = await connected(door, { clock })
  await line.play(`${MAIL}\n${guesses}\n${`S: ${UNKNOWN}\n`.repeat(5)}`)
  await line.play(`(1 s later)\nS: ${UNKNOWN}\n`.repeat(15))
  await line.play('S: 421 4.7.0 …\nS: (closed)')
  line.leave()
})

test('we wrote to nobody about any of it', async () => {
  const { prisma } = house.world.engine.db
  expect(await prisma.messages.count({ where: { direction: 'outbound' } })).toBe(0)
  expect(await prisma.jobs.count({ where: { name: { startsWith: 'send' } } })).toBe(0)
})
