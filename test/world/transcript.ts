/**
 * SMTP as one reads it in a book, held against a real server over a plain socket:
 *
 *     C: EHLO a.test          a line of the client, ended with CRLF; lines that follow each other go in one write
 *     C= a<LF>.<CR><LF>       bytes and nothing more; <CR> <LF> <NUL> are theirs, `|` cuts the write in two
 *     S: 250-…                one line of the server; … is anything. 250-… stands for all lines but the last
 *     S: (closed)             the server has ended the connection
 *     (TLS)                   the client's half of the handshake
 *     (60 s later)            the held clock moves on, once something waits for that moment
 */
import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import type { HeldClock } from './clock.ts'

export interface Client {
  /** Plays a part of a conversation; resolves with it as it was, rejects where the server said something else. */
  play(script: string): Promise<string>
  /** The next line of the server without its CRLF; undefined once it has ended. */
  line(): Promise<string | undefined>
  write(bytes: Buffer | string): Promise<void>
  leave(): void
}

interface Options {
  clock?: HeldClock
  /** The address to come from. */
  from?: string
}

const PATIENCE_MS = 20_000
const BYTES: Record<string, string> = { CR: '\r', LF: '\n', NUL: '\0' }

/** A whole conversation on a connection of its own. */
export async function transcript(
  door: { host: string; port: number },
  script: string,
  options: Options = {},
): Promise<string> {
  const client = await connected(door, options)
  try {
    return await client.play(script)
  } finally {
    client.leave()
  }
}

export async function connected(
  { host, port }: { host: string; port: number },
  { clock, from }: Options = {},
): Promise<Client> {
  let socket: Socket = connectTcp({ host, port, ...(from ? { localAddress: from } : {}) })
  socket.setNoDelay(true)
  await once(socket, 'connect')
  let incoming = listen(socket)
  const write = async (bytes: Buffer | string) => {
    if (!socket.writable) return
    await new Promise<void>((resolve) => void socket.write(bytes, () => resolve()))
  }
  const client: Client = {
    write,
    line: () => incoming.line(),
    leave: () => void socket.destroy(),
    async play(script) {
      const said: string[] = []
      for (const step of steps(script)) {
        said.push(...(await play(step)))
      }
      return said.join('\n')
    },
  }

  async function play(step: Step): Promise<string[]> {
    switch (step.kind) {
      case 'says':
        for (const part of step.parts) {
          await write(Buffer.from(part, 'utf8'))
          if (step.parts.length > 1) await turn()
        }
        return step.lines
      case 'hears':
        return hear(step.expected)
      case 'tls':
        incoming.stop()
        socket = connectTls({ socket, rejectUnauthorized: false, servername: 'mail.test' })
        await once(socket, 'secureConnect')
        incoming = listen(socket)
        return ['(TLS)']
      case 'later':
        await due(step.ms)
        clock?.advance(step.ms)
        return [`(${step.ms / 1_000} s later)`]
    }
  }

  async function hear(expected: string): Promise<string[]> {
    const line = (await incoming.line()) ?? '(closed)'
    if (!matches(expected, line)) {
      throw new Error(`the server should have said\n  ${expected}\nand said\n  ${line}`)
    }
    const heard = [`S: ${line}`]
    if (!expected.endsWith('-…')) return heard
    const more = expected.slice(0, -1)
    while ((await incoming.next())?.startsWith(more)) heard.push(`S: ${await incoming.line()}`)
    return heard
  }

  /** Once a timer waits that fires in this time: the server has read what was sent to it. */
  async function due(ms: number): Promise<void> {
    if (clock === undefined) throw new Error('only a held clock moves on')
    const until = Date.now() + PATIENCE_MS
    while (clock.next() > ms) {
      if (Date.now() > until) throw new Error(`nothing waits for the next ${ms} ms`)
      await turn()
    }
  }

  return client
}

type Step =
  | { kind: 'says'; lines: string[]; parts: string[] }
  | { kind: 'hears'; expected: string }
  | { kind: 'tls' }
  | { kind: 'later'; ms: number }

function steps(script: string): Step[] {
  const all: Step[] = []
  for (const line of script.split('\n').map((one) => one.trim())) {
    if (line === '') continue
    const step = stepOf(line)
    const last = all.at(-1)
    if (step.kind === 'says' && last?.kind === 'says' && isWhole(step) && isWhole(last)) {
      last.parts = [last.parts.join('') + step.parts.join('')]
      last.lines.push(...step.lines)
    } else all.push(step)
  }
  return all
}

const isWhole = ({ parts }: { parts: string[] }) => parts.length === 1

function stepOf(line: string): Step {
  const [mark, rest] = [line.slice(0, 2), line.slice(2).replace(/^ /, '')]
  if (mark === 'C:') return { kind: 'says', lines: [line], parts: [`${rest}\r\n`] }
  if (mark === 'C=') return { kind: 'says', lines: [line], parts: bytesOf(rest).split('|') }
  if (mark === 'S:') return { kind: 'hears', expected: rest }
  if (line === '(TLS)') return { kind: 'tls' }
  const [, seconds] = /^\(([\d.]+) s later\)$/.exec(line) ?? []
  if (seconds === undefined) throw new Error(`not a line of a transcript: ${line}`)
  return { kind: 'later', ms: Number(seconds) * 1_000 }
}

const bytesOf = (text: string) => text.replace(/<(CR|LF|NUL)>/g, (_, name) => BYTES[name] ?? '')

function matches(expected: string, line: string): boolean {
  const parts = expected.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`, 'u').test(line)
}

function listen(socket: Socket) {
  let text = ''
  let ended = false
  let heard: () => void = () => undefined
  const onData = (chunk: Buffer) => {
    text += chunk.toString('utf8')
    heard()
  }
  const onEnd = () => {
    ended = true
    heard()
  }
  socket.on('data', onData)
  socket.once('end', onEnd)
  socket.once('close', onEnd)
  socket.on('error', onEnd)
  /** The next line, left where it is. */
  async function next(): Promise<string | undefined> {
    const until = Date.now() + PATIENCE_MS
    while (!text.includes('\r\n')) {
      if (ended) return undefined
      if (Date.now() > until) throw new Error(`the server is silent; so far: ${text}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, PATIENCE_MS)
        heard = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    return text.slice(0, text.indexOf('\r\n'))
  }
  return {
    next,
    async line(): Promise<string | undefined> {
      const line = await next()
      if (line !== undefined) text = text.slice(line.length + 2)
      return line
    },
    stop: () => void socket.off('data', onData),
  }
}
