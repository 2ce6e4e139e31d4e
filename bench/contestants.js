// The servers that take part, each a process of its own: two baselines, and the product on either database.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { startNames } from './names.js'

const MAIN = new URL('../dist/main.js', import.meta.url).pathname
const BASELINE = new URL('./baseline.js', import.meta.url).pathname
/** As `npm start` has them. */
const FLAGS = ['--max-semi-space-size=32']
const START_PATIENCE_MS = 30_000

/** Starts a baseline; `kind` is accept or parse. */
export async function baseline(kind) {
  const child = spawn(process.execPath, [BASELINE, kind], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(child.stdout, 'data')
  const recipient = 'hello@postroom.localhost'
  return { address: `127.0.0.1:${Number(line)}`, recipient, stop: () => stop(child) }
}

let names

/** Starts the product on a fresh data folder; with a URL on that PostgreSQL database. Its senders pass SPF and DMARC. */
export async function product(databaseUrl) {
  const data = await dataFolder()
  names ??= await startNames()
  const running = await serve(data, { DNS_SERVERS: names, ...(databaseUrl && { DATABASE_URL: databaseUrl }) })
  return { ...running, recipient: 'hello@postroom.localhost' }
}

const folders = []

/**
 * A data folder that goes when the benchmark ends, not before: ext4 gives no inode away again for minutes, and whoever
 * makes files meanwhile searches through those that were freed (three times the kernel's time a mail in the next round).
 */
export async function dataFolder() {
  if (folders.length === 0) process.once('exit', () => folders.forEach(remove))
  folders.push(await mkdtemp(join(tmpdir(), 'postroom-bench-')))
  return folders.at(-1)
}

const remove = (folder) => rmSync(folder, { recursive: true, force: true })

/** Starts the product on a data folder that stays. A port that was free may be taken a moment later: then with others. */
export async function serve(data, settings = {}, roles = 'smtp,http,worker', attempts = 3) {
  const [smtp, http] = [await freePort(), await freePort()]
  const env = {
    PATH: process.env.PATH,
    POSTROOM_DATA: data,
    SMTP_PORT: String(smtp),
    HTTP_PORT: String(http),
    LOG_LEVEL: 'warn',
    ...settings,
  }
  const args = [...FLAGS, MAIN, 'serve', '--roles', roles]
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'inherit'] })
  process.once('exit', () => child.kill('SIGKILL'))
  const url = `http://127.0.0.1:${http}`
  if (await ready(`${url}/readyz`, child)) {
    return { address: `127.0.0.1:${smtp}`, url, pid: child.pid, stop: () => stop(child) }
  }
  if (attempts === 1) throw new Error('the server stopped while starting')
  return serve(data, settings, roles, attempts - 1)
}

/** A database of its own for each round, dropped afterwards. */
export async function onPostgres(url) {
  const own = await freshDatabase(url)
  const running = await product(own.url)
  return {
    ...running,
    async stop() {
      await running.stop()
      await own.drop()
    },
  }
}

export async function freshDatabase(url) {
  const name = `postroom_bench_${Date.now()}`
  await admin(url, `CREATE DATABASE ${name}`)
  const own = new URL(url)
  own.pathname = `/${name}`
  return { url: own.href, drop: () => admin(url, `DROP DATABASE ${name} WITH (FORCE)`) }
}

async function admin(url, statement) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(statement)
  await client.end()
}

async function ready(url, child) {
  const until = Date.now() + START_PATIENCE_MS
  while (Date.now() < until) {
    if (child.exitCode !== null) return false
    const answer = await fetch(url).catch(() => undefined)
    if (answer?.ok) return true
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`the server was not ready within ${START_PATIENCE_MS / 1000} s`)
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

async function stop(child) {
  if (child.exitCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}
