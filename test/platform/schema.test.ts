import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Database, openDatabase } from '../../src/platform/database.ts'
import { createLog } from '../../src/platform/log.ts'
import { type FreshDatabase, freshDatabase } from '../world/database.ts'

let fresh: FreshDatabase
let db: Database

beforeAll(async () => {
  fresh = await freshDatabase()
  db = await openDatabase({ ...fresh, log: createLog({ level: 'silent' }) })
})
afterAll(async () => {
  await db.close()
  await fresh.remove()
})

/** How PostgreSQL names the column types of Prisma's. */
const TYPES: Record<string, string> = {
  String: 'text',
  Int: 'integer',
  BigInt: 'bigint',
  Float: 'double precision',
  Boolean: 'boolean',
  Json: 'jsonb',
  DateTime: 'timestamp(3) with time zone',
  'Unsupported("xid8")': 'xid8',
  'Unsupported("tsvector")': 'tsvector',
}

/** Tables whose keys do not begin with org_id, and why. */
const EXCEPTIONS: Record<string, string> = {
  organizations: 'its id is the organization',
  directory_address: 'leads from an address to an organization',
  directory_key: 'leads from a key to an organization',
  directory_user: 'leads from a person to an organization',
  directory_domain: 'leads from a domain to an organization',
  jobs: 'claimed across organizations',
  cursors: 'how far a reader of all events has come',
  schema_migrations: 'about the database itself',
}

interface Model {
  columns: string[]
  key: string[]
}

/** The models of schema.prisma: a line a column, as PostgreSQL would describe it, and the primary key. */
function modelsOfPrisma(): Record<string, Model> {
  const source = readFileSync('prisma/schema.prisma', 'utf8')
  const models = [...source.matchAll(/^model (\w+) \{\n([\s\S]*?\n)\}/gm)]
  return Object.fromEntries(models.map(([, name = '', body = '']) => [name, modelOf(body)]))
}

function modelOf(body: string): Model {
  const fields = [...body.matchAll(/^ {2}(\w+)\s+(Unsupported\("\w+"\)|\w+)(\[\]|\?)?(.*)$/gm)]
  const columns = fields.map(([, name, type = '', mark]) => {
    const list = mark === '[]' ? '[]' : ''
    return `${name} ${TYPES[type]}${list}${mark === '?' ? '' : ' not null'}`
  })
  const own = fields
    .filter(([, , , , rest = '']) => /@id\b/.test(rest))
    .map(([, name = '']) => name)
  const shared = /@@id\(\[([^\]]+)\]\)/.exec(body)?.[1]?.split(', ')
  return { columns: columns.sort(), key: shared ?? own }
}

async function modelsOfDatabase(): Promise<Record<string, Model>> {
  const columns = await db.query<{ table: string; column: string }>(
    `SELECT c.relname AS table, a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
       || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END AS column
     FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
     WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped`,
  )
  const keys = await uniqueKeys('i.indisprimary')
  const models: Record<string, Model> = {}
  for (const { table, column } of columns) {
    models[table] ??= { columns: [], key: keys.find((key) => key.table === table)?.columns ?? [] }
    models[table].columns.push(column)
  }
  for (const model of Object.values(models)) model.columns.sort()
  return models
}

function uniqueKeys(which: string) {
  return db.query<{ table: string; columns: string[] }>(
    `SELECT c.relname AS table, array_agg(a.attname::text ORDER BY k.place) AS columns
     FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid,
       LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (column_number, place)
     JOIN pg_attribute a ON a.attnum = k.column_number
     WHERE a.attrelid = c.oid AND ${which} AND c.relnamespace = 'public'::regnamespace
     GROUP BY i.indexrelid, c.relname`,
  )
}

test('schema.prisma and the migrated database agree, column by column', async () => {
  const { schema_migrations: ours, ...tables } = await modelsOfDatabase()
  expect(ours).toBeDefined()
  expect(modelsOfPrisma()).toEqual(tables)
})

test('every unique key begins with org_id, so that tenants stay apart', async () => {
  const keys = await uniqueKeys('i.indisunique')
  const astray = keys.filter(({ table, columns }) => columns[0] !== 'org_id' && !EXCEPTIONS[table])
  expect(keys.length).toBeGreaterThan(15)
  expect(astray).toEqual([])
})
