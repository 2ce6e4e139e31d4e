/** Hears what other processes announce on a PostgreSQL channel, through lost connections too. */
import { setTimeout as wait } from 'node:timers/promises'
import postgres from 'postgres'
import type { Log } from './log.ts'

export interface ListenOptions {
  url: string
  channel: string
  /** Called for each notification, and with '' after each (re)connection: some may be missed. */
  onNotify: (payload: string) => void
  log: Log
}

const RETRY_MS = 1_000
const PATIENCE_MS = 5_000

/**
 * Listens until closed; resolves when the first attempt has come to its end, well or not.
 * postgres.js mends a lost connection itself (tried: server restarted, and away for 8 s), and
 * repeats a dropped one without a word; a first connection that is refused it leaves to us.
 */
export async function listen(options: ListenOptions): Promise<{ close(): Promise<void> }> {
  const { url, channel, onNotify, log } = options
  const sql = postgres(...connectionOf(url))
  const closed = new AbortController()

  const attempt = async (): Promise<boolean> => {
    try {
      await sql.listen(channel, onNotify, () => onNotify(''))
      return true
    } catch (error) {
      if (!closed.signal.aborted) log.warn({ channel, reason: words(error) }, 'cannot listen')
      return closed.signal.aborted
    }
  }
  const keepTrying = async () => {
    do await pause(RETRY_MS, closed.signal)
    while (!closed.signal.aborted && !(await attempt()))
  }
  const first = attempt().then((done) => {
    if (!done) void keepTrying()
  })
  await Promise.race([first, pause(PATIENCE_MS, closed.signal)])
  return {
    close() {
      closed.abort()
      return sql.end({ timeout: 0 })
    },
  }
}

/** postgres.js does not know the `?host=` of libpq and node-postgres, which names the folder of a Unix socket. */
function connectionOf(url: string): [string, postgres.Options<Record<string, never>>] {
  const options = { max: 1, fetch_types: false, onnotice: () => {} }
  const plain = new URL(url)
  const host = plain.searchParams.get('host')
  plain.searchParams.delete('host')
  return host === null ? [url, options] : [plain.href, { ...options, host }]
}

/** Ends early when the listener is closed, and keeps no process alive. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return wait(ms, undefined, { signal, ref: false }).catch(() => {})
}

function words(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error)
}
