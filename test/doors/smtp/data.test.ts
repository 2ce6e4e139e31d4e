import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { SmtpDoor } from '../../../src/doors/smtp/server.ts'
import { connected, transcript } from '../../world/transcript.ts'
import { type DoorWorld, doorWorld, QUIT, upToData } from './door-world.ts'

let house: DoorWorld
let strict: SmtpDoor
let lenient: SmtpDoor
let to: string
let made = 0

beforeAll(async () => {
  house = await doorWorld()
  strict = await house.open()
  lenient = await house.open({ bareNewlines: 'normalize' })
})
beforeEach(async () => {
  made += 1
  to = await house.newInbox(`inbox${made}`)
})
afterAll(() => house.close())

const SECOND_MAIL = (inbox: string) =>
  `MAIL FROM:<evil@a.test><CR><LF>RCPT TO:<${inbox}><CR><LF>DATA<CR><LF>Subject: smuggled<CR><LF><CR><LF>!<CR><LF>`

/** What some servers take for the end of a mail; none of it is. */
const FALSE_ENDS = [
  '<LF>.<LF>',
  '<LF>.<CR><LF>',
  '<CR><LF>.<LF>',
  '<CR><LF>.<CR>',
  '<CR>.<CR>',
  '<CR>.<CR><LF>',
  '<CR><LF>.<CR><CR><LF>',
  '<LF><LF>.<CR><LF>',
  '<LF><CR>.<LF><CR>',
  '<LF>.<CR>',
]
/** No end either, and without a bare CR or LF: a mail like any other. */
const INNOCENT = [
  '<CR><LF><NUL>.<CR><LF>',
  '<CR><LF>.<NUL><CR><LF>',
  '<CR><LF> .<CR><LF>',
  '<CR><LF>..<CR><LF>',
]

test('a mail ends at CRLF.CRLF, a stuffed dot is one dot, and the next mail follows', async () => {
  await transcript(
    strict,
    `${upToData(to)}
  C: Subject: dots
  C:
  C: ..
  C: ...two
  C: end.
  C: .
  S: 250 2.0.0 Kept as msg_…
  C: MAIL FROM:<>
  C: RCPT TO:<${to}>
  C: DATA
  S: 250 2.1.0 Accepted
  S: 250 2.1.5 Accepted
  S: 354 …
  C: .
  S: 250 2.0.0 Kept as msg_…
  ${QUIT}`,
  )
  expect(await house.mails(to)).toEqual(['', 'Subject: dots\r\n\r\n.\r\n..two\r\nend.\r\n'])
})

describe('what is not CRLF.CRLF never makes two mails of one', () => {
  test.each(FALSE_ENDS)('%s is refused', async (end) => {
    await transcript(
      strict,
      `${upToData(to)}
  C= Subject: one<CR><LF><CR><LF>text${end}${SECOND_MAIL(to)}
  C= .<CR><LF>
  S: 550 5.6.0 The mail holds a bare CR or LF; lines end with CRLF
  ${QUIT}`,
    )
    expect(await house.mails(to)).toEqual([])
  })

  test.each(FALSE_ENDS)('%s is normalized by setting', async (end) => {
    await transcript(
      lenient,
      `${upToData(to)}
  C= Subject: one<CR><LF><CR><LF>text${end}${SECOND_MAIL(to)}
  C= .<CR><LF>
  S: 250 2.0.0 Kept as msg_…
  ${QUIT}`,
    )
    const [mail = '', another] = await house.mails(to)
    expect(another).toBeUndefined()
    expect(mail).toContain('Subject: smuggled')
    expect(mail.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
  })

  test.each(INNOCENT)('%s is text', async (text) => {
    await transcript(
      strict,
      `${upToData(to)}
  C= Subject: one<CR><LF><CR><LF>text${text}${SECOND_MAIL(to)}
  C= .<CR><LF>
  S: 250 2.0.0 Kept as msg_…
  ${QUIT}`,
    )
    expect(await house.mails(to)).toHaveLength(1)
  })

  test('a bare CR at the end of the header, or an LF as its very first byte, is seen too', async () => {
    for (const content of [
      '<LF>Subject: x<CR><LF>',
      'Subject: x<CR>Bcc: y<CR><LF><CR><LF>',
      '<CR>',
    ]) {
      await transcript(
        strict,
        `${upToData(to)}
  C= ${content}<CR><LF>.<CR><LF>
  S: 550 5.6.0 …
  ${QUIT}`,
      )
    }
    expect(await house.mails(to)).toEqual([])
  })
})

test('wherever the network cuts the bytes, the mail and what follows it are the same', async () => {
  const content = 'Subject: cut\r\n\r\n.\r\n..\r\na.\r\n.b\r\n\r\n'
  const wire = `${content.replace(/^\./gm, '..')}.\r\nNOOP\r\n`
  const line = await connected(strict)
  await line.play(upToData(to))
  for (let cut = 1; cut < wire.length; cut += 1) {
    await line.write(wire.slice(0, cut))
    await new Promise(setImmediate)
    await line.write(wire.slice(cut))
    await line.play(`
  S: 250 2.0.0 Kept as …
  S: 250 2.0.0 OK
  C: MAIL FROM:<ann@a.test>
  C: RCPT TO:<${to}>
  C: DATA
  S: 250 …
  S: 250 …
  S: 354 …`)
  }
  line.leave()
  expect(await house.mails(to)).toEqual([content])
})

test('normalizing makes CRLF of every line end, and no empty lines of CR CR LF', async () => {
  await transcript(
    lenient,
    `${upToData(to)}
  C= Subject: x<CR><CR><LF>To: y<LF><LF>one<CR>two<CR><CR>four<CR><CR><CR><LF>six<LF>..seven<CR><LF>
  C= .<CR><LF>
  S: 250 2.0.0 Kept as msg_…
  ${QUIT}`,
  )
  expect(await house.mails(to)).toEqual([
    'Subject: x\r\nTo: y\r\n\r\none\r\ntwo\r\n\r\nfour\r\n\r\nsix\r\n.seven\r\n',
  ])
})
