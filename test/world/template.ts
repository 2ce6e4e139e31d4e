/** Made once a run: a migrated database that each test gets its own copy of. */
import { createHash } from 'node:crypto'
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { openDatabase } from '../../src/platform/database.ts'
import { createLog } from '../../src/platform/log.ts'
import { migrate } from '../../src/platform/migrate.ts'

export type Template =
  | { kind: 'embedded'; migrated: string; empty: string }
  | { kind: 'postgres'; server: string; database: string }

declare module 'vitest' {
  interface ProvidedContext {
    template: Template
  }
}

const HOUR_MS = 3_600_000
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const migrations = join(root, 'prisma', 'migrations')
const cache = join(root, 'node_modules', '.cache')
const log = createLog({ level: 'warn' })

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = process.env.TEST_DATABASE_URL
  const template = server ? await postgresTemplate(server) : await embeddedTemplate()
  project.provide('template', template)
  return async () => {
    if (template.kind === 'postgres') await drop(template.server, template.database)
  }
}

/** Kept between runs under a name made of what went into it. */
async function embeddedTemplate(): Promise<Template> {
  const folder = join(cache, `postroom-template-${ingredients()}`)
  if (!existsSync(folder)) {
    await mkdir(cache, { recursive: true })
    await forgetOld()
    const making = await mkdtemp(join(cache, 'postroom-making-'))
    const dataDir = join(making, 'migrated')
    await (await openDatabase({ dataDir, log })).close()
    cpSync(dataDir, join(making, 'empty'), { recursive: true })
    await fill({ dataDir })
    // Another run may have made the same one meanwhile.
    await rename(making, folder).catch(() => rm(making, { recursive: true }))
  }
  return { kind: 'embedded', migrated: join(folder, 'migrated'), empty: join(folder, 'empty') }
}

async function postgresTemplate(server: string): Promise<Template> {
  const database = `postroom_template_${process.pid}`
  await drop(server, database)
  await onServer(server, `CREATE DATABASE ${database}`)
  await fill({ dataDir: cache, url: databaseUrl(server, database) })
  return { kind: 'postgres', server, database }
}

async function fill(where: { dataDir: string; url?: string }): Promise<void> {
  const db = await openDatabase({ ...where, log })
  try {
    await migrate(db, migrations, log)
  } finally {
    await db.close()
  }
}

function ingredients(): string {
  const hash = createHash('sha256')
  hash.update(readFileSync(join(root, 'node_modules/@electric-sql/pglite/package.json')))
  hash.update(readFileSync(join(root, 'src/platform/embedded/worker.js')))
  hash.update(readFileSync(fileURLToPath(import.meta.url)))
  for (const name of readdirSync(migrations).sort()) {
    const file = join(migrations, name, 'migration.sql')
    if (existsSync(file)) hash.update(`${name}\0`).update(readFileSync(file))
  }
  return hash.digest('hex').slice(0, 16)
}

async function forgetOld(): Promise<void> {
  const names = (await readdir(cache)).filter((name) => /^postroom-(template|making)-/.test(name))
  for (const path of names.map((name) => join(cache, name))) {
    const { mtimeMs } = await stat(path)
    if (Date.now() - mtimeMs > HOUR_MS) await rm(path, { recursive: true, force: true })
  }
}

export function databaseUrl(server: string, database: string): string {
  const url = new URL(server)
  url.pathname = `/${database}`
  return url.href
}

export function drop(server: string, database: string): Promise<void> {
  return onServer(server, `DROP DATABASE IF EXISTS ${database} WITH (FORCE)`)
}

export async function onServer(server: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
