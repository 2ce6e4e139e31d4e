// postroom serve: takes the data folder, opens the doors, says where they are, and ends cleanly.
import { parseArgs } from 'node:util'
import type { Config } from '../config.ts'
import { type HeldFolder, holdFolder } from '../platform/lock.ts'
import { StartError } from '../platform/start-error.ts'
import type { House } from './holder.ts'
import { ROLES, type Role } from './roles.ts'
import { httpUrl } from './settings.ts'
import { endOnSignal, stopLimit } from './stop.ts'

/** A holder that is ending takes up to two seconds; a person who waits to hear who it is, no more than that. */
const PATIENCE_MS = 1_500
const SECOND_MS = 1_000

/** Runs the server until it is told to end; then the process ends. */
export async function serve(config: Config, argv: readonly string[]): Promise<never> {
  try {
    const roles = readRoles(argv)
    const lock = await takeFolder(config)
    process.exit(await run(config, roles, lock))
  } catch (error) {
    process.stderr.write(`${words(error)}\n`)
    process.exit(1)
  }
}

/** With DATABASE_URL several processes may serve; the embedded database has one. */
async function takeFolder(config: Config): Promise<HeldFolder | undefined> {
  if (config.databaseUrl !== undefined) return undefined
  const patienceMs = Math.max(0, PATIENCE_MS - process.uptime() * SECOND_MS)
  const lock = await holdFolder(config.dataDir, { address: httpUrl(config.http), patienceMs })
  if (lock.held) return lock
  const { pid, folder, address } = lock.holder
  throw new StartError(
    `The data folder ${folder} is held by process ${pid}, which answers at ${address}. ` +
      'Use that one, stop it first, or name another folder in POSTROOM_DATA.',
  )
}

/** Whatever is large is read once the folder is ours: who meets a held one hears of it at once. */
async function run(config: Config, roles: readonly Role[], lock: HeldFolder | undefined) {
  const { createLog } = await import('../platform/log.ts')
  const { openHouse } = await import('./holder.ts')
  const { facts } = await import('./facts.ts')
  const { announcement } = await import('../doors/cli/announcement.ts')
  const log = createLog({ level: config.logLevel })
  const house = openHouse(config, lock, { roles, takenPort: 'refuse', keys: 'shown', log })
  const end = endOnSignal(() => house.stop(), stopLimit(config))
  const app = await opened(house)
  const told = announcement(await facts(config, app, process.uptime()), process.stdout.isTTY)
  process.stdout.write(told)
  const code = await end.done
  log.info({}, 'stopped')
  return code
}

/** A start that fails gives back what it has taken. */
async function opened(house: House) {
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
    const [reason = ''] = error instanceof Error ? error.message.split('\n') : []
    throw new StartError(`serve: ${reason}\nUse: serve [--roles ${ROLES.join(',')}]`)
  }
}

/** What a start error says to people; anything else is a fault of ours and shows where. */
function words(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error instanceof StartError ? error.message : (error.stack ?? error.message)
}
