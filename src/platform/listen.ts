/** Hears what other processes announce on a PostgreSQL channel, through lost connections too. */
import { setTimeout as wait } from 'node:timers/promises'
import postgres from 'postgres'
import type { Log } from './log.ts'

export interface ListenOptions {
  url: string
  channel: string
  /** Called for every notification, and once after each (re)connection: some may have been missed. */
  onNotify: (payload: string) => void
  log: Log
}

const RETRY_MS = 1_000
const CONNECT_TIMEOUT_S = 5

/** Listens until closed; resolves when the first connection listens, or has failed and is retried. */
export async function listen(options: ListenOptions): Promise<{ close(): Promise<void> }> {
  const stop = new AbortController()
  let done: Promise<void> = Promise.resolve()
  await new Promise<void>((resolve) => {
    done = keepListening(options, stop.signal, resolve)
  })
  return {
    close() {
      stop.abort()
      return done
    },
  }
}

async function keepListening(
  { url, channel, onNotify, log }: ListenOptions,
  stop: AbortSignal,
  tried: () => void,
): Promise<void> {
  while (!stop.aborted) {
    try {
      await listenOnce(url, channel, onNotify, stop, tried)
    } catch (error) {
      log.warn({ channel, reason: words(error) }, 'listening for notifications failed')
    }
    tried()
    await wait(RETRY_MS, undefined, { signal: stop }).catch(() => {})
  }
}

/** One connection's life. postgres.js gives up when it cannot reconnect at once, so we supervise. */
async function listenOnce(
  url: string,
  channel: string,
  onNotify: (payload: string) => void,
  stop: AbortSignal,
  listening: () => void,
): Promise<void> {
  let lose = () => {}
  const lost = new Promise<void>((resolve) => {
    lose = resolve
  })
  const sql = postgres(url, {
    max: 1,
    fetch_types: false,
    connect_timeout: CONNECT_TIMEOUT_S,
    onnotice: () => {},
    onclose: () => lose(),
  })
  stop.addEventListener('abort', lose, { once: true })
  try {
    await sql.listen(channel, onNotify)
    listening()
    onNotify('')
    await lost
  } finally {
    await sql.end({ timeout: 0 })
  }
}

function words(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error)
}
