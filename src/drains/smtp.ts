// Outgoing mail to the relay: nodemailer's pool, the bytes as they are, and what the relay said about each recipient.
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { createTransport, type NodemailerError } from 'nodemailer'
import SMTPPool, { type SMTPPoolOptions } from 'nodemailer/lib/smtp-pool'
import type { HandOver, MailTransport, OutgoingMail } from '../engine/ports.ts'
import { afterAnswer, afterFailure } from './smtp-answers.ts'

const SECOND_MS = 1_000
const PIECE = 64 * 1024
const MAX_CONNECTIONS = 5
/** RFC 5321 §4.5.3.2: the client waits 5 min for the greeting and 10 min for the answer to the final dot. */
const CONNECT_TIMEOUT_MS = 30 * SECOND_MS
const GREETING_TIMEOUT_MS = 300 * SECOND_MS
const ANSWER_TIMEOUT_MS = 600 * SECOND_MS
/** The pool may try another connection once when the relay closed an idle one; all other repeats are the engine's. */
const REQUEUES = 1
const CLOSING_PATIENCE_MS = SECOND_MS

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
  const pool = new SMTPPool({
    ...relayOptions(url),
    name: hostname,
    socketTimeout: answerTimeoutMs ?? ANSWER_TIMEOUT_MS,
  })
  const mailer = createTransport(pool)
  const handedOut = new WeakSet<object>()
  // The last stage of the message's stream ends when its last byte is on the way to the socket,
  // the final dot behind it: from here on a lost connection leaves open whether the mail was taken.
  mailer.use('stream', ({ data, message }, done) => {
    message.processFunc((stream) => {
      const pieces = Readable.from(inPieces(stream), { objectMode: false })
      return pieces.once('end', () => handedOut.add(data.raw as object))
    })
    done()
  })
  const underWay = new Set<Promise<unknown>>()
  let closing = false

  const send = async ({ envelope, raw }: OutgoingMail): Promise<HandOver[]> => {
    const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength)
    try {
      const info = await mailer.sendMail({
        envelope: {
          from: envelope.from,
          to: envelope.to.map((address) => ({ name: '', address })),
          size: bytes.length,
        },
        raw: bytes,
      })
      return envelope.to.map((recipient) => afterAnswer(recipient, info, envelope.to))
    } catch (error) {
      if (closing && (error as NodemailerError).responseCode === undefined) {
        throw new Error('the hand-over was cut short, since we are stopping', { cause: error })
      }
      const dotSent = handedOut.has(bytes)
      return envelope.to.map((recipient) => afterFailure(recipient, error, dotSent))
    }
  }

  return {
    send(mail) {
      const sending = send(mail)
      underWay.add(sending)
      return sending.finally(() => underWay.delete(sending))
    },
    /** Lets what is under way end for a second, then cuts what is left: that is no answer of the relay, so `send` throws. */
    async close() {
      closing = true
      pool.close()
      const patience = new AbortController()
      await Promise.race([
        Promise.allSettled(underWay),
        delay(CLOSING_PATIENCE_MS, undefined, { signal: patience.signal }).catch(() => undefined),
      ])
      patience.abort()
      pool.close({ force: true })
    },
  }
}

/** In one piece a large mail would count as sent while it still lies in our own memory. */
async function* inPieces(stream: AsyncIterable<Buffer>) {
  for await (const chunk of stream) {
    for (let start = 0; start < chunk.length; start += PIECE) {
      yield chunk.subarray(start, start + PIECE)
    }
  }
}

function relayOptions(url: string): SMTPPoolOptions {
  const { protocol, username } = new URL(url)
  return {
    url,
    maxConnections: MAX_CONNECTIONS,
    maxRequeues: REQUEUES,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: GREETING_TIMEOUT_MS,
    tls: { rejectUnauthorized: protocol === 'smtps:' || username !== '' },
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}
