/** A database of its own for a test: a copy of the migrated template. */
import { randomBytes } from 'node:crypto'
import { constants, cpSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject } from 'vitest'
import { databaseUrl, drop, onServer } from './template.ts'

export interface FreshDatabase {
  /** Set where the tests run on PostgreSQL. */
  url?: string
  dataDir: string
  remove(): Promise<void>
}

/** Migrated and empty: `openDatabase({ ...fresh, log })`; `remove` after it is closed. */
export async function freshDatabase(): Promise<FreshDatabase> {
  const template = inject('template')
  if (template.kind === 'postgres') {
    return onPostgres(template.server, `TEMPLATE ${template.database}`)
  }
  return copyOf(template.migrated)
}

/** With no tables at all, for tests that migrate themselves. */
export async function emptyDatabase(): Promise<FreshDatabase> {
  const template = inject('template')
  return template.kind === 'postgres' ? onPostgres(template.server, '') : copyOf(template.empty)
}

async function copyOf(source: string): Promise<FreshDatabase> {
  const folder = await emptyFolder()
  copyInto(folder.dataDir, source)
  return folder
}

/** Puts the embedded database into a data folder as a first start finds it after its migrations. */
export function migratedInto(dataDir: string): void {
  const template = inject('template')
  if (template.kind === 'embedded') copyInto(dataDir, template.migrated)
}

/** Measured on 997 files, 40 MB: 0.17 s; the asynchronous copy takes 0.9 s. */
function copyInto(dataDir: string, source: string): void {
  const mode = constants.COPYFILE_FICLONE
  cpSync(join(source, 'db'), join(dataDir, 'db'), { recursive: true, mode })
}

async function emptyFolder(): Promise<FreshDatabase> {
  const dataDir = await mkdtemp(join(tmpdir(), 'postroom-'))
  return { dataDir, remove: () => rm(dataDir, { recursive: true, force: true }) }
}

async function onPostgres(server: string, from: string): Promise<FreshDatabase> {
  const folder = await emptyFolder()
  const database = `postroom_test_${randomBytes(8).toString('hex')}`
  await onServer(server, `CREATE DATABASE ${database} ${from}`)
  return {
    url: databaseUrl(server, database),
    dataDir: folder.dataDir,
    async remove() {
      await drop(server, database)
      await folder.remove()
    },
  }
}
