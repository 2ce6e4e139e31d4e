// nodemailer's pool of connections to one server: the bytes as they are, and what came of each mail.
import { Readable } from 'node:stream'
import { createTransport, type NodemailerError } from 'nodemailer'
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
  international: boolean
  /** The server takes none that is. */
  asciiOnly: boolean
  begun: (() => void) | undefined
}

/** Opens as many connections as there is mail for, up to `maxConnections`. `getSocket` may dial in the pool's place. */
export function openConnections(
  options: SMTPPoolOptions,
  getSocket?: InstanceType<typeof SMTPPool>['getSocket'],
): Connections {
  const pool = new SMTPPool({
    maxRequeues: REQUEUES,
    disableFileAccess: true,
    disableUrlAccess: true,
    ...options,
  })
  if (getSocket !== undefined) pool.getSocket = getSocket
  const mailer = createTransport(pool)
  const underWay = new Map<unknown, UnderWay>()
  const reach = (raw: unknown, phase: Phase) => {
    const mail = underWay.get(raw)
    if (mail !== undefined) mail.phase = phase
    return mail
  }
  // The stream is made when a session is ready for the mail. Its last stage ends when the last byte is on the way to
  // the socket, the final dot behind it: from here on a lost connection leaves open whether the mail was taken.
  mailer.use('stream', (mail, done) => {
    const { raw } = mail.data
    mail.message.processFunc((stream) => {
      const reached = reach(raw, 'transaction')
      reached?.begun?.()
      if (reached?.international) {
        withSmtpUtf8(sessionOf(pool, mail), () => {
          reached.asciiOnly = true
        })
      }
      const last =
        lengthOf(raw) > PIECE ? Readable.from(inPieces(stream), { objectMode: false }) : stream
      return last.once('end', () => reach(raw, 'dot sent'))
    })
    done()
  })
  return {
    async send({ envelope, raw }, begun) {
      const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength)
      const international = isInternational({ envelope, raw })
      const mail: UnderWay = { phase: 'connecting', international, asciiOnly: false, begun }
      underWay.set(bytes, mail)
      const to = envelope.to.map((address) => ({ name: '', address }))
      try {
        const info = await mailer.sendMail({
          envelope: { from: envelope.from, to, size: bytes.length },
          raw: bytes,
        })
        return { kind: 'answered', info }
      } catch (error) {
        if (mail.asciiOnly) return { kind: 'ascii only' }
        return { kind: 'failed', error: error as NodemailerError, phase: mail.phase }
      } finally {
        underWay.delete(bytes)
      }
    },
    active: () => [...underWay.values()].filter(({ phase }) => phase !== 'connecting').length,
    limit(connections) {
      pool.options.maxConnections = connections
    },
    close: (how) => pool.close(how),
  }
}

/** The session that is about to carry the mail: the pool's types do not show its list. */
function sessionOf(pool: SMTPPool, mail: unknown): Session {
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
const lengthOf = (raw: unknown) => (raw as Uint8Array).length

async function* inPieces(stream: AsyncIterable<Buffer>) {
  for await (const chunk of stream) {
    for (let start = 0; start < chunk.length; start += PIECE) {
      yield chunk.subarray(start, start + PIECE)
    }
  }
}
