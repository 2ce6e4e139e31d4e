// Running a command: in the process that holds the data folder where there is one, here where there is none.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { type Address, type App, createApp, MIGRATIONS } from '../app.ts'
import type { Config } from '../config.ts'
import { type CommandContext, UsageError } from '../doors/cli/command.ts'
import { commandNamed } from '../doors/cli/commands.ts'
import { type Output, runThere } from '../doors/cli/dial.ts'
import { operatorOf } from '../engine/access/authenticate.ts'
import { Refusal } from '../engine/errors.ts'
import { openDatabase } from '../platform/database.ts'
import { type Holder, holdFolder } from '../platform/lock.ts'
import { createLog } from '../platform/log.ts'
import { checkMigrations } from '../platform/migrate.ts'
import { StartError } from '../platform/start-error.ts'

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

/** A command as it was typed, and where it writes. */
type Asked = Output & Pick<CommandContext, 'argv' | 'cwd' | 'terminal' | 'signal'>

/** Runs `postroom COMMAND …`; resolves with the exit code. */
export async function runCommand(config: Config, argv: readonly string[]): Promise<number> {
  try {
    return await runWhereItCan(config, argv)
  } catch (error) {
    return tell(error, terminal)
  }
}

async function runWhereItCan(config: Config, argv: readonly string[]): Promise<number> {
  if (config.databaseUrl !== undefined) return runAlone(config, argv)
  refuseFresh(config, argv)
  const started = performance.now()
  for (let told = false; ; ) {
    const lock = await holdFolder(config.dataDir, {
      address: 'no address (it runs a command)',
      patienceMs: 0,
    })
    if (lock.held) return runAlone(config, argv).finally(() => lock.release())
    const exit = await runThere(lock.holder.socket, { argv, ...typed() }, terminal)
    if (exit !== undefined) return exit
    const waited = performance.now() - started
    if (waited > PATIENCE_MS) throw new StartError(silent(lock.holder))
    if (!told && waited > UNHEARD_MS) terminal.err(waiting(lock.holder))
    told = waited > UNHEARD_MS
    await wait(RETRY_MS)
  }
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

/** Opens the database only when the command asks for it, and closes it behind the command. */
async function runAlone(config: Config, argv: readonly string[]): Promise<number> {
  const log = createLog({ level: config.logLevel === 'info' ? 'warn' : config.logLevel })
  let app: Promise<App> | undefined
  const opened = () => {
    app ??= createApp(config, { log })
    return app
  }
  try {
    const asked = { ...terminal, ...typed(), argv, signal: new AbortController().signal }
    return await runIn(asked, {
      app: opened,
      smtp: () => smtpAlone(config, opened),
      async check() {
        const { url, dataDir, adopt } = {
          url: config.databaseUrl,
          dataDir: config.dataDir,
          adopt: config.adoptDatabase,
        }
        const db = app ? (await app).engine.db : await openDatabase({ url, dataDir, adopt, log })
        await checkMigrations(db, MIGRATIONS).finally(() => app ?? db.close())
      },
    })
  } finally {
    await app?.then(
      (one) => one.stop(),
      () => undefined,
    )
  }
}

/** With DATABASE_URL a server may run anywhere; else none does, so we open the door ourselves. */
async function smtpAlone(config: Config, opened: () => Promise<App>): Promise<Address> {
  if (config.databaseUrl !== undefined) return config.smtp
  const app = await opened()
  await app.start({ roles: ['smtp'], takenPort: 'replace', keys: 'kept' })
  return app.addresses.smtp ?? config.smtp
}

interface InHouse {
  config: Config
  ready: () => Promise<App>
}

/** Runs a command that came over the run socket. */
export function runInHouse(asked: Asked, { config, ready }: InHouse): Promise<number> {
  return runIn(asked, {
    app: ready,
    smtp: async () => (await ready()).addresses.smtp ?? config.smtp,
    check: async () => checkMigrations((await ready()).engine.db, MIGRATIONS),
  })
}

interface Place {
  app(): Promise<App>
  smtp(): Promise<Address>
  check(): Promise<void>
}

async function runIn(asked: Asked, { app, smtp, check }: Place): Promise<number> {
  const [name = '', ...argv] = asked.argv
  const command = commandNamed(name)
  const engine = async () => (await app()).engine
  const context: CommandContext = {
    ...asked,
    argv,
    engine,
    receiver: async () => (await app()).receiver,
    operator: async () => operatorOf(await engine()),
    smtp,
    migrations: { check, apply: async () => void (await app()) },
  }
  try {
    if (command === undefined) throw new UsageError(`There is no command ${JSON.stringify(name)}.`)
    return await command.run(context)
  } catch (error) {
    return tell(error, asked)
  }
}

/** Says what was refused, in words that were meant to be said; the rest is a fault of ours. */
function tell(error: unknown, { err }: Output): number {
  if (error instanceof Refusal) err(`${error.message} ${error.fix}\n`)
  else if (error instanceof UsageError || error instanceof StartError) err(`${error.message}\n`)
  else err(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  return 1
}
