// Running a command: in the process that holds the data folder where there is one, here where there is none. What it takes to
// run it here is loaded only then: a command that another process runs answers in a fifth of the time.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Config } from '../config.ts'
import { type Output, runThere } from '../doors/cli/dial.ts'
import { type Holder, holdFolder } from '../platform/lock.ts'
import { StartError } from '../platform/start-error.ts'
import { tell } from './tell.ts'

/** Another command that holds the folder listens nowhere; it is over when its database is closed. */
const PATIENCE_MS = 20_000
/** A server that has just taken the folder listens before that. */
const UNHEARD_MS = 1_000
const RETRY_MS = 100

const terminal: Output = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  bytes: (chunk) => new Promise((resolve) => process.stdout.write(chunk, () => resolve())),
}

const typed = () => ({ cwd: process.cwd(), terminal: process.stderr.isTTY === true })

/** Runs `postroom COMMAND …`; resolves with the exit code. */
export async function runCommand(config: Config, argv: readonly string[]): Promise<number> {
  try {
    return await runWhereItCan(config, argv)
  } catch (error) {
    return tell(error, terminal)
  }
}

async function runWhereItCan(config: Config, argv: readonly string[]): Promise<number> {
  if (config.databaseUrl !== undefined) return here(config, argv)
  refuseFresh(config, argv)
  const started = performance.now()
  for (let told = false; ; ) {
    const lock = await holdFolder(config.dataDir, {
      address: 'no address (it runs a command)',
      patienceMs: 0,
    })
    if (lock.held) return here(config, argv).finally(() => lock.release())
    const exit = await runThere(lock.holder.socket, { argv, ...typed() }, terminal)
    if (exit !== undefined) return exit
    const waited = performance.now() - started
    if (waited > PATIENCE_MS) throw new StartError(silent(lock.holder))
    if (!told && waited > UNHEARD_MS) terminal.err(waiting(lock.holder))
    told = waited > UNHEARD_MS
    await wait(RETRY_MS)
  }
}

async function here(config: Config, argv: readonly string[]): Promise<number> {
  const { runAlone } = await import('./command-here.ts')
  return runAlone(config, { ...terminal, ...typed(), argv })
}

const waiting = ({ pid, folder }: Holder) => `Waiting for process ${pid}, which holds ${folder} …\n`

/** A slip in POSTROOM_DATA must not end in a new database and keys for it. */
function refuseFresh({ dataDir }: Config, argv: readonly string[]): void {
  const makes =
    argv.join(' ') === 'migrate' || (argv[0] === 'reindex' && existsSync(join(dataDir, 'raw')))
  if (makes || existsSync(join(dataDir, 'db'))) return
  throw new StartError(
    `There is no Postroom in ${dataDir} yet. Start it once (postroom serve), or name its folder in POSTROOM_DATA.`,
  )
}

const silent = ({ pid, folder }: Holder) =>
  `The data folder ${folder} is held by process ${pid}, which does not answer. Stop it and run the command again.`
