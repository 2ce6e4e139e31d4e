// The library's connection where ours differs: it greets at once, has deadlines by our clock, and hears every recipient.
import type { Socket } from 'node:net'
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server'
import { SMTPConnection, type SMTPConnectionOptions } from 'smtp-server/lib/smtp-connection.js'
import type { Engine } from '../../engine/ports.ts'
import { COMMAND_MS, DATA_MS } from './limits.ts'
import { type Reply, replies } from './replies.ts'

type Clock = Engine['clock']

/** RFC 3463 §2, at the start of a text: the reply says by itself what the library would say more coarsely. */
const ENHANCED_CODE = /^[245]\.\d{1,3}\.\d{1,3} /
const START_OF_DATA = 354

const PATH = /^[^<]*<([^>]*)>/
/** One @, no quotes, no white space, nothing invisible; or the name that needs no domain (RFC 5321 §4.5.1). */
const PLAIN_PATH = /^([^\s"@\p{C}]+@[^\s"@\p{C}]+|postmaster)$/iu
/** RFC 2606 §2: never anybody's. */
const NOBODY = Buffer.from('RCPT TO:<nobody@invalid>')

/** A server whose connections are ours: `connect` is the library's own step for each socket. */
export class DoorServer extends SMTPServer {
  declare connections: Set<DoorConnection>
  readonly #clock: Clock
  readonly #of = new WeakMap<SMTPServerSession, DoorConnection>()

  constructor(options: SMTPServerOptions, clock: Clock) {
    super(options)
    this.#clock = clock
  }

  override connect(socket: Socket, socketOptions?: SMTPConnectionOptions | null): void {
    const connection = new DoorConnection(this, socket, socketOptions, this.#clock)
    this.connections.add(connection)
    this.#of.set(connection.session, connection)
    connection.on('error', (error: Error) => this.emit('error', error))
    connection.init()
  }

  override onClose(session: SMTPServerSession): void {
    this.#of.get(session)?.over()
  }

  /** How many are connected, in all or from one address. */
  count(address?: string): number {
    const here = [...this.connections].filter(({ left }) => !left)
    return here.filter(({ remoteAddress }) => remoteAddress === (address ?? remoteAddress)).length
  }

  /** Tells everybody who is not to stay why the connection ends, and ends it. */
  dismiss(reason: Reply, stays: (session: SMTPServerSession) => boolean): void {
    for (const connection of [...this.connections]) {
      if (!stays(connection.session)) connection.send(reason.responseCode, reason.message)
    }
  }
}

export class DoorConnection extends SMTPConnection {
  /** The sender's end was seen: its socket closes a moment later, and does not stand in the way of its next one. */
  left = false
  readonly #clock: Clock
  #greeted = false
  #deadline: { cancel(): void } | undefined

  constructor(
    server: DoorServer,
    socket: Socket,
    options: SMTPConnectionOptions | null | undefined,
    clock: Clock,
  ) {
    super(server, socket, options)
    this.#clock = clock
    socket.once('end', () => {
      this.left = true
    })
  }

  /**
   * The library greets 100 ms after the connection, to catch those who speak first. That costs every honest sender
   * more than the rest of its mail takes, and those it is meant for have learnt to wait: we greet at once.
   */
  override init(): void {
    super.init()
    this.connectionReady()
  }

  /** The library's own timer comes a second time. */
  override connectionReady(next?: () => void): void {
    if (this.#greeted) return
    this.#greeted = true
    super.connectionReady(next)
  }

  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    const saysItself = typeof data === 'string' && ENHANCED_CODE.test(data)
    this.#deadline?.cancel()
    super.send(code, data, saysItself ? false : context)
    if (code !== 421) this.#await(code === START_OF_DATA ? DATA_MS : COMMAND_MS)
  }

  override close(): void {
    this.over()
    super.close()
  }

  /**
   * The library forgets source routes (`@a,@b:c@d`) and answers 501 to much that others take for an address. What
   * cannot be an inbox of ours is asked for as nobody, so that all of it takes the same way to the same answer.
   */
  override handler_RCPT(command: Buffer, callback: () => void): void {
    const path = PATH.exec(command.toString())?.[1]
    const isPlain = path === undefined || PLAIN_PATH.test(path)
    super.handler_RCPT(isPlain ? command : NOBODY, callback)
  }

  /** Nothing more is awaited. */
  over(): void {
    this.#deadline?.cancel()
  }

  #await(ms: number): void {
    this.#deadline = this.#clock.after(ms, () => {
      const { responseCode, message } = replies.tooSlow()
      this.send(responseCode, message)
    })
  }
}
