/** An engine that sends: a worker on a held clock, a real relay, and our own inboxes through the way mail comes in. */
import { expect } from 'vitest'
import { smtpRelay } from '../../../src/drains/smtp.ts'
import type { Caller } from '../../../src/engine/caller.ts'
import { signedMail } from '../../../src/engine/domains/sign.ts'
import { Refusal } from '../../../src/engine/errors.ts'
import type { InboxId } from '../../../src/engine/ids.ts'
import { eraseInbox } from '../../../src/engine/inboxes/erase.ts'
import { createInbox } from '../../../src/engine/inboxes/operations.ts'
import { createWorker } from '../../../src/engine/jobs/worker.ts'
import type { Message } from '../../../src/engine/messages/message.ts'
import { getMessage, listMessages } from '../../../src/engine/messages/operations.ts'
import type { Engine, LocalDelivery, MailTransport, Settings } from '../../../src/engine/ports.ts'
import { createReceiver } from '../../../src/engine/receive/accept.ts'
import { localDelivery } from '../../../src/engine/receive/local.ts'
import { createDelivery } from '../../../src/engine/send/deliver.ts'
import { sendMessage } from '../../../src/engine/send/operations.ts'
import { DELIVER_JOB } from '../../../src/engine/send/outgoing.ts'
import { expireReview } from '../../../src/engine/send/reviews/expire.ts'
import { EXPIRE_JOB, NOTICE_JOB } from '../../../src/engine/send/reviews/hold.ts'
import { tellOfReview } from '../../../src/engine/send/reviews/notice.ts'
import { RELEASE_JOB, releaseScheduled } from '../../../src/engine/send/schedule/release.ts'
import type { WaysOut } from '../../../src/engine/send/ways.ts'
import { heldClock } from '../../world/clock.ts'
import { engineWorld } from '../../world/engine.ts'
import { startRelay } from '../../world/relay.ts'
import { sendMail } from '../../world/sent.ts'

export interface TestInbox {
  id: InboxId
  address: string
}

export interface Ways {
  local?: LocalDelivery
  world?: MailTransport
  sign?: NonNullable<WaysOut['sign']>
}

