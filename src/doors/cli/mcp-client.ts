// What one MCP client has said, what it still waits for, and what it hears when its server goes.
import type { Writable } from 'node:stream'
import { adviceOn } from './advice.ts'
import { asObject } from './lines.ts'

type Frame = Record<string, unknown>
type FrameId = string | number
interface Call {
  frame: Frame
  line: string
}

/** JSON-RPC 2.0 §5.1 leaves -32000 to -32099 to servers. */
const SERVER_GONE = -32_000
/** Ours among the client's ids: no client has heard of it. */
const REPLAY_ID = 'postroom-initialize-again'
/** How long answers may still come after the client has closed its side. */
const LAST_ANSWERS_MS = 15_000

export const INITIALIZED = `${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`

export class McpClient {
  readonly #output: Writable
  readonly #complain: (text: string) => void
  readonly #calls = new Map<FrameId, Call>()
  #queue: string[] = []
  #greeting: Frame | undefined
  #greeted = false
  #replaying = false
  #onSettled: (() => void) | undefined

  constructor(output: Writable, complain: (text: string) => void) {
    this.#output = output
    this.#complain = complain
  }

  /** True while a new server has not yet answered the introduction. */
  get replaying(): boolean {
    return this.#replaying
  }

  says(line: string): void {
    this.#queue.push(line)
  }

  /** The lines to send to the server now, each with its newline. */
  unsent(): string[] {
    const lines = this.#queue
    this.#queue = []
    for (const line of lines) this.#note(line)
    return lines.map((line) => `${line}\n`)
  }

  /** Passes a server's line on to the client, unless it answers what only we asked. */
  hears(line: string): 'passed' | 'replayed' {
    const frame = asObject(line)
    if (frame === undefined) {
      this.#complain('the server said something that is no frame; it was not passed on')
      return 'passed'
    }
    const id = isRequest(frame) ? undefined : idOf(frame)
    if (id === REPLAY_ID) {
      this.#replaying = false
      return 'replayed'
    }
    this.#output.write(`${line}\n`)
    if (id !== undefined) this.#answered(id)
    return 'passed'
  }

  /** The `initialize` for a new server, where another one has answered the client's own. */
  introduction(): string | undefined {
    this.#replaying = this.#greeted
    return this.#replaying ? `${JSON.stringify({ ...this.#greeting, id: REPLAY_ID })}\n` : undefined
  }

  /** Answers the calls that went to a server that is gone; an unanswered greeting is sent again. */
  loses(): void {
    const lost = [...this.#calls]
    this.#calls.clear()
    for (const [id, { frame, line }] of lost) {
      if (frame === this.#greeting && !this.#greeted) this.#queue.unshift(line)
      else this.#output.write(`${JSON.stringify(apology(id, frame))}\n`)
    }
    this.#settle()
  }

  /** Resolves when every call has been answered, or soon in any case. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      // It keeps the process: what answers may be nothing that Node.js waits for.
      const limit = setTimeout(resolve, LAST_ANSWERS_MS)
      this.#onSettled = () => {
        clearTimeout(limit)
        resolve()
      }
      this.#settle()
    })
  }

  #note(line: string): void {
    const frame = asObject(line)
    if (frame === undefined || !isRequest(frame)) return
    if (frame.method === 'notifications/cancelled') this.#forget(frame)
    if (frame.method === 'initialize' && !this.#greeted) this.#greeting = frame
    const id = idOf(frame)
    if (id !== undefined) this.#calls.set(id, { frame, line })
  }

  /** No answer comes to what was cancelled. */
  #forget({ params }: Frame): void {
    const { requestId } = (params ?? {}) as { requestId?: FrameId }
    if (requestId !== undefined) this.#calls.delete(requestId)
  }

  #answered(id: FrameId): void {
    const call = this.#calls.get(id)
    if (call !== undefined && call.frame === this.#greeting) this.#greeted = true
    this.#calls.delete(id)
    this.#settle()
  }

  #settle(): void {
    if (this.#queue.length === 0 && [...this.#calls.values()].every(isSubscription)) {
      this.#onSettled?.()
    }
  }
}

function apology(id: FrameId, frame: Frame): Frame {
  const message = `The server ended before it answered; another one takes over. ${adviceOn(frame)}`
  return { jsonrpc: '2.0', id, error: { code: SERVER_GONE, message } }
}

const isRequest = (frame: Frame) => typeof frame.method === 'string'
/** Open as long as the client likes; nobody waits for its end. */
const isSubscription = ({ frame }: Call) => frame.method === 'subscriptions/listen'

function idOf({ id }: Frame): FrameId | undefined {
  return typeof id === 'string' || typeof id === 'number' ? id : undefined
}
