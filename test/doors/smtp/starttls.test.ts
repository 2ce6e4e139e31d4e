import { createTransport } from 'nodemailer'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SmtpDoor } from '../../../src/doors/smtp/server.ts'
import { type Certificate, certificate } from '../../world/certificate.ts'
import { connected, transcript } from '../../world/transcript.ts'
import { type DoorWorld, doorWorld, HELLO, HOSTNAME, QUIT } from './door-world.ts'

let house: DoorWorld
let own: Certificate
let plain: SmtpDoor
let secure: SmtpDoor

beforeAll(async () => {
  own = certificate(HOSTNAME)
  house = await doorWorld()
  plain = await house.open()
  secure = await house.open({ tls: { cert: own.cert, key: own.key } })
})
afterAll(async () => {
  await house.close()
  await own.remove()
})

const EXTENSIONS = ['PIPELINING', '8BITMIME', 'SMTPUTF8', 'ENHANCEDSTATUSCODES']
const greets = (extensions: string[]) =>
  [`${HOSTNAME} greets [127.0.0.1]`, ...extensions, 'SIZE 26214400']
    .map((line, i, all) => `  S: 250${i < all.length - 1 ? '-' : ' '}${line}`)
    .join('\n')

test('without a certificate of its own the door neither offers nor knows STARTTLS', async () => {
  await transcript(
    plain,
    `
  S: 220 ${HOSTNAME} ESMTP Postroom
  C: EHLO a.test
${greets(EXTENSIONS)}
  C: STARTTLS
  S: 500 5.5.2 Error: command not recognized
  ${QUIT}`,
  )
})

test('a mail over TLS, with the certificate that was given; what was said before is forgotten', async () => {
  await transcript(
    secure,
    `
  S: 220 ${HOSTNAME} ESMTP Postroom
  C: EHLO a.test
${greets([...EXTENSIONS, 'STARTTLS'])}
  C: MAIL FROM:<before@a.test>
  S: 250 2.1.0 Accepted
  C: STARTTLS
  S: 220 2.0.0 Ready to start TLS
  (TLS)
  C: RCPT TO:<${house.world.hello}>
  S: 503 5.5.1 Error: send HELO/EHLO first
  C: EHLO a.test
${greets(EXTENSIONS)}
  C: RCPT TO:<${house.world.hello}>
  S: 503 5.5.1 Error: need MAIL command
  C: MAIL FROM:<ann@a.test>
  C: RCPT TO:<${house.world.hello}>
  C: DATA
  S: 250 2.1.0 Accepted
  S: 250 2.1.5 Accepted
  S: 354 …
  C: Subject: sealed
  C:
  C: .
  S: 250 2.0.0 Kept as msg_…
  C: STARTTLS
  S: 503 5.5.1 Error: TLS already active
  ${QUIT}`,
  )
  expect(await house.mails(house.world.hello)).toEqual(['Subject: sealed\r\n\r\n'])
  const trusting = createTransport({
    host: '127.0.0.1',
    port: secure.port,
    requireTLS: true,
    tls: { ca: own.cert, servername: HOSTNAME },
  })
  await expect(trusting.verify()).resolves.toBe(true)
  trusting.close()
})

test('commands that came with STARTTLS are dropped, however many there are', async () => {
  for (const count of [1, 400]) {
    const before = Array.from({ length: count }, () => 'MAIL FROM:<evil@a.test><CR><LF>').join('')
    await transcript(
      secure,
      `${HELLO}
  C= STARTTLS<CR><LF>${before}RSET<CR><LF>
  S: 220 2.0.0 Ready to start TLS
  (TLS)
  C: EHLO a.test
${greets(EXTENSIONS)}
  C: MAIL FROM:<ann@a.test>
  S: 250 2.1.0 Accepted
  ${QUIT}`,
    )
  }
})

test('a sender that talks on in the clear ends its connection, and no other', async () => {
  const line = await connected(secure)
  await line.play(`${HELLO}
  C: STARTTLS
  S: 220 2.0.0 Ready to start TLS
  C: MAIL FROM:<ann@a.test>
  C: RCPT TO:<${house.world.hello}>`)
  expect((await line.line()) ?? '').not.toMatch(/^\d{3}[ -]/)
  line.leave()
  await transcript(secure, `${HELLO}${QUIT}`)
})

describe('old TLS', () => {
  /** Without it this side would not even ask: TLS 1.1 signs with SHA-1. */
  const OLD = 'DEFAULT@SECLEVEL=0'

  test.each(['TLSv1', 'TLSv1.1'] as const)('%s is not spoken', async (maxVersion) => {
    const old = createTransport({
      host: '127.0.0.1',
      port: secure.port,
      requireTLS: true,
      tls: { ca: own.cert, servername: HOSTNAME, minVersion: 'TLSv1', maxVersion, ciphers: OLD },
    })
    await expect(old.verify()).rejects.toThrow(/alert protocol version/)
    old.close()
  })
})
