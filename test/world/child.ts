/** Another process of ours: a script over the built code, killed or ended by the test. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export interface Child {
  process: ChildProcess
  /** The next line of its standard output; a failure once it has ended. */
  line(): Promise<string>
  exited: Promise<number | null>
}

/** `command` runs before Node where it is given, as in `strace -f node …`. */
export function startChild(script: string, args: string[] = [], command: string[] = []): Child {
  const node = [process.execPath, '--input-type=module', '-e', script, ...args]
  const [file = '', ...rest] = [...command, ...node]
  const child = spawn(file, rest, { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit').then(([code]: (number | null)[]) => code ?? null)
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    process: child,
    exited,
    async line() {
      const { value, done } = await lines.next()
      if (done) throw new Error(`the process ended with ${await exited} before the next line`)
      return value
    },
  }
}

/** The address of a built module, for a script's `import`. */
export function built(path: string): string {
  return new URL(`../../dist/${path}`, import.meta.url).href
}
