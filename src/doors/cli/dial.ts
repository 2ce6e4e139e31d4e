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
}

/** Runs a command in the process that holds the folder; its exit code, undefined where nobody listens. */
export async function runThere(
  path: string | undefined,
  argv: readonly string[],
  output: Output,
): Promise<number | undefined> {
  const socket = await dial(path, { door: 'cli', argv: [...argv] })
  if (socket === undefined) return undefined
  let exit: number | undefined
  onLines(socket, (line) => {
    const said = asObject(line)
    if (typeof said?.out === 'string') output.out(said.out)
    if (typeof said?.err === 'string') output.err(said.err)
    if (typeof said?.exit === 'number') exit = said.exit
  })
  await new Promise((resolve) => socket.once('close', resolve))
  if (exit !== undefined) return exit
  output.err('The server ended before the command did. Run it again.\n')
  return 1
}

/** Answers a command on this connection: what it writes goes back line by line, then its exit code. */
export async function answerCommand(
  socket: Socket,
  run: (output: Output) => Promise<number>,
): Promise<void> {
  const say = (said: object) => socket.write(`${JSON.stringify(said)}\n`)
  const exit = await run({ out: (out) => say({ out }), err: (err) => say({ err }) })
  socket.end(`${JSON.stringify({ exit })}\n`)
}
