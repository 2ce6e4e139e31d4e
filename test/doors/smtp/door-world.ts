/** The SMTP door over a real engine, with what a test needs to see behind it. */
import { expect } from 'vitest'
import {
  openSmtpDoor,
  type SmtpDoor,
  type SmtpDoorOptions,
} from '../../../src/doors/smtp/server.ts'
import { createInbox } from '../../../src/engine/inboxes/operations.ts'
import { getRawMessage, listMessages } from '../../../src/engine/messages/operations.ts'
import type { Settings } from '../../../src/engine/ports.ts'
import { createReceiver } from '../../../src/engine/receive/accept.ts'
import { createRecipientCheck } from '../../../src/engine/receive/recipients.ts'
import { type EngineWorld, engineWorld } from '../../world/engine.ts'

export const HOSTNAME = 'mail.postroom.test'

export interface DoorWorld {
  world: EngineWorld
  /** Another door of the same house, closed with the rest. */
  open(over?: Partial<SmtpDoorOptions>): Promise<SmtpDoor>
  /** The mails of an inbox, newest first, as the raw store has them. */
  mails(inbox: string): Promise<string[]>
  newInbox(username: string): Promise<string>
  close(): Promise<void>
}

export async function doorWorld(settings: Partial<Settings> = {}): Promise<DoorWorld> {
  const world = await engineWorld({ settings })
  const { engine, owner } = world
  const doors: SmtpDoor[] = []
  return {
    world,
    async open(over = {}) {
      const door = await openSmtpDoor({
        host: '127.0.0.1',
        port: 0,
        hostname: HOSTNAME,
        bareNewlines: 'reject',
        receiver: createReceiver(engine),
        recipient: createRecipientCheck(engine),
        clock: engine.clock,
        log: engine.log,
        ...over,
      })
      doors.push(door)
      return door
    },
    async mails(inbox_id) {
      const { data } = await listMessages.run(engine, owner, { inbox_id, limit: 100, offset: 0 })
      const raws = data.map(({ id }) => getRawMessage.run(engine, owner, { message_id: id }))
      return (await Promise.all(raws)).map(({ bytes }) =>
        withoutTrace(Buffer.from(bytes).toString()),
      )
    },
    newInbox: async (username) => (await createInbox.run(engine, owner, { username })).address,
    async close() {
      await Promise.all(doors.map((door) => door.close()))
      await world.close()
    },
  }
}

/** The bytes as they were sent: below the line that each mail gets on top. RFC 5321 §4.4. */
function withoutTrace(raw: string): string {
  expect(raw).toMatch(OUR_LINE)
  return raw.replace(OUR_LINE, '')
}

const OUR_LINE =
  /^Received: from \S+ \(\[[\d.]+\]\)\r\n\tby mail\.postroom\.test \(Postroom\) with E?SMTPS?;\r\n\t\w{3}, \d\d \w{3} \d{4} [\d:]{8} \+0000\r\n/

/** What every conversation begins with. */
export const HELLO = `
  S: 220 ${HOSTNAME} ESMTP Postroom
  C: EHLO a.test
  S: 250-…
  S: 250 …`

/** As far as the first byte of a mail. */
export const upToData = (to: string) => `${HELLO}
  C: MAIL FROM:<ann@a.test>
  S: 250 2.1.0 Accepted
  C: RCPT TO:<${to}>
  S: 250 2.1.5 Accepted
  C: DATA
  S: 354 …`

export const QUIT = `
  C: QUIT
  S: 221 2.0.0 Bye
  S: (closed)`
