// An MCP server elsewhere, as a stream of frames: each frame is a POST to its /mcp. Streamable HTTP, both protocol eras.
import { Duplex } from 'node:stream'
import { adviceOn, SAFE } from './advice.ts'
import { asObject } from './lines.ts'
import { eventsOf } from './server-sent.ts'

type Frame = Record<string, unknown>

/** What a server says before it knows which version a client speaks. */
const PROTOCOL_VERSION_META = 'io.modelcontextprotocol/protocolVersion'
/** JSON-RPC leaves -32000 to -32099 to servers. */
const UNREACHABLE = -32_001

export interface Remote {
  url: string
  key: string | undefined
}

/** The stream stays open while the server comes and goes: each request stands for itself. */
export function remoteServer(remote: Remote): Duplex {
  const link = new RemoteLink(remote, (frame) => stream.push(`${JSON.stringify(frame)}\n`))
  const stream = new Duplex({
    decodeStrings: false,
    read: () => undefined,
    write(chunk: string | Buffer, _encoding, done) {
      for (const line of String(chunk).split('\n')) link.send(line)
      done()
    },
  })
  return stream
}

class RemoteLink {
  readonly #remote: Remote
  readonly #hear: (frame: Frame) => void
  readonly #running = new Map<unknown, AbortController>()
  #version: string | undefined
  #session: string | undefined
  /** The 2025 era greets first: what follows waits for the answer. */
  #greeted: Promise<void> = Promise.resolve()

  constructor(remote: Remote, hear: (frame: Frame) => void) {
    this.#remote = remote
    this.#hear = hear
  }

  send(line: string): void {
    const frame = asObject(line)
    if (frame === undefined) return
    if (frame.method === 'notifications/cancelled') this.#cancel(frame)
    const sent = this.#greeted.then(() => this.#exchange(frame))
    if (frame.method === 'initialize') this.#greeted = sent
  }

  #cancel({ params }: Frame): void {
    this.#running.get((params as Frame | undefined)?.requestId)?.abort()
  }

  async #exchange(frame: Frame): Promise<void> {
    const abort = new AbortController()
    if (isRequest(frame)) this.#running.set(frame.id, abort)
    try {
      const answer = await fetch(this.#remote.url, {
        method: 'POST',
        headers: this.#headers(frame),
        body: JSON.stringify(frame),
        signal: abort.signal,
      })
      this.#session = answer.headers.get('mcp-session-id') ?? this.#session
      const problem = await this.#read(answer, frame)
      if (problem !== undefined) this.#refuse(frame, problem)
    } catch (error) {
      if (!abort.signal.aborted) this.#refuse(frame, lost(error, frame, this.#remote))
    } finally {
      if (this.#running.get(frame.id) === abort) this.#running.delete(frame.id)
    }
  }

  #headers({ method, params }: Frame): Record<string, string> {
    const { name, uri, _meta } = (params ?? {}) as { name?: string; uri?: string; _meta?: Frame }
    const version = _meta?.[PROTOCOL_VERSION_META] ?? this.#version
    const named = name ?? uri
    return {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(this.#remote.key === undefined ? {} : { authorization: `Bearer ${this.#remote.key}` }),
      ...(version === undefined ? {} : { 'mcp-protocol-version': String(version) }),
      ...(this.#session === undefined ? {} : { 'mcp-session-id': this.#session }),
      ...(typeof method === 'string' ? { 'mcp-method': method } : {}),
      ...(typeof named === 'string' ? { 'mcp-name': named } : {}),
    }
  }

  /** Passes on what the server says; what is wrong where the answer to the request is not among it. */
  async #read(answer: Response, asked: Frame): Promise<string | undefined> {
    if (answer.headers.get('content-type')?.startsWith('text/event-stream') && answer.body) {
      let answered = false
      for await (const data of eventsOf(answer.body)) {
        const frame = asObject(data)
        answered ||= isAnswer(frame, asked)
        this.#pass(frame, asked)
      }
      return answered
        ? undefined
        : `${this.#remote.url} ended before it answered. ${adviceOn(asked)}`
    }
    const frame = asObject(await answer.text())
    if (!isAnswer(frame, asked)) return refusal(answer, frame, asked, this.#remote)
    this.#pass(frame, asked)
    return undefined
  }

  #pass(frame: Frame | undefined, asked: Frame): void {
    if (frame === undefined) return
    const { protocolVersion } = (frame.result ?? {}) as { protocolVersion?: string }
    if (asked.method === 'initialize' && protocolVersion) this.#version = protocolVersion
    this.#hear(frame)
  }

  #refuse(asked: Frame, message: string): void {
    if (!isRequest(asked)) return
    this.#hear({ jsonrpc: '2.0', id: asked.id, error: { code: UNREACHABLE, message } })
  }
}

const isRequest = ({ id, method }: Frame) => id !== undefined && typeof method === 'string'
const isAnswer = (frame: Frame | undefined, { id }: Frame) =>
  frame !== undefined && frame.method === undefined && id !== undefined && frame.id === id

/** The server's own words where it has some; a wrong key is the usual case. */
function refusal(
  { status }: Response,
  frame: Frame | undefined,
  asked: Frame,
  { url, key }: Remote,
): string {
  const told = (frame?.error as { message?: string } | undefined)?.message ?? ''
  if (status === UNAUTHORIZED) {
    const mend = key === undefined ? 'Set POSTROOM_API_KEY.' : 'Check POSTROOM_API_KEY.'
    return `${url} refused the key (HTTP 401). ${told} ${mend}`
  }
  const advice = wasRefused(status) ? '' : adviceOn(asked)
  return [`${url} answered HTTP ${status}.`, told, advice].filter((part) => part !== '').join(' ')
}

const UNAUTHORIZED = 401
const REQUEST_TIMEOUT = 408

/** By RFC 9110 §15.5 the request itself was wrong; any other status without an answer leaves it open what was done. */
const wasRefused = (status: number) => status >= 400 && status < 500 && status !== REQUEST_TIMEOUT

function lost(error: unknown, asked: Frame, { url }: Remote): string {
  const advice = neverConnected(error) ? SAFE : adviceOn(asked)
  const what = neverConnected(error) ? 'cannot be reached' : 'was lost before it answered'
  return `${url} ${what} (${words(error)}). ${advice}`
}

/** Nothing was sent: no name, no connection, or a certificate that is not taken. */
function neverConnected(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { cause } = error
  if (cause instanceof AggregateError) return cause.errors.every(failedBefore)
  return failedBefore(cause)
}

const CONNECTING: readonly unknown[] = ['connect', 'getaddrinfo']
const BEFORE_SENDING = /^(UND_ERR_CONNECT_TIMEOUT|ERR_TLS_CERT|CERT_|UNABLE_TO_|.*SELF_SIGNED_CERT)/

function failedBefore(error: unknown): boolean {
  const { syscall, code } = (error ?? {}) as { syscall?: string; code?: string }
  return CONNECTING.includes(syscall) || BEFORE_SENDING.test(code ?? '')
}

/** fetch hides the reason (ECONNREFUSED, ENOTFOUND) in the cause. */
function words(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  if (cause instanceof AggregateError) return cause.errors.map(words).join('; ')
  return cause instanceof Error ? cause.message : error.message
}
