// postroom serve: takes the data folder, opens the doors, says where they are, and ends cleanly.
import { parseArgs } from 'node:util'
import { type App, ROLES, type Role } from '../app.ts'
import type { Config } from '../config.ts'
import { announcement } from '../doors/cli/announcement.ts'
import { type HeldFolder, holdFolder } from '../platform/lock.ts'
import { createLog } from '../platform/log.ts'
import { StartError } from '../platform/start-error.ts'
import { facts } from './facts.ts'
import { type House, openHouse } from './holder.ts'
import { httpUrl } from './settings.ts'
import { endOnSignal, stopLimit } from './stop.ts'

/** Runs the server until it is told to end; resolves with the exit code. */
export async function serve(config: Config, argv: readonly string[]): Promise<number> {
  const started = performance.now()
  try {
    const roles = readRoles(argv)
    const lock = await takeFolder(config)
    const log = createLog({ level: config.logLevel })
    const house = openHouse(config, lock, { roles, takenPort: 'refuse', keys: 'shown', log })
    const end = endOnSignal(() => house.stop(), stopLimit(config))
    const app = await opened(house)
    const seconds = (performance.now() - started) / 1_000
    process.stdout.write(announcement(await facts(config, app, seconds), process.stdout.isTTY))
    process.exit(await end.done)
  } catch (error) {
    process.stderr.write(`${words(error)}\n`)
    process.exit(1)
  }
}

/** With DATABASE_URL several processes may serve; the embedded database has one. */
async function takeFolder(config: Config): Promise<HeldFolder | undefined> {
  if (config.databaseUrl !== undefined) return undefined
  const lock = await holdFolder(config.dataDir, { address: httpUrl(config.http) })
  if (lock.held) return lock
  const { pid, folder, address } = lock.holder
  throw new StartError(
    `The data folder ${folder} is held by process ${pid}, which answers at ${address}. ` +
      'Use that one, stop it first, or name another folder in POSTROOM_DATA.',
  )
}

/** A start that fails gives back what it has taken. */
async function opened(house: House): Promise<App> {
  try {
    return await house.ready
  } catch (error) {
    await house.stop()
    throw error
  }
}

function readRoles(argv: readonly string[]): readonly Role[] {
  const given = roleOption(argv)
  if (given === undefined) return ROLES
  const names = given.split(',').map((name) => name.trim())
  const roles = ROLES.filter((role) => names.includes(role))
  if (roles.length === names.length) return roles
  throw new StartError(`--roles ${given}: roles are ${ROLES.join(', ')}, with commas between.`)
}

function roleOption(argv: readonly string[]): string | undefined {
  try {
    return parseArgs({ args: [...argv], options: { roles: { type: 'string' } } }).values.roles
  } catch (error) {
    throw new StartError(`${words(error)} Use: serve [--roles ${ROLES.join(',')}]`)
  }
}

/** What a start error says to people; anything else is a fault of ours and shows where. */
function words(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error instanceof StartError ? error.message : (error.stack ?? error.message)
}
