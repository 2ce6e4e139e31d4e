import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { openDatabase } from '../../src/platform/database.ts'
import { type EmbeddedHost, startEmbedded } from '../../src/platform/embedded/host.ts'
import { PortStream } from '../../src/platform/embedded/port-stream.ts'
import { createLog } from '../../src/platform/log.ts'
import { built, startChild } from '../world/child.ts'
import { type FreshDatabase, freshDatabase } from '../world/database.ts'

const log = createLog({ level: 'error' })
const onPostgres = inject('template').kind === 'postgres'
const noStrace = !succeeds('strace', ['-V'])

function succeeds(command: string, args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

describe.skipIf(onPostgres)('the embedded database', () => {
  let fresh: FreshDatabase
  let host: EmbeddedHost
  beforeEach(async () => {
    fresh = await freshDatabase()
    host = await startEmbedded(fresh.dataDir, log)
  })
  afterEach(async () => {
    await host.close()
    await fresh.remove()
  })
  const connected = async () => {
    const client = new pg.Client({
      user: 'postgres',
      database: 'postgres',
      ssl: false,
      stream: () => new PortStream(host.dial),
    })
    client.on('error', () => {})
    await client.connect()
    return client
  }

  test('asks the disk once for each commit', async () => {
    const client = await connected()
    await client.query('CREATE TABLE kept (n int)')
    const before = host.syncs()
    for (let n = 0; n < 200; n++) await client.query('INSERT INTO kept VALUES ($1)', [n])
    expect(host.syncs() - before).toBe(200)
    await client.query('SELECT count(*) FROM kept')
    expect(host.syncs() - before).toBe(200)
    await client.end()
  })

  test('a connection that goes in the middle of a transaction leaves nothing to the next', async () => {
    const client = await connected()
    await client.query('CREATE TABLE half (n int)')
    await client.query({ name: 'one', text: 'SELECT 1' })
    await client.query("BEGIN; SET search_path = 'pg_catalog'; INSERT INTO public.half VALUES (1)")
    const stream: unknown = Reflect.get(Reflect.get(client, 'connection'), 'stream')
    if (stream instanceof PortStream) stream.destroy()
    const next = await connected()
    const { rows } = await next.query('SELECT count(*)::int AS n FROM half')
    expect(rows).toEqual([{ n: 0 }])
    expect((await next.query({ name: 'one', text: 'SELECT 2 AS two' })).rows).toEqual([{ two: 2 }])
    await next.end()
  })

  test('keeps the main thread free while a statement runs', async () => {
    const client = await connected()
    let longest = 0
    let last = performance.now()
    const pulse = setInterval(() => {
      longest = Math.max(longest, performance.now() - last)
      last = performance.now()
    }, 5)
    const started = performance.now()
    await client.query('SELECT count(*) FROM generate_series(1, 2000000)')
    const took = performance.now() - started
    clearInterval(pulse)
    expect(longest).toBeLessThan(took / 2)
    await client.end()
  })
})

const WRITE = `
  const { openDatabase } = await import('${built('platform/database.js')}')
  const { createLog } = await import('${built('platform/log.js')}')
  const db = await openDatabase({ dataDir: process.argv[1], log: createLog({ level: 'error' }) })
  await db.query('CREATE TABLE IF NOT EXISTS row (n int PRIMARY KEY)')
  console.log('open')
  const last = Number(process.argv[2])
  for (let n = 0; n < last; n++) {
    await db.query('INSERT INTO row VALUES ($1)', [n])
    console.log(n)
  }
  await db.close()`

describe.skipIf(onPostgres)('a process on the embedded database', () => {
  let fresh: FreshDatabase
  beforeEach(async () => {
    fresh = await freshDatabase()
  })
  afterEach(() => fresh.remove())

  test('loses no acknowledged row when it is killed', async () => {
    const child = startChild(WRITE, [fresh.dataDir, '100000'])
    await child.line()
    let acknowledged = -1
    for (let i = 0; i < 300; i++) acknowledged = Number(await child.line())
    child.process.kill('SIGKILL')
    await child.exited
    const db = await openDatabase({ dataDir: fresh.dataDir, log })
    const [kept] = await db.query<{ n: number }>('SELECT count(*) AS n FROM row')
    expect(kept?.n).toBeGreaterThan(acknowledged)
    await db.close()
  })

  // strace is not everywhere; the counter above stands in for it where it is missing.
  test.skipIf(noStrace)('makes one fsync a commit, as the system sees it', async () => {
    const trace = join(fresh.dataDir, 'trace')
    const commits = 200
    const strace = ['strace', '-f', '-e', 'trace=fsync,fdatasync,write', '-o', trace]
    const child = startChild(WRITE, [fresh.dataDir, String(commits)], strace)
    for (let i = 0; i <= commits; i++) await child.line()
    expect(await child.exited).toBe(0)
    const lines = readFileSync(trace, 'utf8').split('\n')
    const from = lines.findIndex((line) => line.includes('write(1, "0\\n"'))
    const to = lines.findIndex((line) => line.includes(`write(1, "${commits - 1}\\n"`))
    const syncs = lines.slice(from, to).filter((line) => /\b(fsync|fdatasync)\(/.test(line))
    expect(syncs.length).toBe(commits - 1)
  })

  test('answers errors while its log cannot be written, and serves again once it can', async () => {
    const db = await openDatabase({
      dataDir: fresh.dataDir,
      log: createLog({ level: 'silent' }),
    })
    await db.query('CREATE TABLE survivor (n int)')
    await db.query('INSERT INTO survivor VALUES (1)')
    const wal = join(fresh.dataDir, 'db', 'pg_wal')
    renameSync(wal, `${wal}.away`)
    // The open log file is still there to be written; the next one cannot be made.
    await db.query('SELECT pg_switch_wal()').catch(() => {})
    await expect(db.query('INSERT INTO survivor VALUES (2)')).rejects.toThrow()
    await expect(db.query('INSERT INTO survivor VALUES (3)')).rejects.toThrow()
    renameSync(`${wal}.away`, wal)
    await db.query('INSERT INTO survivor VALUES (4)')
    expect(await db.query('SELECT n FROM survivor ORDER BY n')).toEqual([{ n: 1 }, { n: 4 }])
    await db.close()
  })

  test('ends within two seconds of being told to', async () => {
    const db = await openDatabase({ dataDir: fresh.dataDir, log })
    await db.query(
      'CREATE TABLE filler AS SELECT n, repeat(md5(n::text), 30) FROM generate_series(1, 5000) n',
    )
    const started = performance.now()
    await db.close()
    expect(performance.now() - started).toBeLessThan(2_000)
  })
})

describe.skipIf(onPostgres)('a first start', () => {
  let parent: string
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'postroom-'))
  })
  afterEach(() => rmSync(parent, { recursive: true }))

  test('that was cut short begins anew', async () => {
    const script = `
      const { openDatabase } = await import('${built('platform/database.js')}')
      const { createLog } = await import('${built('platform/log.js')}')
      const { existsSync } = await import('node:fs')
      const poll = setInterval(() => {
        if (existsSync(process.argv[1] + '/db/PG_VERSION')) process.kill(process.pid, 'SIGKILL')
      }, 1)
      await openDatabase({ dataDir: process.argv[1], log: createLog({ level: 'error' }) })`
    const dataDir = join(parent, 'data')
    const child = startChild(script, [dataDir])
    expect(await child.exited).toBeNull()
    const db = await openDatabase({ dataDir, log })
    expect(await db.query('SELECT 1 AS x')).toEqual([{ x: 1 }])
    await db.close()
  })

  test('in a folder that cannot be made names the setting and the folder', async () => {
    writeFileSync(join(parent, 'file'), '')
    const dataDir = join(parent, 'file', 'data')
    await expect(openDatabase({ dataDir, log })).rejects.toMatchObject({
      name: 'StartError',
      message: expect.stringMatching(new RegExp(`POSTROOM_DATA.*${dataDir}.*write access`)),
    })
  })
})
