/** The engine with real parts around it, before any door: a database of its own, files on disk, a first organization. */
import { join } from 'node:path'
import { dnsOver } from '../../src/drains/dns.ts'
import { fileBlobs } from '../../src/drains/files.ts'
import { callerOf } from '../../src/engine/access/authenticate.ts'
import type { Caller } from '../../src/engine/caller.ts'
import { firstStart } from '../../src/engine/inboxes/first-start.ts'
import type { Engine, Settings } from '../../src/engine/ports.ts'
import { createMailReader } from '../../src/engine/receive/reader.ts'
import { type Clock, systemClock } from '../../src/platform/clock.ts'
import { openDatabase } from '../../src/platform/database.ts'
import { createLog } from '../../src/platform/log.ts'
import { secretsIn } from '../../src/platform/secrets.ts'
import { freshDatabase } from './database.ts'
import { type NameServer, startNameServer } from './dns.ts'

export const SETTINGS: Settings = {
  mailDomain: 'postroom.localhost',
  publicUrl: 'http://127.0.0.1:8525',
  smtpHostname: 'mail.postroom.test',
  outbound: 'dry-run',
  agentSendPolicy: 'review-new',
  agentCaps: 'none',
  reviewNotify: undefined,
  reviewTtlHours: 168,
  readOnly: false,
  outboundRetrySchedule: [0, 300, 1800],
  webhookRetrySchedule: [0, 60, 300, 1800, 7200],
  webhookTimeoutSeconds: 30,
}

export interface EngineWorld {
  engine: Engine
  /** The first key's caller: a person's or a program's, with all scopes. */
  owner: Caller
  agent: Caller
  keys: { first: string; agent: string }
  /** The inbox of the first start. */
  hello: string
  /** The DNS that the engine asks: empty until the test fills its zones. */
  names: NameServer
  close(): Promise<void>
}

export async function engineWorld(
  over: { clock?: Clock; settings?: Partial<Settings> } = {},
): Promise<EngineWorld> {
  const fresh = await freshDatabase()
  const names = await startNameServer()
  const log = createLog({ level: process.env.TEST_LOG ?? 'silent' })
  const db = await openDatabase({ ...fresh, log })
  const mails = createMailReader()
  const engine: Engine = {
    db,
    mails,
    clock: over.clock ?? systemClock,
    log,
    blobs: fileBlobs(join(fresh.dataDir, 'raw')),
    jobs: { wake: () => undefined },
    dns: dnsOver({ servers: [names.address] }),
    secrets: secretsIn(fresh.dataDir),
    webhooks: { allowed: async () => ({ ok: true }) },
    settings: { ...SETTINGS, ...over.settings },
  }
  const first = await firstStart(engine)
  if (!first?.firstKey || !first.agentKey || !first.address) {
    throw new Error('a fresh database has an organization already')
  }
  return {
    engine,
    owner: await callerOf(engine, first.firstKey),
    agent: await callerOf(engine, first.agentKey),
    keys: { first: first.firstKey, agent: first.agentKey },
    hello: first.address,
    names,
    async close() {
      await mails.close()
      await names.close()
      await db.close()
      await fresh.remove()
    },
  }
}
