// Opening the doors that the roles name, each on its port or, where that is taken and may be replaced, on a free one.
import type { Address, Addresses, StartOptions } from '../app.ts'
import type { Config } from '../config.ts'
import { mcpOverHttp } from '../doors/mcp/http.ts'
import { startHttp } from '../doors/rest/listen.ts'
import { createHttpApp } from '../doors/rest/server.ts'
import { openSmtpDoor } from '../doors/smtp/server.ts'
import type { Engine } from '../engine/ports.ts'
import type { Receiver } from '../engine/receive/accept.ts'
import { createRecipientCheck } from '../engine/receive/recipients.ts'
import { StartError } from '../platform/start-error.ts'
import type { Role } from './roles.ts'
import { version } from './version.ts'

interface House {
  config: Config
  engine: Engine
  receiver: Receiver
  /** Filled in as doors open. */
  addresses: Addresses
  /** False once nothing more is taken. */
  ready: () => boolean
}

type Wish = Pick<StartOptions, 'roles' | 'takenPort'>

/** What listens, and where. */
interface Door extends Address {
  close(): Promise<void>
}

type Listener = Exclude<Role, 'worker'>

const LISTENERS: readonly Listener[] = ['smtp', 'http']

/** Opens the doors named by `roles`; where one cannot be opened the others are closed again. */
export async function openDoors({ roles, takenPort }: Wish, house: House): Promise<Door[]> {
  const doors: Door[] = []
  try {
    for (const listener of LISTENERS.filter((one) => roles.includes(one))) {
      const door = await openDoor(listener, house, takenPort)
      house.addresses[listener] = { host: door.host, port: door.port }
      doors.push(door)
    }
    return doors
  } catch (error) {
    await Promise.allSettled(doors.map((door) => door.close()))
    throw error
  }
}

async function openDoor(
  listener: Listener,
  house: House,
  takenPort: Wish['takenPort'],
): Promise<Door> {
  const { host, port } = house.config[listener]
  try {
    return await OPENERS[listener](house, port)
  } catch (error) {
    if (codeOf(error) !== 'EADDRINUSE' || takenPort === 'refuse') {
      throw cannotListen(listener, host, port, error)
    }
  }
  const door = await OPENERS[listener](house, 0)
  house.engine.log.warn(
    { door: listener, taken: port, port: door.port },
    `port ${port} is taken; ${listener} listens on ${door.port}`,
  )
  return door
}

const OPENERS: Record<Listener, (house: House, port: number) => Promise<Door>> = {
  smtp: ({ config: { smtp }, engine, receiver }, port) =>
    openSmtpDoor({
      host: smtp.host,
      port,
      hostname: smtp.hostname,
      ...(smtp.tls ? { tls: smtp.tls } : {}),
      bareNewlines: smtp.bareNewlines,
      receiver,
      recipient: createRecipientCheck(engine),
      clock: engine.clock,
      log: engine.log,
    }),
  http: (house, port) =>
    startHttp(httpApp(house), { host: house.config.http.host, port, log: house.engine.log }),
}

function httpApp({ config, engine, ready }: House) {
  return createHttpApp({
    engine,
    allowedHosts: config.allowedHosts,
    allowedOrigins: config.allowedOrigins,
    ready,
    mcp: mcpOverHttp({
      engine,
      toolsets: config.mcpToolsets,
      readOnly: config.mcpReadOnly,
      version: version(),
    }),
  })
}

const REASONS: Record<string, string> = {
  EADDRINUSE: 'it is taken by another program',
  EACCES: 'this user may not listen there',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'no address is known for that name',
}

function cannotListen(listener: Listener, host: string, port: number, error: unknown): StartError {
  const name = listener.toUpperCase()
  const why =
    REASONS[codeOf(error) ?? ''] ?? (error instanceof Error ? error.message : String(error))
  return new StartError(
    `${name}_PORT: ${name} cannot listen on ${host}:${port}: ${why}. ` +
      `Stop what holds it, or set ${name}_PORT (0 takes a free one) or ${name}_HOST to another one.`,
    { cause: error },
  )
}

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException | null)?.code
