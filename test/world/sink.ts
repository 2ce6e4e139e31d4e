/** Debian's smtp-sink as a relay: a taker of mail that shares no code with ours. POSTFIX_TOOLS names its folder. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { unusedPort } from './port.ts'

export interface Sink {
  /** host:port */
  host: string
  /** The mails taken so far, each with the lines that smtp-sink puts before it. */
  taken(): Promise<string[]>
  close(): Promise<void>
}

const BACKLOG = '10'
const CONNECT_PATIENCE_MS = 10_000

/** `options` as in smtp-sink(1): `-r rcpt` answers 4xx and `-f rcpt` 5xx, `-q .` cuts the line at the final dot. */
export async function startSink(tools: string, options: string[] = []): Promise<Sink> {
  const folder = await mkdtemp(join(tmpdir(), 'postroom-sink-'))
  // As root it becomes another user, who must be able to write here.
  await chmod(folder, 0o777)
  const port = await unusedPort()
  const host = `127.0.0.1:${port}`
  const args = ['-d', join(folder, 'mail.'), ...options, host, BACKLOG]
  const child = spawn(join(tools, 'smtp-sink'), args, { stdio: ['ignore', 'ignore', 'inherit'] })
  await accepting(port)
  return {
    host,
    async taken() {
      const names = await readdir(folder)
      return Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))
    },
    async close() {
      child.kill()
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function accepting(port: number): Promise<void> {
  const until = Date.now() + CONNECT_PATIENCE_MS
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    const met = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false)
    socket.destroy()
    if (met) return
    if (Date.now() > until) throw new Error(`smtp-sink does not listen on port ${port}`)
  }
}
