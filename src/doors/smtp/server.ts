// The SMTP door: mail from the world. It says 250 only for what is on disk. RFC 5321.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { SMTPServerOptions, SMTPServerSession } from 'smtp-server'
import type { Engine } from '../../engine/ports.ts'
import type { Receiver } from '../../engine/receive/accept.ts'
import type { RecipientAnswer } from '../../engine/receive/recipients.ts'
import { DoorServer } from './connection.ts'
import type { BareNewlines } from './content.ts'
import * as limits from './limits.ts'
import { keepMail, readMail } from './mail.ts'
import { createRecipients } from './recipient.ts'
import { replies } from './replies.ts'

export interface SmtpDoorOptions extends Pick<Engine, 'clock' | 'log'> {
  host: string
  port: number
  /** Our name in the greeting and in EHLO; a Received line that bears it shows a loop. */
  hostname: string
  /** PEM; STARTTLS is offered only with a certificate of one's own. */
  tls?: { cert: string; key: string }
  bareNewlines: BareNewlines
  receiver: Pick<Receiver, 'accept'>
  recipient: (address: string) => Promise<RecipientAnswer>
}

export interface SmtpDoor {
  host: string
  port: number
  /** Ends: mail past its final dot is kept and answered, everybody else hears 421. */
  close(): Promise<void>
}

/** The mails that are being kept just now; whoever sent one waits for its answer. */
type Keeping = Map<SMTPServerSession, Promise<void>>

/** Opens the door. Rejects with the system's error where the address cannot be had (EADDRINUSE, EACCES). */
export async function openSmtpDoor(options: SmtpDoorOptions): Promise<SmtpDoor> {
  const keeping: Keeping = new Map()
  const server: DoorServer = new DoorServer(
    { ...fixed(options), ...steps(options, keeping, (session) => welcome(server, session)) },
    options.clock,
  )
  server.on('error', (error: Error) =>
    options.log.warn({ error: error.message }, 'smtp connection failed'),
  )
  const { address, port } = await listening(server, options)
  return { host: address, port, close: () => close(server, keeping) }
}

/**
 * What the library is told. CHUNKING (RFC 3030) is not offered: the library has no BDAT, and a sender that is not
 * offered it loses nothing but a dot-stuffing pass.
 */
function fixed({ hostname, tls }: SmtpDoorOptions): SMTPServerOptions {
  return {
    name: hostname,
    banner: 'Postroom',
    heloResponse: '%s greets %s',
    size: limits.MAIL_LIMIT,
    rejectOversized: true,
    maxRecipients: limits.MAX_RECIPIENTS,
    maxCommandLength: limits.MAX_COMMAND_BYTES,
    authOptional: true,
    // The last three are jokes of the library.
    disabledCommands: ['AUTH', ...(tls ? [] : ['STARTTLS']), 'WIZ', 'SHELL', 'KILL'],
    // RFC 8996: TLS 1.0 and 1.1 are no longer to be offered.
    ...(tls ? { ...tls, minVersion: 'TLSv1.2' as const } : {}),
    hideENHANCEDSTATUSCODES: false,
    disableReverseLookup: true,
    // Senders exist whose own address is none by the book (name.@example.com); recipients are read strictly by us.
    lenientAddressParsing: true,
    // A sender that keeps its connection sends any number of mails over it.
    maxAllowedUnauthenticatedCommands: false,
    socketTimeout: limits.SILENCE_MS,
    closeTimeout: limits.FINISH_MS,
  }
}

/** What happens at each step of a connection. */
function steps(
  options: SmtpDoorOptions,
  keeping: Keeping,
  welcome: (session: SMTPServerSession) => Error | null,
): SMTPServerOptions {
  const recipients = createRecipients(options)
  return {
    onConnect: (session, answer) => answer(welcome(session)),
    onMailFrom(_address, session, answer) {
      recipients.begin(session)
      answer()
    },
    onRcptTo({ address }, session, answer) {
      recipients.take(address, session).then(() => answer(), answer)
    },
    onData(stream, session, answer) {
      const inboxes = recipients.inboxes(session)
      const keep = (raw: Buffer) => {
        const kept = keepMail(options, { raw, session, inboxes }).then(
          (text) => answer(null, text),
          answer,
        )
        keeping.set(session, kept)
        void kept.finally(() => keeping.delete(session))
      }
      readMail(options, stream, session).then(keep, answer)
    },
  }
}

/** Why a sender has to come again, or null. */
function welcome(server: DoorServer, { remoteAddress }: SMTPServerSession): Error | null {
  if (server.count() > limits.MAX_CONNECTIONS) return replies.tooBusy()
  return server.count(remoteAddress) > limits.MAX_CONNECTIONS_PER_ADDRESS
    ? replies.tooManyFromYou()
    : null
}

async function listening(
  server: DoorServer,
  { host, port }: SmtpDoorOptions,
): Promise<AddressInfo> {
  const failed = once(server.server, 'error').then(([error]) => Promise.reject(error))
  server.listen(port, host)
  await Promise.race([once(server.server, 'listening'), failed])
  return server.server.address() as AddressInfo
}

async function close(server: DoorServer, keeping: Keeping): Promise<void> {
  const closed = new Promise<void>((resolve) => void server.close(resolve))
  server.dismiss(replies.goingDown(), (session) => keeping.has(session))
  await Promise.race([Promise.allSettled(keeping.values()), pause(limits.FINISH_MS)])
  server.dismiss(replies.goingDown(), () => false)
  await Promise.race([closed, pause(limits.LEAVE_MS)])
}

const pause = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms).unref())
