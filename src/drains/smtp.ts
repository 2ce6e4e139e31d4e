// Outgoing mail to the relay, and what the relay said about each recipient.
import type { SMTPPoolOptions } from 'nodemailer/lib/smtp-pool'
import type { MailTransport, OutgoingMail } from '../engine/ports.ts'
import { createClosing } from './closing.ts'
import { answersOf, type Peer } from './smtp-answers.ts'
import { openConnections } from './smtp-pool.ts'

const SECOND_MS = 1_000
const MAX_CONNECTIONS = 5
/** RFC 5321 §4.5.3.2: the client waits 5 min for the greeting and 10 min for the answer to the final dot. */
const CONNECT_TIMEOUT_MS = 30 * SECOND_MS
const GREETING_TIMEOUT_MS = 300 * SECOND_MS
const ANSWER_TIMEOUT_MS = 600 * SECOND_MS

const RELAY: Peer = { name: 'the relay', login: 'in SMTP_RELAY_URL', givesIds: true }

export interface RelayOptions {
  /** smtp://user:pass@host:port or smtps://…; nodemailer's query options (?tls.rejectUnauthorized=false) are understood. */
  url: string
  /** The name we give in EHLO. */
  hostname: string
  answerTimeoutMs?: number
}

/**
 * Hands mail to a relay. STARTTLS is used wherever it is offered. The relay's certificate is checked
 * with smtps:// and when credentials are sent; without either, encryption is opportunistic (RFC 7435),
 * since whoever could forge the certificate could also remove the offer of STARTTLS.
 */
export function smtpRelay({ url, hostname, answerTimeoutMs }: RelayOptions): MailTransport {
  const connections = openConnections({
    ...relayOptions(url),
    name: hostname,
    socketTimeout: answerTimeoutMs ?? ANSWER_TIMEOUT_MS,
  })
  const closing = createClosing(connections.close)

  const send = async (mail: OutgoingMail) => {
    const sent = await connections.send(mail)
    if (sent.kind === 'failed') closing.refuseCut(sent.error)
    return answersOf(mail.envelope.to, sent, RELAY)
  }
  return { send: (mail) => closing.track(send(mail)), close: closing.close }
}

function relayOptions(url: string): SMTPPoolOptions {
  const { protocol, username } = new URL(url)
  return {
    url,
    maxConnections: MAX_CONNECTIONS,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: GREETING_TIMEOUT_MS,
    tls: { rejectUnauthorized: protocol === 'smtps:' || username !== '' },
  }
}
