import { afterAll, beforeAll, expect, test } from 'vitest'
import type { SmtpDoor } from '../../../src/doors/smtp/server.ts'
import { type Handover, withTrace } from '../../../src/doors/smtp/trace.ts'
import { transcript } from '../../world/transcript.ts'
import { type DoorWorld, doorWorld, QUIT, upToData } from './door-world.ts'

const HANDOVER: Handover = {
  ip: '192.0.2.7',
  helo: 'client.test',
  hostname: 'mx.ours.test',
  protocol: 'ESMTPS',
  at: new Date('2026-11-22T08:10:00Z'),
}
const traced = (raw: string, over: Partial<Handover> = {}) =>
  withTrace(Buffer.from(raw), { ...HANDOVER, ...over }).toString()

test('a mail gets a line of ours on top, and its bytes follow', () => {
  expect(traced('Subject: hello\r\n\r\nHi\r\n')).toBe(
    [
      'Received: from client.test ([192.0.2.7])',
      '\tby mx.ours.test (Postroom) with ESMTPS;',
      '\tSun, 22 Nov 2026 08:10:00 +0000',
      'Subject: hello',
      '',
      'Hi',
      '',
    ].join('\r\n'),
  )
})

test('an address of six is marked, a client that lies about its name is unknown', () => {
  expect(traced('', { ip: '2001:db8::7' })).toContain('([IPv6:2001:db8::7])')
  for (const helo of ['a by mx.bank.test', 'a;b', 'a(b', 'a\r\nX-Evil: b', 'ä.test', '']) {
    expect(traced('', { helo })).toMatch(/^Received: from unknown \(\[192\.0\.2\.7\]\)\r\n\tby /)
  }
})

test('a mail that begins in the middle of a field stays as it came', () => {
  expect(traced(' folded\r\nSubject: a\r\n\r\n')).toBe(' folded\r\nSubject: a\r\n\r\n')
})

let house: DoorWorld
let door: SmtpDoor
let to: string

beforeAll(async () => {
  house = await doorWorld()
  door = await house.open()
  to = await house.newInbox('traced')
})
afterAll(() => house.close())

test('a mail that was here before is known by that line', async () => {
  await transcript(
    door,
    `${upToData(to)}
  C: Subject: round and round
  C:
  C: .
  S: 250 2.0.0 Kept as msg_…${QUIT}`,
  )
  const { db, blobs } = house.world.engine
  const [row] = await db.query<{ raw_sha256: string }>('SELECT raw_sha256 FROM messages')
  const kept = await blobs.get(house.world.owner.orgId, row?.raw_sha256 ?? '')
  const lines = kept.toString().split('\r\n')
  expect(lines[0]).toBe('Received: from a.test ([127.0.0.1])')
  await transcript(
    door,
    `${upToData(to)}
${lines.map((line) => `  C: ${line}`).join('\n')}
  C: .
  S: 554 5.4.6 …${QUIT}`,
  )
})
