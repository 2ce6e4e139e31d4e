// postroom migrate: brings the database to this version's shape, or says that it is not there yet.
import { type Command, UsageError } from './command.ts'

export const migrate: Command = {
  name: 'migrate',
  usage: [['migrate [--check]', 'brings the database up to date; --check only looks']],
  async run({ argv, migrations, out }) {
    const [option, ...rest] = argv
    if ((option !== undefined && option !== '--check') || rest.length > 0) {
      throw new UsageError('Use: migrate [--check]')
    }
    if (option === undefined) await migrations.apply()
    await migrations.check()
    out('The database is up to date.\n')
    return 0
  },
}
