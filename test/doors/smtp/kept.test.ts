import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { SmtpDoor } from '../../../src/doors/smtp/server.ts'
import { createReceiver, type Receiver } from '../../../src/engine/receive/accept.ts'
import { MailRefused } from '../../../src/engine/receive/incoming.ts'
import { localDelivery } from '../../../src/engine/receive/local.ts'
import { heldClock } from '../../world/clock.ts'
import { connected, transcript } from '../../world/transcript.ts'
import { type DoorWorld, doorWorld, HELLO, QUIT, upToData } from './door-world.ts'

let house: DoorWorld
let door: SmtpDoor
let to: string
let other: string
let made = 0

beforeAll(async () => {
  house = await doorWorld()
  door = await house.open()
})
beforeEach(async () => {
  made += 1
  to = await house.newInbox(`inbox${made}`)
  other = await house.newInbox(`other${made}`)
})
afterAll(() => house.close())

const mailTo = (recipients: string[], mail: string, answer: string) => `
  C: MAIL FROM:<ann@a.test>
  S: 250 2.1.0 Accepted
${recipients.map((one) => `  C: RCPT TO:<${one}>\n  S: 250 2.1.5 Accepted`).join('\n')}
  C: DATA
  S: 354 …
  C= ${mail}<CR><LF>.<CR><LF>
  S: ${answer}`
const KEPT = '250 2.0.0 Kept as msg_…'
const AGAIN = '451 4.3.0 The mail could not be kept just now; please try again'

test('the same bytes again within 7 days are answered with the same id, and are one message and one event', async () => {
  const mail = 'Message-ID: <1@a.test><CR><LF>Subject: one<CR><LF><CR><LF>text'
  const said = await transcript(
    door,
    `${HELLO}${mailTo([to], mail, KEPT)}
${mailTo([to], `Received: from relay by mx; today<CR><LF>${mail}`, KEPT)}
${mailTo([to], `${mail} and more`, KEPT)}${QUIT}`,
  )
  const ids = [...said.matchAll(/Kept as (msg_\w+)/g)].map(([, id]) => id)
  expect(ids[1]).toBe(ids[0])
  expect(ids[2]).not.toBe(ids[0])
  expect(await house.mails(to)).toHaveLength(2)
  const { prisma } = house.world.engine.db
  const inbox = await prisma.inboxes.findFirst({ where: { address: to } })
  const events = await prisma.events.count({
    where: { event: 'email.received', inbox_id: inbox?.id ?? '' },
  })
  expect(events).toBe(2)
})

describe('while something is away', () => {
  test('the database: 451 at RCPT and at DATA, and the repeat doubles nobody', async () => {
    const { db } = house.world.engine
    const { urgent, query } = db
    const line = await connected(door)
    await line.play(HELLO)
    db.urgent = async () => {
      throw new Error('connection lost')
    }
    await line.play(mailTo([to, other], 'Subject: two', AGAIN))
    db.query = async () => {
      throw new Error('connection lost')
    }
    await line.play(`
  C: MAIL FROM:<ann@a.test>
  C: RCPT TO:<not-asked-for-yet@postroom.test>
  S: 250 2.1.0 Accepted
  S: ${AGAIN}
  C: RSET
  S: 250 2.0.0 Flushed`)
    Object.assign(db, { urgent, query })
    expect([await house.mails(to), await house.mails(other)]).toEqual([[], []])
    await line.play(mailTo([to, other], 'Subject: two', '250 2.0.0 Kept as msg_… msg_…'))
    await line.play(mailTo([other, to], 'Subject: two', '250 2.0.0 Kept as msg_… msg_…'))
    line.leave()
    expect([await house.mails(to), await house.mails(other)]).toEqual([
      ['Subject: two\r\n'],
      ['Subject: two\r\n'],
    ])
  })

  test('a full disk: 452, and the same connection goes on when there is room', async () => {
    const { blobs } = house.world.engine
    const { put } = blobs
    const line = await connected(door)
    await line.play(HELLO)
    blobs.put = async () => {
      throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    }
    const FULL = '452 4.3.1 There is no room for the mail just now; please try again'
    await line.play(mailTo([to], 'Subject: full', FULL))
    blobs.put = put
    await line.play(mailTo([to], 'Subject: full', KEPT))
    line.leave()
    expect(await house.mails(to)).toHaveLength(1)
  })
})

test('what policy refuses is answered with its own words, by the door and between our inboxes', async () => {
  const strict: Pick<Receiver, 'accept'> = {
    async accept() {
      throw new MailRefused(550, '5.7.1 The domain a.test asks to refuse mail that fails DMARC')
    },
  }
  const guarded = await house.open({ receiver: strict })
  await transcript(
    guarded,
    `${upToData(to)}
  C: Subject: forged
  C: .
  S: 550 5.7.1 The domain a.test asks to refuse mail that fails DMARC
  ${QUIT}`,
  )
  const envelope = { from: other, to: [to] }
  const local = localDelivery(house.world.engine, strict)
  expect(await local.deliver({ envelope, raw: Buffer.from('x') })).toMatchObject([
    { kind: 'refused', code: 550, detail: expect.stringContaining('5.7.1') },
  ])
})

function signal() {
  let give: () => void = () => undefined
  const given = new Promise<void>((resolve) => {
    give = resolve
  })
  return { given, give: () => give() }
}

describe('stopping', () => {
  const DOWN = `S: 421 4.3.2 The service is going down; please come again\nS: (closed)`

  test('mail past its final dot is kept and answered, everybody else hears 421', async () => {
    const gate = signal()
    const entered = signal()
    const receiver = createReceiver(house.world.engine)
    const slow = await house.open({
      receiver: {
        async accept(incoming) {
          entered.give()
          await gate.given
          return receiver.accept(incoming)
        },
      },
    })
    const idle = await connected(slow)
    await idle.play(HELLO)
    const half = await connected(slow)
    await half.play(`${upToData(other)}\nC: Subject: half`)
    const whole = await connected(slow)
    await whole.play(`${upToData(to)}\nC: Subject: whole\nC: .`)
    await entered.given
    const closed = slow.close()
    await idle.play(DOWN)
    await half.play(DOWN)
    await expect(connected(slow)).rejects.toThrow(/ECONNREFUSED/)
    gate.give()
    await whole.play(`S: ${KEPT}\n${DOWN}`)
    await closed
    expect(await house.mails(to)).toEqual(['Subject: whole\r\n'])
    expect(await house.mails(other)).toEqual([])
    for (const line of [idle, half, whole]) line.leave()
  })

  test('no deadline is left waiting', async () => {
    const clock = heldClock('2026-11-22T10:00:00Z')
    const ending = await house.open({ clock })
    const line = await connected(ending)
    await line.play(HELLO)
    await ending.close()
    expect(clock.pending()).toBe(0)
    line.leave()
  })
})
