/** The database, one of two ways: PostgreSQL by URL, or the embedded one in the data folder. */
import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { PrismaClient } from '../generated/prisma/client.ts'
import { startEmbedded } from './embedded/host.ts'
import { PortStream } from './embedded/port-stream.ts'
import type { Log } from './log.ts'
import { CleanClient, OrderedPool } from './pool.ts'
import { checkPostgres, checkUrl } from './postgres.ts'
import { type Query, run } from './query.ts'
import { StartError } from './start-error.ts'
import { createTurnstile } from './turnstile.ts'

export interface DatabaseOptions {
  /** Set: a PostgreSQL server with pgvector. Unset: the embedded database in `dataDir`/db. */
  url?: string | undefined
  dataDir: string
  /** Accept a PostgreSQL database that holds tables of somebody else and none of ours. */
  adopt?: boolean
  log: Log
  /** How long storing mail waits for PostgreSQL's answer to one statement. */
  urgentPatienceMs?: number
}

export interface Database {
  prisma: PrismaClient
  embedded: boolean
  /**
   * One statement, parameters as in node-postgres; `name` makes it a prepared statement.
   * int8 comes as a number where that is exact and as a bigint beyond, timestamptz as a Date,
   * jsonb parsed; U+0000 in a parameter is stored as U+FFFD.
   */
  query: Query
  /** The same, ahead of background work: storing mail. */
  urgent: Query
  /** Background work calls this before each statement: waits, not for ever, while mail is stored. */
  quiet(): Promise<void>
  close(): Promise<void>
}

const TRANSACTIONS = { maxWait: 30_000, timeout: 10_000 }
const CONNECTION_TIMEOUT_MS = 5_000
const POSTGRES_CONNECTIONS = 10
/** Storing mail waits behind nobody's search, and finds its plans where it left them: the one that was used last is taken. */
const URGENT_CONNECTIONS = 2
/**
 * A server whose machine is gone says nothing any more, and the system keeps such a connection for a quarter of an hour.
 * Storing a batch takes milliseconds, and a sender who is told to come again is recognised; the other statements that
 * have a name are short too. Those without, migrations among them, may take their time.
 */
const URGENT_PATIENCE_MS = 15_000
const NAMED_PATIENCE_MS = 60_000
const KEEP_ALIVE = { keepAlive: true, keepAliveInitialDelayMillis: 30_000 }

/** Opens the database; what stands in the way is a StartError that says how to mend it. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  return options.url === undefined
    ? openEmbedded(options.dataDir, options.log)
    : openPostgres({ ...options, url: options.url })
}

async function openEmbedded(dataDir: string, log: Log): Promise<Database> {
  const host = await startEmbedded(dataDir, log)
  const turnstile = createTurnstile()
  const pool = new OrderedPool(
    {
      user: 'postgres',
      database: 'postgres',
      ssl: false,
      max: 1,
      idleTimeoutMillis: 0,
      stream: () => new PortStream(host.dial),
    },
    turnstile,
  )
  const database: Database = {
    prisma: prismaOn(pool, log),
    embedded: true,
    query: (text, values, name) => run(pool.take(false), text, values, name),
    urgent: (text, values, name) => run(pool.take(true), text, values, name),
    quiet: turnstile.quiet,
    close: closer(async () => {
      await database.prisma.$disconnect()
      await pool.end()
      await host.close()
    }),
  }
  try {
    await proveSync(database, host.syncs)
    return database
  } catch (error) {
    await database.close()
    throw error
  }
}

/** As shipped PGlite never syncs; a start that cannot prove its own syncs would lose mail. */
async function proveSync(database: Database, syncs: () => number): Promise<void> {
  const before = syncs()
  await database.query('SELECT pg_current_xact_id()')
  await database.query("SELECT pg_logical_emit_message(true, 'postroom', 'start')")
  if (syncs() > before) return
  throw new StartError(
    'The embedded database does not sync its log to disk, so mail could be lost. ' +
      'Install the exact version of @electric-sql/pglite that package-lock.json names (npm ci).',
  )
}

async function openPostgres({
  url,
  adopt = false,
  log,
  urgentPatienceMs = URGENT_PATIENCE_MS,
}: DatabaseOptions & { url: string }): Promise<Database> {
  checkUrl(url)
  const poolOf = (max: number) =>
    new pg.Pool({
      connectionString: url,
      max,
      connectionTimeoutMillis: CONNECTION_TIMEOUT_MS,
      // Prisma reads timestamps as if the session's time zone were UTC.
      options: '-c TimeZone=UTC',
      ...KEEP_ALIVE,
      Client: CleanClient,
    })
  const [pool, urgentPool] = [poolOf(POSTGRES_CONNECTIONS), poolOf(URGENT_CONNECTIONS)]
  urgentPool.on('error', lost(log))
  const query: Query = (text, values, name) =>
    run(pool.connect(), text, values, name, name ? NAMED_PATIENCE_MS : undefined)
  try {
    await checkPostgres({ query, url, adopt })
  } catch (error) {
    await pool.end()
    throw error
  }
  const prisma = prismaOn(pool, log)
  return {
    prisma,
    embedded: false,
    query,
    urgent: (text, values, name) => run(urgentPool.connect(), text, values, name, urgentPatienceMs),
    quiet: () => Promise.resolve(),
    close: closer(async () => {
      await prisma.$disconnect()
      await Promise.all([pool.end(), urgentPool.end()])
    }),
  }
}

function prismaOn(pool: pg.Pool, log: Log): PrismaClient {
  pool.on('error', lost(log))
  return new PrismaClient({ adapter: new PrismaPg(pool), transactionOptions: TRANSACTIONS })
}

/** A connection that breaks while it lies idle is replaced on the next use. */
const lost = (log: Log) => (error: Error) =>
  log.warn({ reason: error.message }, 'database connection lost')

/** Closing twice is closing once. */
function closer(close: () => Promise<void>): () => Promise<void> {
  let closing: Promise<void> | undefined
  return () => {
    closing ??= close()
    return closing
  }
}
