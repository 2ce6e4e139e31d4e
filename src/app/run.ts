// From a command line to the command. Each is loaded only when it is asked for: `mcp` must answer at once.
import { type Config, readConfig, sayProblems } from '../config.ts'

/** Runs `postroom …`; resolves with the exit code. */
export async function run([command = 'help', ...argv]: readonly string[]): Promise<number> {
  if (command === 'mcp') return (await import('./mcp.ts')).mcp(readConfig(), argv)
  const { commandNamed, HELP } = await import('../doors/cli/commands.ts')
  const { version } = await import('./version.ts')
  if (['help', '--help', '-h'].includes(command)) return say(process.stdout, HELP, 0)
  if (['version', '--version', '-v'].includes(command))
    return say(process.stdout, `${version()}\n`, 0)
  if (command !== 'serve' && commandNamed(command) === undefined) {
    return say(process.stderr, `There is no command ${JSON.stringify(command)}.\n\n${HELP}`, 1)
  }
  const config = checked()
  if (config === undefined) return 1
  if (command === 'serve') return (await import('./serve.ts')).serve(config, argv)
  return (await import('./command.ts')).runCommand(config, [command, ...argv])
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
