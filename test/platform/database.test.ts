import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { type Database, openDatabase } from '../../src/platform/database.ts'
import { createLog } from '../../src/platform/log.ts'
import { emptyDatabase, type FreshDatabase, freshDatabase } from '../world/database.ts'

const log = createLog({ level: 'error' })
const onPostgres = inject('template').kind === 'postgres'

describe('an open database', () => {
  let fresh: FreshDatabase
  let db: Database
  beforeAll(async () => {
    fresh = await emptyDatabase()
    db = await openDatabase({ ...fresh, log })
    await db.query(
      `CREATE TABLE organizations (id text PRIMARY KEY, name text, slug text, created_at timestamptz,
         dmarc_policy text DEFAULT 'store', reply_secret text DEFAULT 'secret',
         canary_words text[] DEFAULT '{}', send_caps text)`,
    )
    await db.query('CREATE TABLE note (id text PRIMARY KEY, body jsonb, words text[])')
  })
  afterAll(async () => {
    await db.close()
    await fresh.remove()
  })
  const one = async (sql: string, values: unknown[] = []) => (await db.query(sql, values))[0]

  test('gives counts as numbers, times as dates, JSON parsed', async () => {
    const at = new Date('2026-03-01T12:00:00.123Z')
    const row = await one('SELECT count(*) AS n, $1::timestamptz AS at, $2::jsonb AS body', [
      at,
      { a: [1, { b: null }] },
    ])
    expect(row).toEqual({ n: 1, at, body: { a: [1, { b: null }] } })
  })

  test('gives an int8 that no number holds exactly as a bigint', async () => {
    expect(await one('SELECT 9007199254740993::int8 AS n')).toEqual({ n: 9007199254740993n })
  })

  test('runs a named statement again with other values', async () => {
    for (const n of [1, 2, 3]) {
      const rows = await db.query('SELECT $1::int * 2 AS twice', [n], 'twice')
      expect(rows).toEqual([{ twice: n * 2 }])
    }
  })

  test('runs several statements without parameters in one go', async () => {
    await db.query("INSERT INTO note VALUES ('m1', '1'); INSERT INTO note VALUES ('m2', '2')")
    expect(await one("SELECT count(*) AS n FROM note WHERE id LIKE 'm_'")).toEqual({ n: 2 })
  })

  test('keeps none of several statements when one fails', async () => {
    const sql = "INSERT INTO note VALUES ('x1', '1'); INSERT INTO note VALUES ('x1', '2')"
    await expect(db.query(sql)).rejects.toMatchObject({ code: '23505', table: 'note' })
    expect(await one("SELECT count(*) AS n FROM note WHERE id = 'x1'")).toEqual({ n: 0 })
  })

  test('stores U+0000 as U+FFFD in text, JSON, JSON text and lists', async () => {
    await db.query('INSERT INTO note VALUES ($1, $2, $3)', ['a\0b', { 'k\0': ['v\0'] }, ['w\0']])
    await db.query('INSERT INTO note VALUES ($1, $2)', ['json', '{"k":"\\u0000 and \\\\u0000"}'])
    expect(await one('SELECT * FROM note WHERE id = $1', ['a\uFFFDb'])).toEqual({
      id: 'a\uFFFDb',
      body: { 'k\uFFFD': ['v\uFFFD'] },
      words: ['w\uFFFD'],
    })
    expect(await one("SELECT body FROM note WHERE id = 'json'")).toEqual({
      body: { k: '\uFFFD and \\u0000' },
    })
  })

  test('stores U+0000 as U+FFFD through Prisma too', async () => {
    const created_at = new Date('2026-01-01T00:00:00Z')
    const data = { id: 'org_1', name: 'n\0', slug: 'nul', created_at }
    await db.prisma.organizations.create({ data })
    expect(await one("SELECT name, created_at FROM organizations WHERE id = 'org_1'")).toEqual({
      name: 'n\uFFFD',
      created_at,
    })
  })

  test('tells a unique violation through Prisma as P2002', async () => {
    const data = { id: 'org_2', name: 'n', slug: 'twice', created_at: new Date() }
    await db.prisma.organizations.create({ data })
    await expect(db.prisma.organizations.create({ data })).rejects.toMatchObject({ code: 'P2002' })
  })

  test('rolls a failed Prisma transaction back', async () => {
    const data = { id: 'org_3', name: 'n', slug: 'rolled', created_at: new Date() }
    const failing = db.prisma.$transaction(async (tx) => {
      await tx.organizations.create({ data })
      throw new Error('changed my mind')
    })
    await expect(failing).rejects.toThrow('changed my mind')
    expect(await db.prisma.organizations.findFirst({ where: { slug: 'rolled' } })).toBeNull()
  })

  test('serves sixty transactions at once', async () => {
    const numbers = Array.from({ length: 60 }, (_, i) => i)
    await Promise.all(
      numbers.map((i) =>
        db.prisma.$transaction(async (tx) => {
          const data = { id: `many_${i}`, name: 'n', slug: `many-${i}`, created_at: new Date() }
          await tx.organizations.create({ data })
          await tx.organizations.update({ where: { id: data.id }, data: { name: `n${i}` } })
        }),
      ),
    )
    expect(await db.prisma.organizations.count({ where: { id: { startsWith: 'many_' } } })).toBe(60)
  })

  test('starts a clean session after a broken one', async () => {
    const breaking = db.query('SELECT pg_terminate_backend(pg_backend_pid())')
    await breaking.catch(() => {})
    expect(await one('SELECT 1 AS x')).toEqual({ x: 1 })
  })

  test.skipIf(onPostgres)('answers urgent work before what has been waiting', async () => {
    const finished: string[] = []
    const background = Array.from({ length: 20 }, () =>
      db.query('SELECT pg_sleep(0.02)').then(() => finished.push('background')),
    )
    const urgent = db.urgent('SELECT 1').then(() => finished.push('urgent'))
    await db.quiet()
    await Promise.all([...background, urgent])
    expect(finished.indexOf('urgent')).toBeLessThan(10)
  })

  test('carries an answer of several megabytes', async () => {
    const [row] = await db.query<{ s: string }>("SELECT repeat('ä', 2000000) AS s")
    expect(row?.s.length).toBe(2_000_000)
  })

  test('has vectors', async () => {
    await db.query('CREATE EXTENSION IF NOT EXISTS vector')
    const row = await one("SELECT '[1,0]'::vector <=> '[0,1]'::vector AS distance")
    expect(row).toEqual({ distance: 1 })
  })
})

test('a copy of the template is migrated, and closing and opening keeps what was stored', async () => {
  const fresh = await freshDatabase()
  let db = await openDatabase({ ...fresh, log })
  const data = { id: 'org_1', name: 'Kept', slug: 'kept', created_at: new Date() }
  await db.prisma.organizations.create({ data })
  await db.close()
  await db.close()
  db = await openDatabase({ ...fresh, log })
  expect(await db.prisma.organizations.findMany()).toMatchObject([data])
  await db.close()
  expect(readdirSync(fresh.dataDir)).toEqual(db.embedded ? ['db'] : [])
  await fresh.remove()
})
