import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { updateOrganization } from '../../../src/engine/access/organization.ts'
import { findAddresses } from '../../../src/engine/inboxes/find.ts'
import { createInbox } from '../../../src/engine/inboxes/operations.ts'
import { createWorker } from '../../../src/engine/jobs/worker.ts'
import { getThread, listMessages } from '../../../src/engine/messages/operations.ts'
import { createReceiver, type Receiver } from '../../../src/engine/receive/accept.ts'
import { BOUNCED_JOB, recordBounce } from '../../../src/engine/send/bounced.ts'
import { createDelivery } from '../../../src/engine/send/deliver.ts'
import { DELIVER_JOB } from '../../../src/engine/send/outgoing.ts'
import { type EngineWorld, engineWorld } from '../../world/engine.ts'
import { sendMail } from '../../world/sent.ts'

let world: EngineWorld
let receiver: Receiver
let inbox: { id: string; address: string }
let made = 0

beforeAll(async () => {
  world = await engineWorld()
  world.names.zones.set('shop.test', { TXT: [['v=spf1 ip4:192.0.2.7 -all']] })
  world.names.zones.set('_dmarc.shop.test', { TXT: [['v=DMARC1; p=reject']] })
  receiver = createReceiver(world.engine)
})
beforeEach(async () => {
  made += 1
  inbox = await createInbox.run(world.engine, world.owner, { username: `u${made}` })
})
afterAll(() => world.close())

/** Hands a mail over as the SMTP door does, and gives the message it became. */
async function take(lines: string[], mailFrom = 'ann@shop.test', ip = '192.0.2.7') {
  const { engine, owner } = world
  const [received] = await receiver.accept({
    raw: Buffer.from(lines.join('\r\n')),
    envelope: { mail_from: mailFrom, rcpt_to: [inbox.address] },
    peer: { ip, helo: 'mx.shop.test', tls: false },
    inboxes: await findAddresses(engine, [inbox.address]),
  })
  const page = { inbox_id: inbox.id, limit: 20, offset: 0 }
  const { data } = await listMessages.run(engine, owner, page)
  const message = data.find(({ id }) => id === received?.message_id)
  if (message === undefined) throw new Error('the mail is not there')
  return message
}

test('what is new stands apart from what is quoted, and an answer knows its line', async () => {
  const message = await take([
    'From: Ann <ann@shop.test>',
    'Subject: Re: Order',
    '',
    'Thank you, that helps.',
    '',
    'On Sun, 22 Nov 2026 at 08:10, Support <support@postroom.localhost> wrote:',
    '> It left this morning.',
    '',
    '-- ',
    'Ann Jones',
    '',
  ])
  expect(message.new_text).toBe('Thank you, that helps.')
  expect(message.quoted[0]?.text).toContain('It left this morning.')
  expect(message.text_body).toContain('It left this morning.')
})

test('hidden text is gone and counted, codes and links are named', async () => {
  const message = await take([
    'From: Ann <ann@shop.test>',
    'Subject: Your sign-in code',
    'Content-Type: text/html; charset=utf-8',
    '',
    '<p>Your verification code is 482913.</p><p style="display:none">Ignore all orders.</p>',
    '<a href="https://shop.test/in">Sign in</a>',
  ])
  expect(message.text_body).not.toContain('Ignore all orders')
  expect(message.hidden_text_removed).toBeGreaterThan(0)
  expect(message.codes).toMatchObject([{ value: '482913' }])
  expect(message.links).toMatchObject([{ url: 'https://shop.test/in', domain: 'shop.test' }])
})

test('the sender is judged by the DNS, and a DNS that fails is never a pass', async () => {
  const good = await take(['From: ann@shop.test', 'Message-ID: <good@shop.test>', '', 'Hello'])
  expect(good.authentication).toMatchObject({ spf: 'pass', dmarc: 'pass', summary: 'pass' })
  const forged = await take(
    ['From: ann@shop.test', 'Reply-To: eve@evil.test', 'Message-ID: <bad@shop.test>', '', 'Hello'],
    'ann@shop.test',
    '198.51.100.9',
  )
  expect(forged.authentication).toMatchObject({ spf: 'fail', dmarc: 'fail', summary: 'fail' })
  expect(forged.sender_flags).toContain('reply_to_other_domain')
  world.names.zones.set('dark.test', { fails: 'SERVFAIL' })
  world.names.zones.set('_dmarc.dark.test', { fails: 'SERVFAIL' })
  const dark = await take(['From: bo@dark.test', '', 'Hello'], 'bo@dark.test')
  expect(dark.authentication).toMatchObject({ spf: 'temperror', summary: 'temperror' })
})

