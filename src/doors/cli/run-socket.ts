// The door of one machine: whoever may read the data folder reaches the process that holds it, here.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { asObject } from './lines.ts'

/** sun_path holds 104 bytes on macOS, 108 on Linux. */
const LONGEST_PATH_BYTES = 100
const LONGEST_GREETING_BYTES = 64 * 1024
const NEWLINE = 0x0a

/** The first line of a connection: which door it wants. */
export type Greeting =
  | { door: 'mcp'; key?: string; toolsets?: string[]; read_only?: boolean }
  | { door: 'cli'; argv: string[]; cwd: string; terminal: boolean }

export interface RunSocketDoors {
  mcp(socket: Socket, greeting: Extract<Greeting, { door: 'mcp' }>): void
  cli(socket: Socket, greeting: Extract<Greeting, { door: 'cli' }>): void
}

export interface RunSocket {
  path: string
  /** Takes no more connections and ends those that are open. */
  close(): Promise<void>
}

/** Listens in the data folder, or in a folder of its own where that path is too long for a socket. */
export async function listenForRuns(dataDir: string, doors: RunSocketDoors): Promise<RunSocket> {
  const path = placeOf(dataDir)
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    // A peer that is killed resets the connection; there is nobody left to tell.
    socket.on('error', () => socket.destroy())
    greet(socket, doors)
  })
  await listening(server, path)
  return {
    path,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.end().destroySoon()
      await closed
      if (dirname(path) !== dataDir && !isPipe(path)) {
        rmSync(dirname(path), { recursive: true, force: true })
      }
    },
  }
}

function placeOf(dataDir: string): string {
  if (process.platform === 'win32')
    return `\\\\.\\pipe\\postroom-${basename(dataDir)}-${process.pid}`
  const path = join(dataDir, 'run.sock')
  // Left behind by a process that was killed: the folder is ours now, so nobody listens on it.
  rmSync(path, { force: true })
  if (Buffer.byteLength(path) <= LONGEST_PATH_BYTES) return path
  return join(mkdtempSync(join(tmpdir(), 'postroom-')), 'run.sock')
}

const isPipe = (path: string) => path.startsWith('\\\\')

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => {
      server.off('error', reject)
      if (!isPipe(path)) chmodSync(path, 0o600)
      resolve()
    })
  })
}

/** Reads the first line, gives back what came behind it, and hands the connection on. */
function greet(socket: Socket, doors: RunSocketDoors): void {
  let bytes = Buffer.alloc(0)
  const take = (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk])
    const end = bytes.indexOf(NEWLINE)
    if (end < 0 && bytes.length <= LONGEST_GREETING_BYTES) return
    socket.off('data', take)
    socket.pause()
    const greeting = asGreeting(bytes.subarray(0, Math.max(end, 0)).toString('utf8'))
    if (end + 1 < bytes.length) socket.unshift(bytes.subarray(end + 1))
    if (greeting === undefined) refuse(socket)
    if (greeting?.door === 'mcp') doors.mcp(socket, greeting)
    if (greeting?.door === 'cli') doors.cli(socket, greeting)
    socket.resume()
  }
  socket.on('data', take)
}

function asGreeting(line: string): Greeting | undefined {
  const value = asObject(line)
  if (value?.door === 'mcp') return value as Greeting
  if (value?.door === 'cli' && Array.isArray(value.argv)) {
    const cwd = typeof value.cwd === 'string' ? value.cwd : '/'
    return { door: 'cli', argv: value.argv.map(String), cwd, terminal: value.terminal === true }
  }
  return undefined
}

function refuse(socket: Socket): void {
  const right = '{"door":"mcp"} or {"door":"cli","argv":[…]}'
  socket.end(`${JSON.stringify({ err: `The first line must be ${right}.\n` })}\n`)
}
