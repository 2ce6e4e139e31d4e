// Running a command in this process, with a database of its own or that of the server that was asked.
import { type Address, type App, createApp, MIGRATIONS } from '../app.ts'
import type { Config } from '../config.ts'
import { type CommandContext, UsageError } from '../doors/cli/command.ts'
import { commandNamed } from '../doors/cli/commands.ts'
import type { Output } from '../doors/cli/dial.ts'
import { operatorOf } from '../engine/access/authenticate.ts'
import { openDatabase } from '../platform/database.ts'
import { createLog } from '../platform/log.ts'
import { checkMigrations } from '../platform/migrate.ts'
import { tell } from './tell.ts'

/** A command as it was typed, and where it writes. */
type Asked = Output & Pick<CommandContext, 'argv' | 'cwd' | 'terminal' | 'signal'>

/** Opens the database only when the command asks for it, and closes it behind the command. */
export async function runAlone(config: Config, typed: Omit<Asked, 'signal'>): Promise<number> {
  const log = createLog({ level: config.logLevel === 'info' ? 'warn' : config.logLevel })
  let app: Promise<App> | undefined
  const opened = () => {
    app ??= createApp(config, { log })
    return app
  }
  try {
    const asked = { ...typed, signal: new AbortController().signal }
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
    return await (await command.load())(context)
  } catch (error) {
    return tell(error, asked)
  }
}
