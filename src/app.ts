// The composition root: every part of the house is made and joined here, and nowhere else.
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { openDoors } from './app/doors.ts'
import type { Role } from './app/roles.ts'
import { isLoopback, toSettings } from './app/settings.ts'
import { createWork, keepHouse } from './app/work.ts'
import { type Config, PACKAGE_ROOT } from './config.ts'
import { dnsOver } from './drains/dns.ts'
import { rememberingDns } from './drains/dns-cache.ts'
import { type FileBlobs, fileBlobs } from './drains/files.ts'
import { mxDelivery } from './drains/mx.ts'
import { createPoster } from './drains/post.ts'
import { smtpRelay } from './drains/smtp.ts'
import { adoptEvents } from './engine/events.ts'
import { type FirstStart, firstStart, takeBackKeys } from './engine/inboxes/first-start.ts'
import { endLeases } from './engine/jobs/lease.ts'
import type { Worker } from './engine/jobs/worker.ts'
import type { Dns, Engine, MailTransport } from './engine/ports.ts'
import { createReceiver, type Receiver } from './engine/receive/accept.ts'
import { localDelivery } from './engine/receive/local.ts'
import { createMailReader } from './engine/receive/reader.ts'
import { noteOrganizations } from './engine/receive/rebuild/house.ts'
import { type Clock, systemClock } from './platform/clock.ts'
import { type Database, openDatabase } from './platform/database.ts'
import { listen } from './platform/listen.ts'
import { createLog, type Log } from './platform/log.ts'
import { migrate } from './platform/migrate.ts'
import { secretsIn } from './platform/secrets.ts'

export const MIGRATIONS = join(PACKAGE_ROOT, 'prisma', 'migrations')
/** What one process announces on PostgreSQL to the workers of the others. */
const CHANNEL = 'postroom_jobs'
const NOTIFY_PAUSE_MS = 50

/** What a test holds in its own hands. */
export interface Overrides {
  clock?: Clock
  log?: Log
}

export interface Address {
  host: string
  port: number
}

export interface Addresses {
  smtp?: Address
  http?: Address
}

export interface StartOptions {
  roles: readonly Role[]
  /** A port that is taken: stop with a message, or take a free one. */
  takenPort: 'refuse' | 'replace'
  /** Whether somebody is there to see the first key; a start that nobody reads makes none. */
  keys: 'shown' | 'kept'
}

export interface App {
  engine: Engine
  receiver: Receiver
  /** The keys, where `start` was the first start. */
  first: FirstStart | null
  /** Where the doors listen that are open. */
  addresses: Addresses
  start(options: StartOptions): Promise<void>
  /** Runs every job that is due, until none is left. */
  settle(): Promise<void>
  /** Finishes what was taken, gives the rest back, closes everything. */
  stop(): Promise<void>
}

/** Opens the database and makes the parts; nothing listens and no job runs before `start`. */
export async function createApp(config: Config, overrides: Overrides = {}): Promise<App> {
  const log = overrides.log ?? createLog({ level: config.logLevel })
  const clock = overrides.clock ?? systemClock
  const db = await openDatabase({
    url: config.databaseUrl,
    dataDir: config.dataDir,
    adopt: config.adoptDatabase,
    log,
  })
  const blobs = fileBlobs(join(config.dataDir, 'raw'))
  try {
    await Promise.all([migrate(db, MIGRATIONS, log), blobs.recovered()])
    await adoptEvents({ db, log })
    return assemble(config, { db, clock, log, blobs })
  } catch (error) {
    await Promise.all([db.close(), blobs.close()])
    throw error
  }
}

type Ground = Pick<Engine, 'db' | 'clock' | 'log'> & { blobs: FileBlobs }

function assemble(config: Config, ground: Ground): App {
  const { db, log, blobs } = ground
  const poster = posterOf(config)
  const addresses: Addresses = {}
  const mails = createMailReader()
  const engine: Engine = {
    ...ground,
    mails,
    jobs: { wake: () => waker.wake() },
    webhooks: poster,
    dns: rememberingDns(dnsOver({ servers: config.dnsServers })),
    secrets: secretsIn(config.dataDir, config.secretKey),
    settings: toSettings(config, addresses),
  }
  const receiver = createReceiver(engine)
  const world = worldOf(config, engine.dns)
  const worker = createWork(engine, { poster, local: localDelivery(engine, receiver), world })
  const waker = createWaker(db, worker)
  const open: { close(): Promise<void> }[] = []
  let stopping = false
  const house = { config, engine, receiver, addresses, ready: () => !stopping }

  const app: App = {
    engine,
    receiver,
    first: null,
    addresses,
    async start({ roles, takenPort, keys }) {
      app.first = await firstStart(engine, { firstKey: config.apiKey, shown: keys === 'shown' })
      await noteOrganizations(engine)
      try {
        open.push(...(await openDoors({ roles, takenPort }, house)))
      } catch (error) {
        // Keys are shown once, by a start that goes on: the next one makes others.
        await takeBackKeys(engine, app.first)
        throw error
      }
      if (!roles.includes('worker')) return
      if (db.embedded) await endLeases(db)
      worker.start()
      open.push(keepHouse(engine))
      if (config.databaseUrl === undefined) return
      const url = config.databaseUrl
      open.push(await listen({ url, channel: CHANNEL, onNotify: () => worker.wake(), log }))
    },
    settle: () => worker.settle(),
    async stop() {
      stopping = true
      await Promise.allSettled(open.map((part) => part.close()))
      await Promise.all([worker.stop(), world?.close(), mails.close(), receiver.close()])
      await waker.settled()
      await Promise.all([db.close(), blobs.close()])
    },
  }
  return app
}

function posterOf({ webhookAllowPrivate: allowPrivate, http, smtp }: Config) {
  const listensOnLoopback = isLoopback(http.host) && isLoopback(smtp.host)
  return createPoster({ allowPrivate, listensOnLoopback })
}

/** Null in dry-run: nothing leaves. */
function worldOf(config: Config, dns: Dns): MailTransport | null {
  const { outbound, relayUrl: url, mxPort: port, smtp } = config
  const { hostname } = smtp
  if (outbound === 'mx') {
    return mxDelivery({ dns, hostname, port, loopback: isLoopback(smtp.host) })
  }
  return outbound === 'relay' && url !== undefined ? smtpRelay({ url, hostname }) : null
}

/** Wakes our own worker and, where the database is shared, those of the other processes. */
function createWaker(db: Database, worker: Worker) {
  let telling: Promise<unknown> = Promise.resolve()
  let again = false
  let busy = false
  const tell = async () => {
    busy = true
    // A NOTIFY that is lost costs a second: workers also look by themselves.
    await db.query('SELECT pg_notify($1, $2)', [CHANNEL, '']).catch(() => undefined)
    // Under load every stored mail wakes; the others need to hear of it a few times a second.
    await delay(NOTIFY_PAUSE_MS, undefined, { ref: false })
    busy = false
    if (!again) return
    again = false
    await tell()
  }
  return {
    wake() {
      worker.wake()
      if (db.embedded) return
      if (busy) again = true
      else telling = tell()
    },
    settled: () => telling,
  }
}
