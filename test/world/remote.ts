/**
 * A mail server that does as a script says, over real sockets: refuses, hangs or cuts the line at any command, and
 * breaks TLS in the ways in which it is broken out there. What the script does not mention goes well.
 */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { TLSSocket } from 'node:tls'

/** What is said at one point: a reply, nothing at all, or the end of the line. */
export type Said = string | 'hang' | 'cut'

export interface Script {
  greeting?: Said
  ehlo?: Said
  mail?: Said
  /** The same, on a connection that is not encrypted. */
  plainMail?: Said
  /** Asked for each recipient. */
  rcpt?: Said | ((address: string) => Said | undefined)
  data?: Said
  /** Inside the mail, after the first bytes of it. */
  body?: 'cut'
  /** After the final dot. */
  dot?: Said | (() => Said | undefined)
  /** Offers SMTPUTF8; else letters in a command are a fault of the client. RFC 6531. */
  smtpUtf8?: boolean
  /** Absent: STARTTLS is not offered. */
  starttls?: 'works' | 'refused' | 'garbage' | 'cut' | 'hang'
}

export interface RemoteMail {
  from: string
  to: string[]
  raw: string
  /** What stood behind the sender in MAIL FROM. */
  asked: string
  encrypted: boolean
}

export interface Remote {
  address: string
  port: number
  script: Script
  /** Every mail whose final dot came, acknowledged or not. */
  seen: RemoteMail[]
  /** Acknowledged with 250. */
  taken: RemoteMail[]
  /** Every command, in order. */
  commands: string[]
  connections: number
  /** More at a time are greeted with 421. */
  allowed: number
  /** The most connections at a time. */
  peak: number
  close(): Promise<void>
}

interface Place {
  address?: string
  port?: number
  /** PEM, for STARTTLS that works. */
  tls?: { key: string; cert: string }
}

export async function startRemote(script: Script = {}, place: Place = {}): Promise<Remote> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    remote.connections += 1
    remote.peak = Math.max(remote.peak, sockets.size)
    socket.once('close', () => sockets.delete(socket))
    if (sockets.size > remote.allowed) return void socket.end('421 4.7.0 Too many connections\r\n')
    serve(socket, remote, place.tls)
  })
  const remote: Remote = {
    address: place.address ?? '127.0.0.1',
    port: 0,
    script,
    seen: [],
    taken: [],
    commands: [],
    connections: 0,
    allowed: Number.POSITIVE_INFINITY,
    peak: 0,
    async close() {
      for (const socket of sockets) socket.destroy()
      if (!server.listening) return
      server.close()
      await once(server, 'close')
    },
  }
  await takePort(server, place.port ?? 0, remote.address)
  remote.port = (server.address() as AddressInfo).port
  return remote
}

/** Who had the port a moment ago may not have let go of it yet. */
async function takePort(server: Server, port: number, address: string): Promise<void> {
  for (let left = LISTEN_ATTEMPTS; ; left -= 1) {
    try {
      server.listen(port, address)
      return void (await once(server, 'listening'))
    } catch (error) {
      if (left === 0 || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
      await delay(LISTEN_PAUSE_MS)
    }
  }
}

const LISTEN_ATTEMPTS = 250
const LISTEN_PAUSE_MS = 20

function serve(first: Socket, remote: Remote, tls: Place['tls']): void {
  const { script } = remote
  let socket = first
  let rest = ''
  let body: string | undefined
  let mail = { from: '', to: [] as string[], asked: '' }
  let asked: (line: string) => void = command

  const say = (said: Said): boolean => {
    if (said === 'cut') socket.destroy()
    else if (said !== 'hang') socket.write(`${said}\r\n`)
    return said.startsWith('2') || said.startsWith('3')
  }

  function listen(to: Socket): void {
    socket = to
    socket.on('error', () => socket.destroy())
    socket.on('data', (bytes) => hear(bytes.toString(script.smtpUtf8 ? 'utf8' : 'latin1')))
  }

  function hear(text: string): void {
    rest += text
    if (body !== undefined && script.body === 'cut') return void socket.destroy()
    for (let end = rest.indexOf('\r\n'); end >= 0; end = rest.indexOf('\r\n')) {
      const line = rest.slice(0, end)
      rest = rest.slice(end + 2)
      asked(line)
    }
  }

  const commands: Record<string, (line: string) => void> = {
    EHLO: () => void say(script.ehlo ?? extensions()),
    HELO: () => void say(script.ehlo ?? '250 remote.test'),
    STARTTLS: startTls,
    MAIL(line) {
      mail = { from: within(line), to: [], asked: line.slice(line.lastIndexOf('>') + 1).trim() }
      const plain = socket instanceof TLSSocket ? undefined : script.plainMail
      say(plain ?? script.mail ?? '250 2.1.0 Ok')
    },
    RCPT: (line) => recipient(within(line)),
    DATA: beginData,
    QUIT: () => void socket.end('221 2.0.0 Bye\r\n'),
  }

  function command(line: string): void {
    remote.commands.push(line)
    const known = commands[line.replace(/[ :].*/, '').toUpperCase()]
    if (known === undefined) say('250 2.0.0 Ok')
    else known(line)
  }

  const extensions = () =>
    script.starttls === undefined || socket instanceof TLSSocket
      ? `250-remote.test\r\n${script.smtpUtf8 ? '250-8BITMIME\r\n250-SMTPUTF8\r\n' : ''}250 SIZE 26214400`
      : '250-remote.test\r\n250 STARTTLS'

  function startTls(): void {
    if (script.starttls === 'refused') return void say('454 4.7.0 TLS not available')
    say('220 2.0.0 Ready')
    socket.removeAllListeners('data')
    if (script.starttls === 'cut') return void socket.destroy()
    if (script.starttls === 'garbage') return void socket.write('this is no handshake\r\n')
    if (script.starttls === 'works' && tls)
      listen(new TLSSocket(socket, { isServer: true, ...tls }))
  }

  function recipient(address: string): void {
    const said = typeof script.rcpt === 'function' ? script.rcpt(address) : script.rcpt
    if (say(said ?? '250 2.1.5 Ok')) mail.to.push(address)
  }

  function beginData(): void {
    const said = mail.to.length === 0 ? '503 5.5.1 No recipients' : (script.data ?? '354 Go ahead')
    if (!say(said) || !said.startsWith('3')) return
    body = ''
    asked = (line) => {
      if (line === '.') return endData()
      body += `${line.replace(/^\./, '')}\r\n`
    }
  }

  function endData(): void {
    const one = { ...mail, raw: body ?? '', encrypted: socket instanceof TLSSocket }
    body = undefined
    asked = command
    remote.seen.push(one)
    const said = typeof script.dot === 'function' ? script.dot() : script.dot
    if (say(said ?? '250 2.0.0 Ok: queued')) remote.taken.push(one)
  }

  listen(first)
  say(script.greeting ?? '220 remote.test ESMTP')
}

const within = (line: string) => /<([^>]*)>/.exec(line)?.[1] ?? ''
