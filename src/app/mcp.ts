// postroom mcp: MCP over stdio. It relays to the process that holds the data folder, or becomes it. stdout carries frames alone.
import { Console } from 'node:console'
import { type Duplex, duplexPair } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type Config, type Reading, sayProblems } from '../config.ts'
import { dial } from '../doors/cli/dial.ts'
import { type McpLine, mcpLine } from '../doors/cli/mcp-line.ts'
import { remoteServer } from '../doors/cli/remote.ts'
import type { Greeting } from '../doors/cli/run-socket.ts'
import { type HeldFolder, type Holder, holdFolder } from '../platform/lock.ts'
import type { House } from './holder.ts'
import { type McpBackground, NotStarted, serveMcp } from './mcp-door.ts'
import { httpUrl } from './settings.ts'
import { endOnSignal, stopLimit } from './stop.ts'

const RETRY_MS = 50
/** How long a client's first words may wait for a holder that does not answer. */
const GREETING_MS = 700
/** How long a call may: a holder that is ending is gone by then, and this process is the server. */
const SILENCE_MS = 4_000
/** Lets the answer to `initialize` out before the modules of the whole house are read. */
const HEAD_START_MS = 100

/** What is running behind the line, to be closed at the end. */
interface Behind {
  house?: House
}

/** Serves one client on stdin and stdout until it leaves, or a signal comes; then the process ends. */
export async function mcp(reading: Reading, argv: readonly string[]): Promise<never> {
  // A library that says something on stdout would break the client's connection.
  Object.assign(globalThis, { console: new Console(process.stderr) })
  const line = mcpLine(process.stdin, process.stdout, complain)
  const behind: Behind = {}
  const limit = stopLimit(reading.ok ? reading.config : undefined)
  const end = endOnSignal(async () => behind.house?.stop(), limit)
  const url = urlIn(argv)
  if (url instanceof Error) attachBroken(line, url.message)
  else if (!reading.ok) attachBroken(line, sayProblems(reading.problems))
  else if (url === undefined) void keepServed(reading.config, line, behind)
  else line.attach(remoteServer({ url, key: reading.config.apiKey }))
  void line.ended.then(end.now)
  // A client that is gone without a word.
  process.stdout.on('error', end.now)
  // A client that only sent a signal still holds stdin open.
  process.exit(await end.done)
}

/** The server elsewhere that `--url` names. */
function urlIn(argv: readonly string[]): string | undefined | Error {
  try {
    const { url } = parseArgs({ args: [...argv], options: { url: { type: 'string' } } }).values
    if (url === undefined) return undefined
    const { protocol, pathname } = new URL(url)
    if (!['http:', 'https:'].includes(protocol))
      throw new Error('it begins with http:// or https://')
    return pathname === '/' ? new URL('/mcp', url).href : url
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return new Error(
      `postroom mcp ${argv.join(' ')}: ${reason}. Use: postroom mcp [--url https://host/mcp]`,
    )
  }
}

/** Always some server behind the line: a relay while another process holds the folder, else our own. */
async function keepServed(config: Config, line: McpLine, behind: Behind): Promise<never> {
  if (config.databaseUrl !== undefined) return serveHere(config, line, behind)
  let patience = GREETING_MS
  for (let since = performance.now(); ; ) {
    const lock = await takeFolder(config)
    if (lock instanceof Error) return refuse(line, lock)
    if (lock.held) return serveHere(config, line, behind, lock)
    const socket = await dial(lock.holder.socket, greetingOf(config))
    if (socket !== undefined) {
      line.attach(socket)
      await line.lost()
      since = performance.now()
      patience = SILENCE_MS
    } else if (performance.now() - since > patience) {
      attachBroken(line, silent(lock.holder), SILENCE_MS)
      patience = Number.POSITIVE_INFINITY
    }
    await wait(RETRY_MS)
  }
}

async function takeFolder(config: Config) {
  try {
    return await holdFolder(config.dataDir, { address: httpUrl(config.http), patienceMs: 0 })
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

function greetingOf({ apiKey, given, mcpToolsets, mcpReadOnly }: Config): Greeting {
  return {
    door: 'mcp',
    read_only: mcpReadOnly,
    ...(apiKey === undefined ? {} : { key: apiKey }),
    ...(given.MCP_TOOLSETS === undefined ? {} : { toolsets: [...mcpToolsets] }),
  }
}

/** This process is the server; with DATABASE_URL, which other servers share, it is this door alone. */
async function serveHere(
  config: Config,
  line: McpLine,
  behind: Behind,
  lock?: HeldFolder,
): Promise<never> {
  const ready = startHouse(config, behind, lock)
  ready.catch((error: Error) => complain(error.message))
  for (;;) {
    line.attach(served(config.apiKey, { config, ready: () => ready }))
    await line.lost()
  }
}

async function startHouse(config: Config, behind: Behind, lock?: HeldFolder) {
  await wait(HEAD_START_MS)
  const { openHouse } = await import('./holder.ts')
  const { createLog } = await import('../platform/log.ts')
  const house = openHouse(config, lock, {
    roles: lock === undefined ? [] : ['smtp', 'http', 'worker'],
    takenPort: 'replace',
    keys: 'kept',
    log: createLog({ level: config.logLevel }),
  })
  behind.house = house
  try {
    return await house.ready
  } catch (error) {
    // Whoever starts next, after the cause was mended, must find the folder free.
    await house.stop()
    throw error
  }
}

/** A stream to a server of our own. */
function served(key: string | undefined, background: McpBackground): Duplex {
  const [near, far] = duplexPair()
  serveMcp(far, key, background)
  return near
}

/** A server that greets, and answers every call, `afterMs`, with what stands in the way. */
function attachBroken(line: McpLine, problem: string, afterMs = 0): void {
  complain(problem)
  const ready = async () => {
    await wait(afterMs)
    throw new NotStarted(problem)
  }
  line.attach(
    served(undefined, {
      config: { mcpReadOnly: false, mcpToolsets: ['mail', 'knowledge'] },
      ready,
    }),
  )
}

async function refuse(line: McpLine, error: Error): Promise<never> {
  for (;;) {
    attachBroken(line, error.message)
    await line.lost()
  }
}

const silent = ({ pid, folder }: Holder) =>
  `The data folder ${folder} is held by process ${pid}, which does not answer. ` +
  'Stop it, and this process takes over.'

function complain(text: string): void {
  process.stderr.write(`${text.trimEnd()}\n`)
}
