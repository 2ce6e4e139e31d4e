/** Brings a database to the shape this version needs: SQL files, each applied once, in order. */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import type { Database } from './database.ts'
import type { Log } from './log.ts'
import { StartError } from './start-error.ts'

interface Migration {
  name: string
  checksum: string
  sql: string
}

type Applied = Omit<Migration, 'sql'>

/** Of ours alone on a PostgreSQL server: processes that start together migrate one at a time. */
const ADVISORY_LOCK = 5_077_211_904
const UNIQUE_VIOLATION = '23505'

const TABLE = `CREATE TABLE IF NOT EXISTS schema_migrations (
  name text COLLATE "C" PRIMARY KEY,
  checksum text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now())`

/** Applies what is missing; a StartError names a migration that was changed, removed or fails. */
export async function migrate(db: Pick<Database, 'query'>, folder: string, log: Log) {
  const migrations = await readMigrations(folder)
  await db.query(locked(TABLE))
  const applied = await readApplied(db)
  refuseDrift(migrations, applied)
  const known = new Set(applied.map(({ name }) => name))
  for (const migration of migrations) {
    if (!known.has(migration.name)) await apply(db, migration, log)
  }
}

/** A StartError where the database is not exactly at this version's migrations; changes nothing. */
export async function checkMigrations(db: Pick<Database, 'query'>, folder: string): Promise<void> {
  const migrations = await readMigrations(folder)
  const [table] = await db.query<{ there: boolean }>(
    "SELECT to_regclass('schema_migrations') IS NOT NULL AS there",
  )
  const applied = table?.there ? await readApplied(db) : []
  refuseDrift(migrations, applied)
  const pending = migrations.find(({ name }) => !applied.some((one) => one.name === name))
  if (pending) {
    throw new StartError(
      `The database lacks migration ${pending.name}. Start the server once (npm start): ` +
        'it brings the database up to date.',
    )
  }
}

/**
 * Several statements in one message are one transaction (PostgreSQL protocol, "Multiple Statements
 * in a Simple Query"), so a migration and its record are kept together or not at all.
 */
function locked(sql: string): string {
  return `SELECT pg_advisory_xact_lock(${ADVISORY_LOCK});\n${sql}`
}

async function apply(db: Pick<Database, 'query'>, migration: Migration, log: Log): Promise<void> {
  const started = performance.now()
  const row = [migration.name, migration.checksum].map((value) => pg.escapeLiteral(value))
  const record = `INSERT INTO schema_migrations (name, checksum) VALUES (${row.join(', ')})`
  try {
    await db.query(locked(`${record};\n${migration.sql}`))
    const ms = Math.round(performance.now() - started)
    log.info({ migration: migration.name, ms }, 'migration applied')
  } catch (error) {
    // Another process applied it while this one waited for the lock.
    if (isRecorded(error)) return
    const reason = error instanceof Error ? error.message : String(error)
    throw new StartError(
      `Migration ${migration.name} failed: ${reason}. Nothing of it was kept. ` +
        'Mend what the message names in the database and start again.',
      { cause: error },
    )
  }
}

function isRecorded(error: unknown): boolean {
  return (
    error instanceof pg.DatabaseError &&
    error.code === UNIQUE_VIOLATION &&
    error.table === 'schema_migrations'
  )
}

function readApplied(db: Pick<Database, 'query'>): Promise<Applied[]> {
  return db.query<Applied>('SELECT name, checksum FROM schema_migrations ORDER BY name')
}

async function readMigrations(folder: string): Promise<Migration[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  return Promise.all(
    names.sort().map(async (name) => {
      const file = await readFile(join(folder, name, 'migration.sql'), 'utf8')
      // A checkout on Windows may have other line ends; it is the same migration.
      const sql = file.replaceAll('\r\n', '\n')
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
    }),
  )
}

function refuseDrift(migrations: Migration[], applied: Applied[]): void {
  for (const { name, checksum } of applied) {
    const file = migrations.find((migration) => migration.name === name)
    if (!file) {
      throw new StartError(
        `Migration ${name} was applied to this database, but this version has no such file. ` +
          'Install the version of Postroom that made it (or a later one), or restore ' +
          `prisma/migrations/${name}/migration.sql.`,
      )
    }
    if (file.checksum !== checksum) {
      throw new StartError(
        `Migration ${name} was changed after it was applied to this database. ` +
          `Restore prisma/migrations/${name}/migration.sql as it was, ` +
          'and put the change into a new migration.',
      )
    }
  }
}
