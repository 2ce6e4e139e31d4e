// What there is to tell about a server that has just started.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { App } from '../app.ts'
import { type Config, PACKAGE_ROOT } from '../config.ts'
import type { StartFacts } from '../doors/cli/announcement.ts'
import { operatorOf } from '../engine/access/authenticate.ts'
import { visibleInboxes } from '../engine/inboxes/find.ts'
import { mcpSettings } from './mcp-settings.ts'
import { httpUrl, isLoopback, reachable } from './settings.ts'
import { version } from './version.ts'

export async function facts(config: Config, app: App, seconds: number): Promise<StartFacts> {
  const { smtp, http } = app.addresses
  const { env, hidden } = mcpSettings(config.given, { keptKey: keepsKey(config) })
  const [inbox] = await visibleInboxes(app.engine, await operatorOf(app.engine))
  return {
    version: version(),
    seconds,
    httpUrl: http && httpUrl(http),
    smtp: smtp && { host: reachable(smtp.host), port: smtp.port },
    sandbox: isLoopback(config.smtp.host),
    inbox: inbox?.address,
    relay: config.outbound === 'relay' ? placeOf(config.relayUrl) : undefined,
    direct: config.outbound === 'mx',
    relayUnused: config.outbound === 'dry-run' && config.relayUrl !== undefined,
    dataDir: config.dataDir,
    database: placeOf(config.databaseUrl),
    firstKey: app.first?.firstKey,
    keyGiven: config.apiKey !== undefined,
    command: commandLine(),
    mcp: {
      command: process.execPath,
      args: [script(), 'mcp'],
      env: {
        ...env,
        POSTROOM_DATA: config.dataDir,
        ...(app.first?.agentKey ? { POSTROOM_API_KEY: app.first.agentKey } : {}),
      },
    },
    hidden,
  }
}

const script = () => join(PACKAGE_ROOT, 'dist', 'main.js')

/** The data folder holds the very key that the setting names. */
function keepsKey({ dataDir, secretKey }: Config): boolean {
  if (secretKey === undefined) return false
  try {
    const kept = readFileSync(join(dataDir, 'secret.key'), 'utf8')
    return Buffer.from(kept, 'base64').equals(secretKey)
  } catch {
    return false
  }
}

/** Where a URL points, without user and password. */
function placeOf(url: string | undefined): string | undefined {
  if (url === undefined) return undefined
  const { host, pathname } = new URL(url)
  return `${host}${pathname === '/' ? '' : pathname}`
}

/** How to type our commands here: by name where the package is installed, else by path. */
function commandLine(): string {
  const [, typed = ''] = process.argv
  return typed.endsWith('main.js') ? `node ${script()}` : 'postroom'
}
