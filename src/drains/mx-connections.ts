// Connections to one host of somebody else: RFC 5321's patience, and encryption where it works.
import { connect, type Socket } from 'node:net'
import type { NodemailerError } from 'nodemailer'
import type { SMTPPoolOptions } from 'nodemailer/lib/smtp-pool'
import { type Connections, openConnections } from './smtp-pool.ts'

const SECOND_MS = 1_000
/** Small servers take ten to twenty connections in all; a large one takes what five can carry. */
export const MAX_CONNECTIONS = 5
/** A connection that is kept for the next mail costs the other side too. */
const IDLE_MS = 5 * SECOND_MS
const DIAL_TIMEOUT_MS = 30 * SECOND_MS
/** RFC 5321 §4.5.3.2: 5 min for the greeting, 10 min for the answer to the final dot. */
const GREETING_TIMEOUT_MS = 300 * SECOND_MS
const ANSWER_TIMEOUT_MS = 600 * SECOND_MS

export interface MailHost {
  name: string
  address: string
}

export interface DialOptions {
  /** The name we give in EHLO. */
  hostname: string
  port: number
  /** Milliseconds, where other limits than RFC 5321's are wanted. */
  timeouts?: { dial?: number; greeting?: number; answer?: number }
}

/**
 * Encryption is opportunistic (RFC 7435): used where it works, whatever the certificate says, since whoever could
 * forge that could also remove the offer.
 * @param plain STARTTLS is offered there and does not work
 */
export function connectionsTo(
  { name, address }: MailHost,
  plain: boolean,
  { hostname, port, timeouts = {} }: DialOptions,
): Connections {
  const dial = timeouts.dial ?? DIAL_TIMEOUT_MS
  const greeting = timeouts.greeting ?? GREETING_TIMEOUT_MS
  const options: SMTPPoolOptions = {
    host: address,
    port,
    secure: false,
    name: hostname,
    maxConnections: MAX_CONNECTIONS,
    idleTimeout: IDLE_MS,
    connectionTimeout: dial + greeting,
    greetingTimeout: greeting,
    socketTimeout: timeouts.answer ?? ANSWER_TIMEOUT_MS,
    ignoreTLS: plain,
    opportunisticTLS: true,
    tls: { rejectUnauthorized: false, servername: name },
  }
  return openConnections(options, (_options, done) => {
    dialled(address, port, dial).then(
      (connection) => done(null, { connection }),
      (error: Error) => done(Object.assign(error, { code: 'ESOCKET' })),
    )
  })
}

/** nodemailer has one limit for connecting and greeting; RFC 5321 has minutes for the second alone. */
function dialled(host: string, port: number, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port })
    const fail = (error: Error) => {
      clearTimeout(timer)
      socket.destroy()
      reject(error)
    }
    const late = () => fail(new Error(`no connection within ${timeoutMs / SECOND_MS} s`))
    const timer = setTimeout(late, timeoutMs)
    socket.once('error', fail)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.off('error', fail)
      resolve(socket)
    })
  })
}

/** nodemailer names a handshake that fails ETLS, or ESOCKET with what OpenSSL or Node.js says. */
export function isTlsTrouble(error: NodemailerError): boolean {
  return (
    error.code === 'ETLS' ||
    error.timeoutType === 'UPGRADE_TIMEOUT' ||
    /^(ERR_SSL|ERR_TLS|EPROTO)/.test(error.originalCode ?? '') ||
    /secure TLS connection/.test(error.message)
  )
}
