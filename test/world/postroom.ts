/** The built program as people and clients start it: a process of its own, with the environment it is given and no more. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { migratedInto } from './database.ts'

export const PROGRAM = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

export interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
  out: string
  err: string
}

export interface Postroom {
  process: ChildProcessWithoutNullStreams
  out(): string
  err(): string
  /** Resolves with what matched as soon as standard output (or error) has said it. */
  says(pattern: RegExp, stream?: 'out' | 'err'): Promise<RegExpExecArray>
  ended: Promise<Ended>
  /** Ends it as Ctrl-C does. */
  stop(signal?: NodeJS.Signals): Promise<Ended>
}

const running = new Set<Postroom>()

/** Ends what a test that failed has left. */
export async function endAll(): Promise<void> {
  await Promise.all([...running].map((program) => program.stop('SIGKILL')))
}

/** Ports are free ones unless the environment names others; the working directory is `/`. */
export function postroom(args: string[], env: Record<string, string>): Postroom {
  // As in vitest.config.ts: the compiler's second pass over the embedded database costs more than it brings here.
  const child = spawn(process.execPath, ['--liftoff-only', PROGRAM, ...args], {
    cwd: '/',
    env: { HTTP_PORT: '0', SMTP_PORT: '0', ...env },
  })
  const text = { out: '', err: '' }
  const heard = new Set<() => void>()
  for (const [name, stream] of [
    ['out', child.stdout],
    ['err', child.stderr],
  ] as const) {
    stream.setEncoding('utf8')
    stream.on('data', (chunk: string) => {
      text[name] += chunk
      for (const listener of heard) listener()
    })
  }
  const ended = once(child, 'close').then(([code, signal]): Ended => ({ code, signal, ...text }))
  void ended.then(() => heard.forEach((listener) => void listener()))
  const program: Postroom = {
    process: child,
    out: () => text.out,
    err: () => text.err,
    ended,
    says(pattern, stream = 'out') {
      return new Promise((resolve, reject) => {
        const look = () => {
          const match = pattern.exec(text[stream])
          const over = child.exitCode !== null || child.signalCode !== null
          if (match === null && !over) return
          heard.delete(look)
          if (match) resolve(match)
          else reject(new Error(`it ended without saying ${pattern}:\n${text.out}\n${text.err}`))
        }
        heard.add(look)
        look()
      })
    },
    stop(signal = 'SIGINT') {
      child.kill(signal)
      return ended
    },
  }
  running.add(program)
  void ended.then(() => running.delete(program))
  return program
}

/** Runs the program to its end. */
export function run(args: string[], env: Record<string, string>): Promise<Ended> {
  const program = postroom(args, env)
  program.process.stdin.end()
  return program.ended
}

export interface Folder {
  path: string
  remove(): Promise<void>
}

/** An empty place for a data folder; the folder in it does not exist yet. */
export async function dataFolder(): Promise<Folder> {
  const parent = await mkdtemp(join(tmpdir(), 'postroom-test-'))
  return {
    path: join(parent, 'data'),
    remove: () => rm(parent, { recursive: true, force: true }),
  }
}

/** One whose database is made already, so that a first start is as quick as the next one: for tests of what comes then. */
export async function migratedFolder(): Promise<Folder> {
  const folder = await dataFolder()
  migratedInto(folder.path)
  return folder
}
