// The SMTP door: mail from the world. It says 250 only for what is on disk. RFC 5321.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { Readable } from 'node:stream'
import { SMTPServer, type SMTPServerSession } from 'smtp-server'
import type { AddressFound } from '../../engine/inboxes/find.ts'
import type { Engine } from '../../engine/ports.ts'
import type { Receiver } from '../../engine/receive/accept.ts'
import type { RecipientAnswer } from '../../engine/receive/recipients.ts'
import { replies } from './replies.ts'

const MAIL_LIMIT = 25 * 1024 * 1024
const MAX_RECIPIENTS = 100
const MAX_CLIENTS = 200
const IDLE_TIMEOUT_MS = 60_000
/** Mail past its final dot is finished when we stop, within this time. */
const FINISH_MS = 1_500
/** Connections still open then are told 421 and closed. */
const CLOSE_MS = 100

export interface SmtpDoorOptions {
  host: string
  port: number
  /** Our name in the greeting and in EHLO. */
  hostname: string
  /** PEM; STARTTLS is offered only with a certificate of one's own. */
  tls?: { cert: string; key: string }
  receiver: Receiver
  recipient: (address: string) => Promise<RecipientAnswer>
  log: Engine['log']
}

export interface SmtpDoor {
  host: string
  port: number
  close(): Promise<void>
}

/** Opens the door. Rejects with the system's error where the address cannot be had (EADDRINUSE, EACCES). */
export async function openSmtpDoor(options: SmtpDoorOptions): Promise<SmtpDoor> {
  const visits = new WeakMap<SMTPServerSession, Map<string, AddressFound>>()
  const work = new Set<Promise<void>>()
  let stopping = false

  const server = new SMTPServer({
    ...fixed(options),
    onConnect: (_session, answer) => answer(stopping ? replies.goingDown() : null),
    onMailFrom(_address, session, answer) {
      visits.set(session, new Map())
      answer(stopping ? replies.goingDown() : null)
    },
    onRcptTo({ address }, session, answer) {
      const inboxes = visits.get(session) ?? new Map<string, AddressFound>()
      recipientOf(options, address, inboxes, session).then(() => answer(), answer)
    },
    onData(stream, session, answer) {
      const inboxes = [...(visits.get(session)?.values() ?? [])]
      const done = takeMail(options, stream, session, inboxes).then(
        (text) => answer(null, text),
        (error: Error) => answer(error),
      )
      work.add(done)
      void done.finally(() => work.delete(done))
    },
  })
  server.on('error', (error: Error) =>
    options.log.warn({ error: error.message }, 'smtp connection failed'),
  )
  const { address, port } = await listening(server, options)
  return {
    host: address,
    port,
    async close() {
      stopping = true
      await Promise.race([Promise.allSettled([...work]), pause(FINISH_MS)])
      await new Promise<void>((resolve) => void server.close(resolve))
    },
  }
}

function fixed({ hostname, tls }: SmtpDoorOptions) {
  return {
    name: hostname,
    banner: 'Postroom',
    size: MAIL_LIMIT,
    rejectOversized: true,
    authOptional: true,
    disabledCommands: ['AUTH', ...(tls ? [] : ['STARTTLS'])],
    ...(tls ?? {}),
    // The library knows one enhanced code a reply code; ours say more and stand in the text.
    hideENHANCEDSTATUSCODES: true,
    disableReverseLookup: true,
    // A sender that keeps its connection sends any number of mails over it.
    maxAllowedUnauthenticatedCommands: false as const,
    maxClients: MAX_CLIENTS,
    socketTimeout: IDLE_TIMEOUT_MS,
    closeTimeout: CLOSE_MS,
  }
}

async function listening(
  server: SMTPServer,
  { host, port }: SmtpDoorOptions,
): Promise<AddressInfo> {
  const failed = once(server.server, 'error').then(([error]) => Promise.reject(error))
  server.listen(port, host)
  await Promise.race([once(server.server, 'listening'), failed])
  return server.server.address() as AddressInfo
}

async function recipientOf(
  { recipient, log }: SmtpDoorOptions,
  address: string,
  inboxes: Map<string, AddressFound>,
  session: SMTPServerSession,
): Promise<void> {
  if (session.envelope.rcptTo.length >= MAX_RECIPIENTS) throw replies.tooManyRecipients()
  const answer = await recipient(address).catch((error: Error) => {
    log.error({ error: error.message }, 'a recipient could not be looked up')
    throw replies.tryAgain()
  })
  switch (answer.kind) {
    case 'unknown':
      throw replies.noSuchInbox()
    case 'switched_off':
      throw replies.switchedOff()
    case 'taken':
      inboxes.set(answer.inbox.inbox_id, answer.inbox)
  }
}

async function takeMail(
  { receiver, log }: SmtpDoorOptions,
  stream: Readable & { sizeExceeded: boolean },
  session: SMTPServerSession,
  inboxes: AddressFound[],
): Promise<string> {
  const raw = await bytesOf(stream)
  if (raw === null) throw replies.tooLarge(MAIL_LIMIT)
  const { mailFrom, rcptTo } = session.envelope
  const incoming = {
    raw,
    envelope: {
      mail_from: mailFrom ? mailFrom.address : '',
      rcpt_to: rcptTo.map(({ address }) => address),
    },
    peer: { ip: session.remoteAddress, helo: session.hostNameAppearsAs, tls: session.secure },
    inboxes,
  }
  try {
    const received = await receiver.accept(incoming)
    const ids = received.map(({ message_id }) => message_id)
    const duplicates = received.filter(({ duplicate }) => duplicate).length
    log.info({ ip: incoming.peer.ip, messages: ids, size: raw.length, duplicates }, 'mail in')
    return replies.kept(ids)
  } catch (error) {
    log.error({ error: (error as Error).message, size: raw.length }, 'mail not kept')
    throw replies.tryAgain()
  }
}

/** The mail, or null where it is larger than we take: the rest is read and dropped, so that the sender hears the refusal. */
async function bytesOf(stream: Readable & { sizeExceeded: boolean }): Promise<Buffer | null> {
  const chunks: Buffer[] = []
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    if (stream.sizeExceeded) chunks.length = 0
    else chunks.push(chunk)
  }
  return stream.sizeExceeded ? null : Buffer.concat(chunks)
}

const pause = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms).unref())
