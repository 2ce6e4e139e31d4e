/** Mails to judge, and the judge with a real name server. */
import { dnsOver } from '../../../../src/drains/dns.ts'
import {
  type Authenticated,
  authenticate,
  type Mail,
} from '../../../../src/engine/receive/authenticate/authenticate.ts'
import { judgeSpf } from '../../../../src/engine/receive/authenticate/spf.ts'
import { systemClock } from '../../../../src/platform/clock.ts'
import type { NameServer } from '../../../world/dns.ts'

export const HOSTNAME = 'mx.postroom.test'
const TRY_MS = 100

export type Judge = (mail: string, client?: Partial<Mail>) => Promise<Authenticated>

/** A judge who asks this name server only. */
export function judgeWith(server: NameServer): Judge {
  const dns = dnsOver({ servers: [server.address], tryMs: TRY_MS })
  return (mail, client) =>
    authenticate(
      { dns, clock: systemClock, hostname: HOSTNAME, spf: judgeSpf },
      {
        ip: '192.0.2.1',
        helo: 'out.example.test',
        mailFrom: 'ada@example.test',
        raw: Buffer.from(mail),
        ...client,
      },
    )
}

/** A plain mail by Ada, with other fields in place of hers or beside them. */
export function mail(
  over: Record<string, string> = {},
  body = 'Hello,\r\n\r\nthis is a  test.\r\n',
): string {
  const fields = {
    From: 'Ada <ada@example.test>',
    To: 'support@postroom.test',
    Subject: 'Hello',
    Date: 'Sun, 22 Nov 2026 12:00:00 +0000',
    'Message-ID': '<1@example.test>',
    ...over,
  }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${lines.join('')}\r\n${body}`
}
