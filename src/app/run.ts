// From a command line to the command. Each is loaded only when it is asked for: `mcp` must answer at once.
import { type Config, readConfig, sayProblems } from '../config.ts'

/** Runs `postroom …`; resolves with the exit code. */
export async function run([command = 'help', ...argv]: readonly string[]): Promise<number> {
  const helps = argv.includes('--help') || argv.includes('-h')
  if (command === 'mcp' && !helps) return (await import('./mcp.ts')).mcp(readConfig(), argv)
  if (helps || ABOUT.includes(command)) return tellAbout(command, argv)
  const { commandNamed } = await import('../doors/cli/commands.ts')
  if (command !== 'serve' && commandNamed(command) === undefined) return unknown(command)
  const config = checked()
  if (config === undefined) return 1
  if (command === 'serve') return (await import('./serve.ts')).serve(config, argv)
  return (await import('./command.ts')).runCommand(config, [command, ...argv])
}

const VERSION = ['version', '--version', '-v']
const ABOUT: readonly string[] = ['help', '--help', '-h', ...VERSION]

/** Help and version need no settings. */
async function tellAbout(command: string, argv: readonly string[]): Promise<number> {
  const { HELP, helpOn } = await import('../doors/cli/commands.ts')
  if (!ABOUT.includes(command)) {
    const help = helpOn(command)
    if (help === undefined) return unknown(command)
    // The standard output of mcp is for frames alone, whatever it was asked.
    return say(command === 'mcp' ? process.stderr : process.stdout, help, 0)
  }
  const { version } = await import('./version.ts')
  if (VERSION.includes(command)) return say(process.stdout, `${version()}\n`, 0)
  return say(process.stdout, helpOn(argv[0] ?? '') ?? HELP, 0)
}

async function unknown(command: string): Promise<number> {
  const { HELP } = await import('../doors/cli/commands.ts')
  return say(process.stderr, `There is no command ${JSON.stringify(command)}.\n\n${HELP}`, 1)
}

/** The configuration; undefined once what is wrong with it has been said. */
function checked(): Config | undefined {
  const reading = readConfig()
  if (!reading.ok) {
    say(process.stderr, `${sayProblems(reading.problems)}\n`, 1)
    return undefined
  }
  if (reading.ignored.length > 0) {
    say(
      process.stderr,
      `Not read, since they are no settings of ours: ${reading.ignored.join(', ')}\n`,
      0,
    )
  }
  return reading.config
}

function say(stream: NodeJS.WritableStream, text: string, code: number): number {
  stream.write(text)
  return code
}
