import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { type Database, openDatabase } from '../../src/platform/database.ts'
import { createLog } from '../../src/platform/log.ts'
import { checkMigrations, migrate } from '../../src/platform/migrate.ts'
import { emptyDatabase, type FreshDatabase } from '../world/database.ts'

const log = createLog({ level: 'error' })
const FIRST = '20260101000000_first'
const SECOND = '20260102000000_second'
const FUNCTIONS = `
  -- A ; in a comment, a quote ' too.
  CREATE TABLE pair (a int PRIMARY KEY, b text DEFAULT 'x;y');
  CREATE FUNCTION add_pair(n int) RETURNS int LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO pair (a) VALUES (n);
    RETURN n;
  END;
  $$;
  SELECT add_pair(1);`

let fresh: FreshDatabase
let db: Database
let folder: string
beforeEach(async () => {
  fresh = await emptyDatabase()
  folder = mkdtempSync(join(tmpdir(), 'postroom-migrations-'))
  db = await openDatabase({ ...fresh, log })
})
afterEach(async () => {
  await db.close()
  await fresh.remove()
  rmSync(folder, { recursive: true })
})

function write(name: string, sql: string): void {
  mkdirSync(join(folder, name), { recursive: true })
  writeFileSync(join(folder, name, 'migration.sql'), sql)
}
const recorded = async () => {
  const sql = 'SELECT name FROM schema_migrations ORDER BY name'
  return (await db.query<{ name: string }>(sql)).map(({ name }) => name)
}

test('migrations with functions are applied in order, once, and recorded', async () => {
  write(SECOND, 'INSERT INTO pair VALUES (add_pair(2) + 1)')
  write(FIRST, FUNCTIONS)
  await expect(checkMigrations(db, folder)).rejects.toThrow(`lacks migration ${FIRST}`)
  await migrate(db, folder, log)
  await migrate(db, folder, log)
  await checkMigrations(db, folder)
  expect(await recorded()).toEqual([FIRST, SECOND])
  expect(await db.query('SELECT a FROM pair ORDER BY a')).toEqual([{ a: 1 }, { a: 2 }, { a: 3 }])
})

test('a migration that fails leaves nothing behind and is named', async () => {
  write(FIRST, `${FUNCTIONS}; CREATE TABLE other (x nonsense)`)
  await expect(migrate(db, folder, log)).rejects.toMatchObject({
    name: 'StartError',
    message: expect.stringMatching(`Migration ${FIRST} failed: type "nonsense" does not exist`),
  })
  expect(await recorded()).toEqual([])
  expect(await db.query("SELECT to_regclass('pair') AS t")).toEqual([{ t: null }])
  write(FIRST, FUNCTIONS)
  await migrate(db, folder, log)
  expect(await recorded()).toEqual([FIRST])
})

test('a changed migration stops the start and is named', async () => {
  write(FIRST, FUNCTIONS)
  await migrate(db, folder, log)
  write(FIRST, `${FUNCTIONS} -- changed`)
  const changed = { name: 'StartError', message: expect.stringMatching(`${FIRST} was changed`) }
  await expect(migrate(db, folder, log)).rejects.toMatchObject(changed)
  await expect(checkMigrations(db, folder)).rejects.toMatchObject(changed)
})

test('other line ends are the same migration', async () => {
  write(FIRST, FUNCTIONS)
  await migrate(db, folder, log)
  write(FIRST, FUNCTIONS.replaceAll('\n', '\r\n'))
  await checkMigrations(db, folder)
})

test('a migration whose file is gone stops the start and is named', async () => {
  write(FIRST, FUNCTIONS)
  await migrate(db, folder, log)
  rmSync(join(folder, FIRST), { recursive: true })
  write(SECOND, 'SELECT 1')
  await expect(migrate(db, folder, log)).rejects.toMatchObject({
    name: 'StartError',
    message: expect.stringMatching(`${FIRST} was applied .* no such file`),
  })
  expect(await recorded()).toEqual([FIRST])
})

test.skipIf(inject('template').kind === 'embedded')(
  'processes that start together apply each migration once',
  async () => {
    write(FIRST, `${FUNCTIONS}; SELECT pg_sleep(0.2)`)
    write(SECOND, 'INSERT INTO pair VALUES (7)')
    const others = await Promise.all(
      [1, 2, 3].map(() => openDatabase({ ...fresh, log, adopt: true })),
    )
    await Promise.all(others.map((other) => migrate(other, folder, log)))
    for (const other of others) await other.close()
    expect(await recorded()).toEqual([FIRST, SECOND])
  },
)
