import { afterEach, describe, expect, test } from 'vitest'
import { dnsOver } from '../../src/drains/dns.ts'
import { mxDelivery } from '../../src/drains/mx.ts'
import { smtpRelay } from '../../src/drains/smtp.ts'
import type { MailTransport } from '../../src/engine/ports.ts'
import { startNameServer } from '../world/dns.ts'
import { type Sink, startSink } from '../world/sink.ts'

const tools = process.env.POSTFIX_TOOLS
const RAW = Buffer.from('Subject: hi\r\n\r\n.leading dot\r\nend\r\n')
const open: { close(): Promise<void> }[] = []

afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.close()
})

function keep<T extends { close(): Promise<void> }>(part: T): T {
  open.push(part)
  return part
}

const relay = async ({ host }: Sink) => smtpRelay({ url: `smtp://${host}`, hostname: 'ours.test' })

async function direct({ host }: Sink): Promise<MailTransport> {
  const names = keep(await startNameServer({ 'x.test': { A: ['127.0.0.1'] } }))
  const dns = dnsOver({ servers: [names.address] })
  return mxDelivery({
    dns,
    hostname: 'ours.test',
    port: Number(host.split(':')[1]),
    loopback: true,
  })
}

describe.skipIf(tools === undefined).each([
  ['relay', relay],
  ['MX host', direct],
])("Debian's smtp-sink (needs POSTFIX_TOOLS) as a %s", (_name, drainTo) => {
  test.each([
    ['takes the mail', [], 'accepted'],
    ['refuses recipients for now', ['-r', 'rcpt'], 'deferred'],
    ['refuses recipients for good', ['-f', 'rcpt'], 'refused'],
    ['refuses the mail after the dot for now', ['-r', '.'], 'deferred'],
    ['cuts the line at DATA', ['-q', 'data'], 'deferred'],
    ['cuts the line at the final dot', ['-q', '.'], 'uncertain'],
    ['closes with 421 at MAIL', ['-Q', 'mail'], 'deferred'],
  ])('%s', async (_what, options, kind) => {
    const sink = keep(await startSink(tools ?? '', options))
    const drain = keep(await drainTo(sink))
    const envelope = { from: 'us@ours.test', to: ['ann@x.test'] }
    const [answer] = await drain.send({ envelope, raw: RAW })
    expect(answer?.kind, JSON.stringify(answer)).toBe(kind)
    if (kind !== 'accepted') return
    expect((await sink.taken())[0]).toContain('.leading dot')
  })
})
