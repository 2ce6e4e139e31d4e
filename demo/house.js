// Postroom for the length of the demo: the built program on free ports and a temporary data folder.
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const START_PATIENCE_MS = 30_000
const END_PATIENCE_MS = 5_000
const LOOK_EVERY_MS = 25

/** Started, but perhaps not ready yet. Nothing of the shell's settings reaches it: no real database, no real relay. */
export async function openHouse() {
  const folder = await mkdtemp(join(tmpdir(), 'postroom-demo-'))
  const [http, smtp] = [await freePort(), await freePort()]
  const key = `ait_${randomUUID()}`
  const place = { PATH: process.env.PATH, POSTROOM_DATA: join(folder, 'data') }
  const env = { ...place, POSTROOM_API_KEY: key, HTTP_PORT: http, SMTP_PORT: smtp, LOG_LEVEL: 'warn' }
  const server = spawn(process.execPath, [MAIN, 'serve'], { cwd: folder, env, stdio: 'pipe' })
  let said = ''
  server.stdout.resume()
  server.stderr.setEncoding('utf8').on('data', (text) => {
    said += text
  })
  const house = {
    url: `http://127.0.0.1:${http}`,
    smtp: { host: '127.0.0.1', port: Number(smtp) },
    key,
    ready: () => ready(house, server),
    dataDir: place.POSTROOM_DATA,
    /** What the server has complained about. */
    complaints: () => said.trim(),
    agent: () => agent(place),
    async close() {
      if (server.exitCode === null && server.signalCode === null) {
        const ended = once(server, 'exit')
        server.kill('SIGTERM')
        await Promise.race([ended, pause(END_PATIENCE_MS, undefined, { ref: false })])
        server.kill('SIGKILL')
      }
      await rm(folder, { recursive: true, force: true })
    },
  }
  return house
}

/** An agent's client, started as Claude Desktop starts it: `node dist/main.js mcp`, which relays to the server. */
async function agent(place) {
  const client = new Client({ name: 'demo-agent', version: '1.0.0' })
  const [command, args] = [process.execPath, [MAIN, 'mcp']]
  await client.connect(
    new StdioClientTransport({ command, args, env: place, cwd: '/', stderr: 'ignore' }),
  )
  return client
}

async function ready({ url, complaints }, server) {
  const until = performance.now() + START_PATIENCE_MS
  while (performance.now() < until) {
    if (server.exitCode !== null) throw new Error(`the server did not start: ${complaints()}`)
    const answer = await fetch(`${url}/readyz`).catch(() => undefined)
    if (answer?.ok) return
    await pause(LOOK_EVERY_MS)
  }
  throw new Error(`the server was not ready within ${START_PATIENCE_MS / 1000} s. ${complaints()}`)
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  await once(probe, 'close')
  return String(port)
}
