/** Reports that come back on a mail of ours, as their senders write them, taken in through the real receiver. */
import { createWorker } from '../../../src/engine/jobs/worker.ts'
import type { Message } from '../../../src/engine/messages/message.ts'
import { COMPLAINED_JOB, readComplained } from '../../../src/engine/receive/complained.ts'
import { BOUNCED_JOB, recordBounce } from '../../../src/engine/send/bounced.ts'
import type { SendWorld, TestInbox } from './send-world.ts'

let reports = 0

/** Takes a report in at an inbox and does what follows from it. Returns the report's message. */
export async function report(
  world: SendWorld,
  inbox: TestInbox,
  lines: readonly string[],
): Promise<string> {
  const id = await takeIn(world, inbox, lines)
  await settleReports(world)
  return id
}

/** Only takes it in; what follows from it waits in the queue. */
export async function takeIn(
  world: SendWorld,
  inbox: TestInbox,
  lines: readonly string[],
): Promise<string> {
  reports += 1
  const [received] = await world.receiver.accept({
    raw: Buffer.from([`Message-ID: <report-${reports}@mx.x.test>`, ...lines, ''].join('\r\n')),
    envelope: { mail_from: '', rcpt_to: [inbox.address] },
    peer: { ip: '127.0.0.1', helo: 'mx.x.test', tls: false },
    inboxes: [
      {
        address: inbox.address,
        org_id: world.owner.orgId,
        inbox_id: inbox.id,
        is_active: true,
        dmarc_policy: 'store',
      },
    ],
  })
  return received?.message_id ?? ''
}

/** Does what follows from the reports that are waiting, as a process of its own would. */
export async function settleReports({ engine }: Pick<SendWorld, 'engine'>): Promise<void> {
  const handlers = {
    [BOUNCED_JOB]: recordBounce(engine),
    [COMPLAINED_JOB]: readComplained(engine),
  }
  const worker = createWorker({ ...engine, handlers })
  await worker.settle()
  await worker.stop()
}

/** RFC 3464. */
export const bounceOf = (mail: Message, email: string, status = '5.1.1') => [
  'From: MAILER-DAEMON@mx.x.test',
  'Subject: Undelivered Mail Returned to Sender',
  'MIME-Version: 1.0',
  'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
  '',
  '--b',
  'Content-Type: text/plain',
  '',
  'Your mail could not be delivered.',
  '',
  '--b',
  'Content-Type: message/delivery-status',
  '',
  'Reporting-MTA: dns; mx.x.test',
  '',
  `Final-Recipient: rfc822; ${email}`,
  'Action: failed',
  `Status: ${status}`,
  `Diagnostic-Code: smtp; 550 ${status} refused`,
  '',
  ...returned(mail),
]

/** RFC 5965. */
export const complaintAbout = (
  mail: Message,
  { named = [], type = 'abuse' }: { named?: readonly string[]; type?: string } = {},
) => [
  'From: Feedback Loop <fbl@x.test>',
  'Subject: FW: Hello',
  'MIME-Version: 1.0',
  'Content-Type: multipart/report; report-type=feedback-report; boundary="b"',
  '',
  '--b',
  'Content-Type: text/plain',
  '',
  'This is an abuse report.',
  '',
  '--b',
  'Content-Type: message/feedback-report',
  '',
  `Feedback-Type: ${type}`,
  'User-Agent: Loop/1.0',
  'Version: 1',
  ...named.map((email) => `Original-Rcpt-To: <${email}>`),
  '',
  ...returned(mail),
]

const returned = (mail: Message) => [
  '--b',
  'Content-Type: text/rfc822-headers',
  '',
  `Message-ID: ${mail.message_id_header}`,
  'Subject: Hello',
  '',
  '--b--',
]
