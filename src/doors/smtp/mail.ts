// One mail behind DATA: read, judged by what the door knows, handed to the receiver, answered.
import type { SMTPServerDataStream, SMTPServerSession } from 'smtp-server'
import { toALabels } from '../../engine/domain-name.ts'
import type { Engine } from '../../engine/ports.ts'
import type { Receiver } from '../../engine/receive/accept.ts'
import { type Incoming, MailRefused } from '../../engine/receive/incoming.ts'
import type { AddressFound } from '../../engine/recent-addresses.ts'
import { type BareNewlines, type Content, contentOf } from './content.ts'
import { hopsOf } from './hops.ts'
import { type Reply, replies } from './replies.ts'
import { withTrace } from './trace.ts'

interface Parts extends Pick<Engine, 'log' | 'clock'> {
  receiver: Pick<Receiver, 'accept'>
  hostname: string
  bareNewlines: BareNewlines
}

/** Mail that has come whole and is not answered yet. */
export interface Whole {
  raw: Buffer
  session: SMTPServerSession
  inboxes: AddressFound[]
}

/** Reads a mail to its final dot. Resolves with its bytes; rejects with the refusal to send. */
export async function readMail(
  parts: Parts,
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
): Promise<Buffer> {
  const content = await contentOf(stream, parts.bareNewlines)
  const refusal = content.kind === 'whole' ? wayOf(content.raw, parts.hostname) : notWhole(content)
  if (content.kind === 'whole' && refusal === undefined) return content.raw
  const answer = refusal ?? replies.tryAgain()
  parts.log.info({ ip: session.remoteAddress, answer: answer.message }, 'mail refused')
  throw answer
}

/** Hands a mail over; resolves with the text of the 250 once it is kept. Rejects with the refusal to send. */
export async function keepMail(parts: Parts, { raw, session, inboxes }: Whole): Promise<string> {
  const { receiver, log } = parts
  const { remoteAddress: ip } = session
  try {
    const received = await receiver.accept(incomingOf(parts, { raw, session, inboxes }))
    const ids = received.map(({ message_id }) => message_id)
    const duplicates = received.filter(({ duplicate }) => duplicate).length
    log.info({ ip, messages: ids, size: raw.length, duplicates }, 'mail in')
    return replies.kept(ids)
  } catch (error) {
    if (error instanceof MailRefused) {
      log.info({ ip, size: raw.length, answer: error.message }, 'mail refused')
      throw replies.refused(error.code, error.message)
    }
    log.error({ error: (error as Error).message, size: raw.length }, 'mail not kept')
    throw isDiskFull(error) ? replies.diskFull() : replies.tryAgain()
  }
}

function notWhole({ kind }: Exclude<Content, { kind: 'whole' }>): Reply {
  switch (kind) {
    case 'too_large':
      return replies.tooLarge()
    case 'bare_newline':
      return replies.bareNewline()
    case 'broken_off':
      return replies.tryAgain()
  }
}

function wayOf(raw: Buffer, hostname: string): Reply | undefined {
  switch (hopsOf(raw, hostname)) {
    case 'fine':
      return undefined
    case 'too_many':
      return replies.tooManyHops()
    case 'own_loop':
      return replies.ownLoop(hostname)
  }
}

function incomingOf({ clock, hostname }: Parts, { raw, session, inboxes }: Whole): Incoming {
  const { mailFrom, rcptTo } = session.envelope
  const { remoteAddress: ip, hostNameAppearsAs: helo, transmissionType: protocol } = session
  return {
    raw: withTrace(raw, { ip, helo, hostname, protocol, at: clock.now() }),
    envelope: {
      mail_from: mailFrom ? inDns(mailFrom.address) : '',
      rcpt_to: rcptTo.map(({ address }) => inDns(address)),
    },
    peer: { ip, helo, tls: session.secure },
    inboxes,
  }
}

/** The library shows international domains in letters; the DNS, and so SPF, knows their xn-- form. RFC 5890 §2.3.2.1. */
function inDns(address: string): string {
  const at = address.lastIndexOf('@')
  const domain = toALabels(address.slice(at + 1))
  return at < 0 || domain === '' ? address : `${address.slice(0, at)}@${domain}`
}

const isDiskFull = (error: unknown) =>
  ['ENOSPC', 'EDQUOT'].includes((error as { code?: string } | null)?.code ?? '')
