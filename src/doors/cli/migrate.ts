// postroom migrate: brings the database to this version's shape, or says that it is not there yet.
import { type CommandContext, UsageError } from './command.ts'

export async function runMigrate({ argv, migrations, out }: CommandContext): Promise<number> {
  const [option, ...rest] = argv
  if ((option !== undefined && option !== '--check') || rest.length > 0) {
    throw new UsageError('Use: migrate [--check]')
  }
  if (option === undefined) await migrations.apply()
  await migrations.check()
  out('The database is up to date.\n')
  return 0
}