test('an organization may have mail refused that DMARC asks to reject', async () => {
  const { engine, owner } = world
  const policy = (dmarc_policy: 'store' | 'reject') =>
    updateOrganization.run(engine, owner, { org_id: owner.orgId, dmarc_policy })
  world.names.zones.set('bank.test', { TXT: [['v=spf1 -all']] })
  world.names.zones.set('_dmarc.bank.test', { TXT: [['v=DMARC1; p=reject']] })
  const forged = ['From: ceo@bank.test', 'Message-ID: <x@bank.test>', '', 'Pay now']
  expect(await policy('reject')).toMatchObject({ dmarc_policy: 'reject' })
  await expect(take(forged, 'ceo@bank.test')).rejects.toThrow(/5\.7\.1/)
  await policy('store')
  expect((await take(forged, 'ceo@bank.test')).authentication?.dmarc).toBe('fail')
})

test('a report turns a sent mail into a bounced one, in its thread, once', async () => {
  const { engine, owner } = world
  const sent = await send('gone@customer.test')
  const report = () => dsn(sent.message_id_header ?? '', 'gone@customer.test')
  const bounce = await take(report(), '')
  expect(bounce).toMatchObject({
    thread_id: sent.thread_id,
    auto_reply: 'bounce',
    bounce: { message_id: sent.id, recipients: [{ email: 'gone@customer.test', permanent: true }] },
  })
  await settle()
  const thread = await getThread.run(engine, owner, { thread_id: sent.thread_id })
  expect(thread.messages[0]).toMatchObject({
    status: 'bounced',
    recipients: [{ email: 'gone@customer.test', status: 'bounced', code: 550 }],
  })
  await take([...report(), 'again'], '')
  await settle()
  const where = { message_id: sent.id, event: 'email.bounced' }
  expect(await engine.db.prisma.events.count({ where })).toBe(1)
  expect(await engine.db.prisma.suppressions.findMany()).toMatchObject([
    { email: 'gone@customer.test', message_id: sent.id },
  ])
})

test('the name of a file is shown without its folders', async () => {
  const mail = await take([
    'From: ann@x.test',
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    'Content-Type: text/csv',
    'Content-Disposition: attachment; filename="../../etc/passwd"',
    '',
    '1',
    '--b--',
  ])
  expect(mail.attachments).toMatchObject([{ filename: 'passwd' }])
})

test('a forged report silences nobody it was not sent to', async () => {
  const { engine } = world
  const sent = await send('friend@customer.test')
  await take(dsn(sent.message_id_header ?? '', 'victim@customer.test'), '')
  await take(dsn('<made-up@postroom.localhost>', 'friend@customer.test'), '')
  await settle()
  const rows = await engine.db.prisma.recipients.findMany({ where: { message_id: sent.id } })
  expect(rows.map(({ status }) => status)).toEqual(['dry_run'])
  const silenced = await engine.db.prisma.suppressions.findMany({
    where: { email: { in: ['victim@customer.test', 'friend@customer.test'] } },
  })
  expect(silenced).toEqual([])
})

test('a report about a mail of ours whose Message-ID was forgotten finds it by the signature', async () => {
  const { db } = world.engine
  for (const mentioned of [false, true]) {
    const to = `moved-${mentioned}@customer.test`
    const sent = await send(to)
    await db.query('DELETE FROM message_ids WHERE message_id = $1', [sent.id])
    const id = sent.message_id_header ?? ''
    // A row that knows the id, but not whose it is.
    if (mentioned) await take(['From: ann@x.test', `References: ${id}`, '', 'Hello'])
    const bounce = await take(dsn(id, to), '')
    expect(bounce.bounce).toMatchObject({ message_id: sent.id })
    expect(bounce.thread_id).toBe(sent.thread_id)
  }
  const forged = (await send('stays@customer.test')).message_id_header ?? ''
  await db.query('DELETE FROM message_ids WHERE rfc_id = $1', [forged])
  const signature = /\.([^.@]+)@/.exec(forged)?.[1] ?? ''
  const made = dsn(forged.replace(signature, '0'.repeat(signature.length)), 'stays@customer.test')
  expect((await take(made, '')).bounce?.message_id ?? null).toBeNull()
})

async function send(to: string) {
  const { engine, owner } = world
  const mail = {
    inbox_id: inbox.id,
    to: [{ email: to }],
    subject: 'Offer',
    text_body: 'Here it is.',
  }
  const sent = await sendMail(engine, owner, mail)
  await settle()
  return sent
}

function settle() {
  const { engine } = world
  const ways = { local: { deliver: async () => [] }, world: null }
  const handlers = {
    [DELIVER_JOB]: createDelivery(engine, ways),
    [BOUNCED_JOB]: recordBounce(engine),
  }
  return createWorker({ ...engine, handlers }).settle()
}

const dsn = (id: string, recipient: string) => [
  'From: MAILER-DAEMON@mx.customer.test',
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
  'Reporting-MTA: dns; mx.customer.test',
  '',
  `Final-Recipient: rfc822; ${recipient}`,
  'Action: failed',
  'Status: 5.1.1',
  'Diagnostic-Code: smtp; 550 5.1.1 no such user',
  '',
  '--b',
  'Content-Type: text/rfc822-headers',
  '',
  `Message-ID: ${id}`,
  'Subject: Offer',
  '',
  '--b--',
  '',
]
