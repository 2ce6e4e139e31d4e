/** A relay on loopback that takes mail over real SMTP and answers as a test tells it to. */
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'

export interface TakenMail {
  from: string
  to: string[]
  raw: Buffer
  user: string | undefined
  encrypted: boolean
  /** MAIL FROM said SMTPUTF8. RFC 6531 §3.4. */
  smtpUtf8: boolean
}

/** A reply other than 250, or the line cut. */
export type Answer = { code: number; text: string } | 'cut'

export interface Relay {
  host: string
  /** Acknowledged with 250. */
  taken: TakenMail[]
  /** Every mail whose final dot came, acknowledged or not. */
  seen: TakenMail[]
  /** Asked for each RCPT; undefined accepts. */
  onRecipient: (address: string) => Answer | undefined
  onSender: () => Answer | undefined
  /** Asked after the final dot; undefined accepts, a text accepts in these words. */
  onMail: (mail: TakenMail) => Answer | string | undefined
  /** Cuts the line after the first bytes of the mail. */
  cutInData: boolean
  connections: number
  close(): Promise<void>
}

export async function startRelay(options: SMTPServerOptions = {}): Promise<Relay> {
  const sockets = new Set<Socket>()
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  const answer = (said: Answer | undefined, done: (error?: Error) => void) => {
    if (said === 'cut') return cut()
    if (said === undefined) return done()
    done(Object.assign(new Error(said.text), { responseCode: said.code }))
  }
  const server = new SMTPServer({
    authOptional: true,
    hideSTARTTLS: options.key === undefined,
    disableReverseLookup: true,
    logger: false,
    onMailFrom: (_address, _session, done) => answer(relay.onSender(), done),
    onRcptTo: ({ address }, _session, done) => answer(relay.onRecipient(address), done),
    onData(stream, session, done) {
      if (relay.cutInData) {
        stream.once('data', cut)
        stream.resume()
        return
      }
      void buffer(stream).then((raw) => {
        const { mailFrom, rcptTo } = session.envelope
        const mail: TakenMail = {
          from: mailFrom ? mailFrom.address : '',
          to: rcptTo.map(({ address }) => address),
          raw,
          user: session.user as string | undefined,
          encrypted: session.secure,
          smtpUtf8: session.envelope.smtpUtf8 === true,
        }
        relay.seen.push(mail)
        const said = relay.onMail(mail)
        if (typeof said === 'object' || said === 'cut') return answer(said, done)
        relay.taken.push(mail)
        done(null, said ?? 'queued')
      })
    },
    ...options,
  })
  const relay: Relay = {
    host: '',
    taken: [],
    seen: [],
    onRecipient: () => undefined,
    onSender: () => undefined,
    onMail: () => undefined,
    cutInData: false,
    connections: 0,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(resolve))
      cut()
      await closed
    },
  }
  server.on('error', () => undefined)
  server.server.on('connection', (socket: Socket) => {
    relay.connections += 1
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  relay.host = `127.0.0.1:${(server.server.address() as AddressInfo).port}`
  return relay
}
