/** An engine whose worker tells inboxes' endpoints, on a held clock, and somebody's endpoint. */
import { createPoster } from '../../../src/drains/post.ts'
import type { InboxId } from '../../../src/engine/ids.ts'
import { createInbox } from '../../../src/engine/inboxes/operations.ts'
import { createWorker, type Worker } from '../../../src/engine/jobs/worker.ts'
import { postDeliveries } from '../../../src/engine/notify/attempt.ts'
import { POST_JOB, POST_LIMIT } from '../../../src/engine/notify/delivery.ts'
import { listDeliveries } from '../../../src/engine/notify/operations.ts'
import { webhookTail } from '../../../src/engine/notify/tail.ts'
import type { Engine } from '../../../src/engine/ports.ts'
import { createReceiver } from '../../../src/engine/receive/accept.ts'
import type { Clock } from '../../../src/platform/clock.ts'
import { heldClock } from '../../world/clock.ts'
import { engineWorld } from '../../world/engine.ts'
import { type Receiver, startReceiver } from '../../world/receiver.ts'

export interface TestInbox {
  id: InboxId
  address: string
  secret: string
}

export async function notifyWorld() {
  const clock = heldClock('2026-03-01T12:00:00Z')
  const world = await engineWorld({ clock, settings: { webhookTimeoutSeconds: 5 } })
  const { engine, owner } = world
  const accept = createReceiver(engine)
  const poster = createPoster({ allowPrivate: 'auto', listensOnLoopback: true })
  const closing: (() => Promise<void>)[] = []
  let made = 0

  return {
    ...world,
    clock,
    /** A worker on this database, or on another connection or clock. */
    worker(over: { engine?: Partial<Engine>; clock?: Clock } = {}): Worker {
      const parts = { ...engine, ...over.engine, ...(over.clock && { clock: over.clock }), poster }
      const worker = createWorker({
        ...parts,
        handlers: { [POST_JOB]: postDeliveries(parts) },
        limits: { [POST_JOB]: POST_LIMIT },
        tails: [webhookTail(parts)],
      })
      closing.unshift(() => worker.stop())
      return worker
    },
    async endpoint(): Promise<Receiver> {
      const receiver = await startReceiver()
      closing.push(() => receiver.close())
      return receiver
    },
    async inbox(webhookUrl?: string): Promise<TestInbox> {
      made += 1
      const wish = { username: `box${made}`, ...(webhookUrl && { webhook_url: webhookUrl }) }
      const { id, address, webhook_secret } = await createInbox.run(engine, owner, wish)
      return { id: id as InboxId, address, secret: webhook_secret ?? '' }
    },
    /** A mail from outside comes in, over the same function that the SMTP door calls. */
    async mail(inbox: TestInbox, lines: readonly string[] = simpleMail(inbox)): Promise<void> {
      const { id, address } = inbox
      await accept.accept({
        raw: Buffer.from(lines.join('\r\n')),
        envelope: { mail_from: 'ann@example.com', rcpt_to: [address] },
        peer: { ip: '127.0.0.1', helo: 'client.test', tls: false },
        inboxes: [
          { address, org_id: owner.orgId, inbox_id: id, is_active: true, dmarc_policy: 'store' },
        ],
      })
    },
    async deliveries(
      inbox: TestInbox,
      filter: { status?: 'pending' | 'delivered' | 'failed' } = {},
    ) {
      const input = { inbox_id: inbox.id, limit: 100, offset: 0, ...filter }
      return (await listDeliveries.run(engine, owner, input)).data
    },
    /** Stops the workers first, then the endpoints; what still waits is no later test's work. */
    async quit(): Promise<void> {
      for (const close of closing.splice(0)) await close()
      await engine.db.query('DELETE FROM jobs')
    },
  }
}

export type NotifyWorld = Awaited<ReturnType<typeof notifyWorld>>

let mails = 0

export function simpleMail({ address }: TestInbox): string[] {
  mails += 1
  return [
    'From: Ann <ann@example.com>',
    `To: ${address}`,
    `Subject: Order ${mails}`,
    `Message-ID: <order-${mails}@example.com>`,
    '',
    'Where is my order?',
    '',
  ]
}

/** Events of one kind among what an endpoint was sent. */
export const told = ({ posts }: Receiver, event: string) =>
  posts.filter((post) => JSON.parse(post.body).event === event)
