// Every command, and the help that lists them.
import type { Command } from './command.ts'
import { exportCommand } from './export.ts'
import { importCommand } from './import.ts'
import { keys } from './keys.ts'
import { migrate } from './migrate.ts'
import { reindexCommand } from './reindex.ts'
import { reprocessCommand } from './reprocess.ts'
import { reviews } from './reviews.ts'
import { testMail } from './test-mail.ts'

const COMMANDS: readonly Command[] = [
  keys,
  testMail,
  importCommand,
  exportCommand,
  reindexCommand,
  reprocessCommand,
  reviews,
  migrate,
]

const COLUMN = 34

export function commandNamed(name: string): Command | undefined {
  return COMMANDS.find((command) => command.name === name)
}

const lines = [
  ['serve [--roles smtp,http,worker]', 'the server; all roles by default'],
  ['mcp', 'MCP over stdio; relays to a running server, or is one'],
  ['mcp --url URL', 'relays to a server elsewhere; key in POSTROOM_API_KEY'],
  ...COMMANDS.flatMap(({ usage }) => usage),
  ['version', 'the version'],
]

export const HELP = `Postroom: the email system that AI agents work from.

Usage: postroom COMMAND

${lines.map(([form = '', does]) => `  ${form.padEnd(COLUMN)} ${form.length > COLUMN ? `\n  ${' '.repeat(COLUMN)} ` : ''}${does}`).join('\n')}

Settings are environment variables; .env.example lists them all.
`
