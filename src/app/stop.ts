// How a process ends: on a signal or when its work is over, cleanly where that is quick, and soon in any case.
import type { Config } from '../config.ts'

/** What is not finished by then is safe on disk and taken up at the next start. */
const EMBEDDED_LIMIT_MS = 1_900
const POSTGRES_LIMIT_MS = 30_000

export const stopLimit = (config: Config | undefined) =>
  config?.databaseUrl === undefined ? EMBEDDED_LIMIT_MS : POSTGRES_LIMIT_MS

export interface End {
  /** Ends as a signal would. */
  now(): void
  /** Resolves with the exit code once everything is closed. */
  done: Promise<number>
}

/** Closes everything at the first signal; a second one ends at once. */
export function endOnSignal(close: () => Promise<void>, limitMs: number): End {
  let begun = false
  let finish: (code: number) => void = () => undefined
  const done = new Promise<number>((resolve) => {
    finish = resolve
  })
  const end = () => {
    if (begun) return
    begun = true
    setTimeout(() => process.exit(0), limitMs).unref()
    close().then(
      () => finish(0),
      (error: Error) => {
        process.stderr.write(`${error.stack ?? error.message}\n`)
        finish(1)
      },
    )
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => (begun ? process.exit(1) : end()))
  }
  return { now: end, done }
}