export async function sendWorld(settings: Partial<Settings> = {}) {
  const clock = heldClock('2026-03-01T12:00:00Z')
  const world = await engineWorld({
    clock,
    settings: { mailDomain: 'ours.test', outbound: 'relay', agentSendPolicy: 'open', ...settings },
  })
  const { engine, owner } = world
  const relay = await startRelay()
  const drain = smtpRelay({ url: `smtp://${relay.host}`, hostname: 'mail.ours.test' })
  const receiver = createReceiver(engine)
  const local = localDelivery(engine, receiver)
  let made = 0

  const self = {
    ...world,
    clock,
    relay,
    receiver,
    local,
    drain,
    async inbox(): Promise<TestInbox> {
      made += 1
      const input = { username: `box${made}`, name: 'Box' }
      const { id, address } = await createInbox.run(engine, owner, input)
      return { id: id as InboxId, address }
    },
    /** A mail that goes. */
    send(input: object, caller: Caller = owner) {
      return sendMail(engine, caller, input)
    },
    /** Whatever the answer is: the mail, the review it waits for, or the verdict. */
    ask(input: object, caller: Caller = owner) {
      return self.askOn(engine, input, caller)
    },
    askOn(other: Engine, input: object, caller: Caller = owner) {
      return sendMessage.run(other, caller, sendMessage.input.parse(input))
    },
    /** Runs what is due, as a process of its own would. */
    async settle(over: Ways = {}) {
      const sign: WaysOut['sign'] = (mail) => signedMail(engine, mail)
      const drainOrNone = engine.settings.outbound === 'dry-run' ? null : drain
      const ways = { local, world: drainOrNone, sign, ...over }
      const worker = createWorker({
        ...engine,
        handlers: {
          [DELIVER_JOB]: createDelivery(engine, ways),
          [RELEASE_JOB]: releaseScheduled(engine),
          [EXPIRE_JOB]: expireReview(engine),
          [NOTICE_JOB]: tellOfReview(engine, ways),
          'inboxes.erase': eraseInbox(engine),
        },
      })
      await worker.settle()
      await worker.stop()
    },
    message(id: string): Promise<Message> {
      return getMessage.run(engine, owner, { message_id: id })
    },
    /** A mail comes in from outside; `dmarc` is what authentication would have said. */
    async mail(inbox: TestInbox, id: string, headers: string[] = [], dmarc?: string) {
      const [received] = await receiver.accept({
        raw: Buffer.from(
          [
            ...(headers.some((line) => /^From:/i.test(line)) ? [] : ['From: Ann <ann@x.test>']),
            `To: ${inbox.address}`,
            `Subject: Order ${id}`,
            `Message-ID: <${id}@x.test>`,
            ...headers,
            '',
            'Where is it?',
            '',
          ].join('\r\n'),
        ),
        envelope: { mail_from: 'ann@x.test', rcpt_to: [inbox.address] },
        peer: { ip: '127.0.0.1', helo: 'client.test', tls: false },
        inboxes: [
          {
            address: inbox.address,
            org_id: owner.orgId,
            inbox_id: inbox.id,
            is_active: true,
            dmarc_policy: 'store',
          },
        ],
      })
      const message = await self.message(received?.message_id ?? '')
      if (dmarc !== undefined) {
        await engine.db.query('UPDATE messages SET authentication = $2 WHERE id = $1', [
          message.id,
          { dmarc },
        ])
      }
      return message
    },
    /** The log about one message, in order. */
    events(messageId: string) {
      return engine.db.query<{ event: string; data: Record<string, unknown> }>(
        'SELECT event, data FROM events WHERE message_id = $1 ORDER BY seq',
        [messageId],
      )
    },
    /** How many rows and files there are; the same before and after what is refused. */
    async kept() {
      const [rows] = await engine.db.query<{ messages: number }>(
        `SELECT (SELECT count(*) FROM messages) AS messages, (SELECT count(*) FROM threads) AS threads,
           (SELECT count(*) FROM jobs) AS jobs, (SELECT count(*) FROM events) AS events`,
      )
      const files: string[] = []
      for await (const kept of engine.blobs.list(owner.orgId)) {
        files.push(kept.kind === 'raw' ? kept.sha256 : kept.messageId)
      }
      return { messages: 0, ...rows, files: files.sort() }
    },
    /** The relay takes everything again, and no mail of an earlier test is on its way. */
    async calm() {
      await engine.db.query('DELETE FROM jobs')
      relay.taken.length = 0
      relay.seen.length = 0
      Object.assign(relay, { onRecipient: () => undefined, onMail: () => undefined })
      Object.assign(engine.settings, { outbound: 'relay' })
    },
    /** Each recipient with its end. */
    states({ recipients }: Message) {
      return recipients?.map((one) => `${one.email} ${one.status} ${one.code} ${one.detail}`)
    },
    /** What the log tells of the mail itself. */
    async told(messageId: string) {
      return (await self.events(messageId)).filter(({ event }) => event !== 'thread.created')
    },
    list({ id }: TestInbox) {
      return listMessages.run(engine, owner, { inbox_id: id, limit: 20, offset: 0 })
    },
    async quit() {
      await drain.close()
      await relay.close()
      await world.close()
    },
  }
  return self
}

export type SendWorld = Awaited<ReturnType<typeof sendWorld>>

/** What is refused leaves no trace; the refusal comes back. */
export async function refused(
  world: SendWorld,
  input: object,
  caller: Caller = world.owner,
): Promise<Refusal> {
  const before = await world.kept()
  const error = await world.ask(input, caller).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(Refusal)
  expect(await world.kept()).toEqual(before)
  return error as Refusal
}
