// nodemailer's pool of connections to one server: the bytes as they are, and what came of each mail.
import { Readable } from 'node:stream'
import type { NodemailerError } from 'nodemailer'
import MimeNode from 'nodemailer/lib/mime-node'
import SMTPPool, {
  type SMTPPoolOptions,
  type SMTPPoolSentMessageInfo,
} from 'nodemailer/lib/smtp-pool'
import type { OutgoingMail } from '../engine/ports.ts'
import { isInternational, type Session, withSmtpUtf8 } from './smtp-utf8.ts'

const PIECE = 64 * 1024
/** The pool may try another connection once when the server closed an idle one; all other repeats are the engine's. */
const REQUEUES = 1

export type Sent =
  | { kind: 'answered'; info: SMTPPoolSentMessageInfo }
  | { kind: 'failed'; error: NodemailerError; phase: Phase }
  /** The mail has addresses that are not ASCII, and the server offers no SMTPUTF8: it was told nothing of it. */
  | { kind: 'ascii only' }

/**
 * How far a mail came before it failed: no session yet, envelope and text under way, or all of it on its way to the
 * socket, so that it may have been taken.
 */
export type Phase = 'connecting' | 'transaction' | 'dot sent'

export interface Connections {
  /** `begun` is called once a session is ready for the mail. */
  send(mail: OutgoingMail, begun?: () => void): Promise<Sent>
  /** Mails that have a session at the moment. */
  active(): number
  /** At most so many connections from now on; those that are open stay. */
  limit(connections: number): void
  /** Lets what is under way end; `force` cuts it. What waits fails. */
  close(options?: { force: boolean }): void
}

interface UnderWay {
  phase: Phase
  /** The mail is international, and the server takes none that is. */
  asciiOnly: boolean
}

/**
 * Opens as many connections as there is mail for, up to `maxConnections`. `getSocket` may dial in the pool's place.
 * The pool is given its mails as nodemailer's own mailer would give them: composing anew what is composed already takes
 * a quarter of the time of a mail.
 */
export function openConnections(
  options: SMTPPoolOptions,
  getSocket?: InstanceType<typeof SMTPPool>['getSocket'],
): Connections {
  const pool = new SMTPPool({ maxRequeues: REQUEUES, ...options })
  if (getSocket !== undefined) pool.getSocket = getSocket
  const underWay = new Set<UnderWay>()
  return {
    async send({ envelope, raw }, begun) {
      const state: UnderWay = { phase: 'connecting', asciiOnly: false }
      const international = isInternational({ envelope, raw })
      // A session is ready for the mail. The stream ends when the last byte is on the way to the socket, the final dot
      // behind it: from here on a lost connection leaves open whether the mail was taken.
      const createReadStream = () => {
        state.phase = 'transaction'
        begun?.()
        if (international) {
          withSmtpUtf8(sessionOf(pool, mail), () => {
            state.asciiOnly = true
          })
        }
        return inPieces(raw).once('end', () => {
          state.phase = 'dot sent'
        })
      }
      const mail = mailOf({ envelope, raw }, createReadStream)
      underWay.add(state)
      try {
        return { kind: 'answered', info: await handedTo(pool, mail) }
      } catch (error) {
        if (state.asciiOnly) return { kind: 'ascii only' }
        return { kind: 'failed', error: error as NodemailerError, phase: state.phase }
      } finally {
        underWay.delete(state)
      }
    },
    active: () => [...underWay].filter(({ phase }) => phase !== 'connecting').length,
    limit(connections) {
      pool.options.maxConnections = connections
    },
    close: (how) => pool.close(how),
  }
}

/** What the pool asks of a mail. */
interface PoolMail {
  data: object
  message: {
    getEnvelope(): object
    messageId(): string
    getHeader(name: string): string
    createReadStream(): Readable
  }
}

function mailOf(outgoing: OutgoingMail, createReadStream: () => Readable): PoolMail {
  // The id is for the pool's log, which is off.
  const nothing = () => ''
  const getEnvelope = () => envelopeOf(outgoing)
  return {
    data: {},
    message: { getEnvelope, messageId: nothing, getHeader: nothing, createReadStream },
  }
}

/** A dot-atom at a domain in lower case stands on the wire as it is written; the rest is nodemailer's business. */
const ATOM = "[\\w!#$%&'*+/=?^`{|}~-]+"
const PLAIN = new RegExp(`^${ATOM}(?:\\.${ATOM})*@[a-z0-9-]+(?:\\.[a-z0-9-]+)*$`)

function envelopeOf({ envelope: { from, to }, raw }: OutgoingMail): object {
  const size = raw.length
  if ([from, ...to].every((address) => address === '' || PLAIN.test(address))) {
    return { from, to: [...to], size }
  }
  const mailboxes = to.map((address) => ({ name: '', address }))
  return new MimeNode('text/plain').setEnvelope({ from, to: mailboxes, size }).getEnvelope()
}

function handedTo(pool: SMTPPool, mail: PoolMail): Promise<SMTPPoolSentMessageInfo> {
  return new Promise((resolve, reject) => {
    pool.send(mail as unknown as Parameters<SMTPPool['send']>[0], (error, info) => {
      if (error) reject(error)
      else resolve(info as SMTPPoolSentMessageInfo)
    })
  })
}

/** The session that is about to carry the mail: the pool's types do not show its list. */
function sessionOf(pool: SMTPPool, mail: PoolMail): Session {
  const { _connections } = pool as unknown as { _connections: readonly Carrying[] }
  const found = _connections.find(({ queueEntry }) => queueEntry && queueEntry.mail === mail)
  if (found === undefined) throw new Error('a mail that is read has a session')
  return found.connection
}

interface Carrying {
  queueEntry?: { mail: unknown } | false
  connection: Session
}

/** In one piece a large mail would count as sent while it still lies in our own memory. */
function inPieces(raw: Uint8Array): Readable {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength)
  let at = 0
  return new Readable({
    read() {
      this.push(bytes.subarray(at, at + PIECE))
      at += PIECE
      if (at >= bytes.length) this.push(null)
    },
  })
}
