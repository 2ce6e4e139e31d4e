// Every command, and the help that lists them. What runs one is loaded when it is run: with most of them comes the engine.
import type { Command } from './command.ts'

const COMMANDS: readonly Command[] = [
  {
    name: 'keys',
    usage: [
      [
        'keys create --name N --scopes a,b',
        'makes an API key and shows it once; also --inbox ID (an',
      ],
      ['', 'id or an address, more than once), --agent,'],
      ['', '--interactive, --expires 90d'],
      ['keys list', 'names, scopes and inboxes of all keys'],
      ['keys revoke ID', 'ends a key at once'],
    ],
    load: async () => (await import('./keys.ts')).runKeys,
  },
  {
    name: 'test-mail',
    usage: [['test-mail [ADDRESS]', 'sends a real mail through the SMTP door']],
    load: async () => (await import('./test-mail.ts')).runTestMail,
  },
  {
    name: 'import',
    usage: [
      [
        'import FILE.mbox --inbox ID',
        'brings the mails of an mbox in, with the times they had; run',
      ],
      ['', 'again, it goes on where it stopped. --webhooks tells of'],
      ['', 'each mail as if it came now'],
    ],
    load: async () => (await import('./import.ts')).runImport,
  },
  {
    name: 'export',
    usage: [
      ['export --inbox ID [--out FILE]', 'all mail of an inbox as an mbox, to standard output or'],
      ['', 'into a file'],
    ],
    load: async () => (await import('./export.ts')).runExport,
  },
  {
    name: 'reindex',
    usage: [['reindex', 'rebuilds what the database lacks from the raw mail']],
    load: async () => (await import('./reindex.ts')).runReindex,
  },
  {
    name: 'reprocess',
    usage: [['reprocess [--dry-run]', 'reads kept mail again, shows what differs and writes it']],
    load: async () => (await import('./reprocess.ts')).runReprocess,
  },
  {
    name: 'reviews',
    usage: [
      ['reviews [list] [--all]', 'mail that waits for a person; --all: decided too'],
      ['reviews show ID', 'the mail, why it waits, and its hash'],
      ['reviews approve ID', 'lets exactly that mail go; --sha256 HASH names it'],
      ['reviews reject ID', 'it never goes; --reason TEXT says why'],
    ],
    load: async () => (await import('./reviews.ts')).runReviews,
  },
  {
    name: 'migrate',
    usage: [['migrate [--check]', 'brings the database up to date; --check only looks']],
    load: async () => (await import('./migrate.ts')).runMigrate,
  },
]

const COLUMN = 34

export function commandNamed(name: string): Command | undefined {
  return COMMANDS.find((command) => command.name === name)
}

type Listed = Pick<Command, 'name' | 'usage'>

const LISTED: readonly Listed[] = [
  {
    name: 'serve',
    usage: [['serve [--roles smtp,http,worker]', 'the server; all roles by default']],
  },
  {
    name: 'mcp',
    usage: [
      ['mcp', 'MCP over stdio; relays to a running server, or is one'],
      ['mcp --url URL', 'relays to a server elsewhere; key in POSTROOM_API_KEY'],
    ],
  },
  ...COMMANDS,
  { name: 'version', usage: [['version', 'the version']] },
]

/** How one command is used; undefined where there is none of that name. */
export function helpOn(name: string): string | undefined {
  const listed = LISTED.find((one) => one.name === name)
  return listed && `Usage: postroom …\n\n${linesOf(listed)}\n`
}

function linesOf({ usage }: Listed): string {
  return usage
    .map(([form, does]) => {
      const gap = form.length > COLUMN ? `\n  ${' '.repeat(COLUMN)} ` : ''
      return `  ${form.padEnd(COLUMN)} ${gap}${does}`
    })
    .join('\n')
}

export const HELP = `Postroom: the email system that AI agents work from.

Usage: postroom COMMAND; postroom COMMAND --help

${LISTED.map(linesOf).join('\n')}

Settings are environment variables; .env.example lists them all.
`
