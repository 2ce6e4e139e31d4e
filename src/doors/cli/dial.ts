// The other end of the run socket: reaching the process that holds the data folder.
import { connect, type Socket } from 'node:net'
import { asObject, onLines } from './lines.ts'
import type { Greeting } from './run-socket.ts'

/** A connection past its greeting; undefined where nobody listens. */
export function dial(path: string | undefined, greeting: Greeting): Promise<Socket | undefined> {
  if (path === undefined) return Promise.resolve(undefined)
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('error', () => resolve(undefined))
    socket.once('connect', () => {
      socket.removeAllListeners('error')
      socket.on('error', () => socket.destroy())
      socket.write(`${JSON.stringify(greeting)}\n`)
      resolve(socket)
    })
  })
}

/** Where a command writes. */
export interface Output {
  out(text: string): void
  err(text: string): void
  /** To standard output as they are; resolves once more can be taken. */
  bytes(chunk: Uint8Array): Promise<void>
}

/** Where a command was typed: relative paths begin there. */
export interface Typed {
  cwd: string
  /** Standard error is a terminal, so progress may be drawn on it. */
  terminal: boolean
}

/** Runs a command in the process that holds the folder; its exit code, undefined where nobody listens. */
export async function runThere(
  path: string | undefined,
  { argv, ...typed }: Typed & { argv: readonly string[] },
  output: Output,
): Promise<number | undefined> {
  const socket = await dial(path, { door: 'cli', argv: [...argv], ...typed })
  if (socket === undefined) return undefined
  let exit: number | undefined
  const pass = (base64: string) => {
    socket.pause()
    void output.bytes(Buffer.from(base64, 'base64')).then(() => socket.resume())
  }
  onLines(socket, (line) => {
    const said = asObject(line)
    if (typeof said?.out === 'string') output.out(said.out)
    if (typeof said?.err === 'string') output.err(said.err)
    if (typeof said?.bytes === 'string') pass(said.bytes)
    if (typeof said?.exit === 'number') exit = said.exit
  })
  await new Promise((resolve) => socket.once('close', resolve))
  if (exit !== undefined) return exit
  output.err('The server ended before the command did. Run it again.\n')
  return 1
}

/**
 * Answers a command on this connection: what it writes goes back line by line, then its exit code.
 * The signal says that whoever asked has gone.
 */
export async function answerCommand(
  socket: Socket,
  run: (output: Output, signal: AbortSignal) => Promise<number>,
): Promise<void> {
  const gone = new AbortController()
  socket.once('close', () => gone.abort())
  const say = (said: object) => socket.write(`${JSON.stringify(said)}\n`)
  const output: Output = {
    out: (out) => void say({ out }),
    err: (err) => void say({ err }),
    async bytes(chunk) {
      const taken = say({ bytes: Buffer.from(chunk).toString('base64') })
      if (!taken && !gone.signal.aborted) await drained(socket)
    },
  }
  const exit = await run(output, gone.signal)
  socket.end(`${JSON.stringify({ exit })}\n`)
}

const drained = (socket: Socket) =>
  new Promise<void>((resolve) => {
    socket.once('drain', resolve)
    socket.once('close', () => resolve())
  })
