/** The server as people run it: a process of its own on free ports and a fresh database, spoken to through its doors only. */
import { freshDatabase } from './database.ts'
import type { Json } from './http.ts'
import { type Ended, type Postroom, postroom } from './postroom.ts'

export interface Answer {
  status: number
  body: Json
}

export interface Server {
  /** The base of REST and MCP; another one after `restart`. */
  readonly url: string
  /** Where mail is taken; another port after `restart`. */
  readonly smtp: { host: string; port: number }
  /** The first key, with all scopes. */
  readonly key: string
  /** The agent's, from the configuration for MCP clients. */
  readonly agentKey: string
  /** The settings under which a command works on the same data. */
  readonly env: Record<string, string>
  /** A request with the first key; an object goes as JSON. */
  call(method: string, path: string, body?: object): Promise<Answer>
  /** The bytes of what a path answers. */
  bytes(path: string): Promise<Buffer>
  /** `kill -9`; resolves when the process is gone. */
  kill(): Promise<Ended>
  /** Starts it again on the same data. */
  restart(): Promise<void>
  /** Ends it as Ctrl-C does, and removes its data. */
  close(): Promise<void>
}

const READY = /is ready[\s\S]*curl smtp:.*\n/
/** Less than a hook of a test may take, so that what it said instead is shown. */
const START_PATIENCE_MS = 45_000
const KEY = /ait_[0-9a-f-]{36}/

/** Resolves when /readyz answers 200. `env` is all that the process gets of settings, beside its place. */
export async function startServer(env: Record<string, string> = {}): Promise<Server> {
  const fresh = await freshDatabase()
  const place = {
    POSTROOM_DATA: fresh.dataDir,
    ...(fresh.url === undefined ? {} : { DATABASE_URL: fresh.url }),
  }
  let running = await started({ LOG_LEVEL: 'warn', ...env, ...place }).catch(async (error) => {
    await fresh.remove()
    throw error
  })
  const key = KEY.exec(running.program.out())?.[0] ?? ''
  const asked = (path: string, method: string, body?: object) =>
    fetch(`${running.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  return {
    get url() {
      return running.url
    },
    get smtp() {
      return running.smtp
    },
    key,
    agentKey: agentKeyIn(running.program.out()),
    env: { LOG_LEVEL: 'warn', ...env, ...place },
    async call(method, path, body) {
      const response = await asked(path, method, body)
      const text = await response.text()
      return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
    },
    async bytes(path) {
      const response = await asked(path, 'GET')
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
      return Buffer.from(await response.arrayBuffer())
    },
    kill: () => running.program.stop('SIGKILL'),
    async restart() {
      running = await started({ LOG_LEVEL: 'warn', ...env, ...place })
    },
    async close() {
      await running.program.stop()
      await fresh.remove()
    },
  }
}

interface Running {
  program: Postroom
  url: string
  smtp: { host: string; port: number }
}

async function started(env: Record<string, string>): Promise<Running> {
  const program = postroom(['serve'], env)
  const patience = setTimeout(() => program.stop('SIGKILL'), START_PATIENCE_MS)
  await program.says(READY).finally(() => clearTimeout(patience))
  const [, url = ''] = await program.says(/HTTP\s+(http:\S+)/)
  const [, host = '', port] = await program.says(/SMTP\s+smtp:\/\/([\d.]+):(\d+)/)
  const { status } = await fetch(`${url}/readyz`)
  if (status !== 200) throw new Error(`it says that it is ready, but /readyz answers ${status}`)
  return { program, url, smtp: { host, port: Number(port) } }
}

function agentKeyIn(out: string): string {
  const [json = '{}'] = /^\{\n[\s\S]*?^\}/m.exec(out) ?? []
  return JSON.parse(json).mcpServers?.postroom?.env?.POSTROOM_API_KEY ?? ''
}
