import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { describe, expect, inject, test } from 'vitest'
import { openDatabase } from '../../src/platform/database.ts'
import { createLog } from '../../src/platform/log.ts'
import { migrate } from '../../src/platform/migrate.ts'
import { type Facts, refuse } from '../../src/platform/postgres.ts'
import { emptyDatabase } from '../world/database.ts'
import { unusedPort } from '../world/port.ts'

const log = createLog({ level: 'error' })
const open = (url: string, adopt = false) => openDatabase({ url, dataDir: '/nowhere', adopt, log })
const refusal = (message: RegExp) => ({
  name: 'StartError',
  message: expect.stringMatching(message),
})
const good: Facts = {
  version: 150_004,
  name: '15.4',
  database: 'mail',
  vector: true,
  ours: false,
  tables: [],
}

test('an empty database of PostgreSQL 15 with pgvector will do', () => {
  expect(refuse(good, false)).toBeUndefined()
})

test('a server before 15 is refused with its version', () => {
  expect(refuse({ ...good, version: 140_010, name: '14.10' }, false)).toMatch(
    /^DATABASE_URL: .*PostgreSQL 14\.10; 15 or later/,
  )
})

test('a server without pgvector is refused with the way to install it', () => {
  expect(refuse({ ...good, vector: false }, false)).toMatch(/no pgvector.*postgresql-15-pgvector/)
})

test('a server that does not answer is refused without its password', async () => {
  const port = await unusedPort()
  const opening = open(`postgresql://mail:s3cret@127.0.0.1:${port}/box`)
  await expect(opening).rejects.toMatchObject(
    refusal(new RegExp(`^DATABASE_URL: PostgreSQL at 127\\.0\\.0\\.1:${port}/box .*ECONNREFUSED`)),
  )
  await expect(opening).rejects.not.toThrow('s3cret')
})

test.each(['mysql://mail:s3cret@db/box', 'postgresql://mail:s3/cret@db/box', 'box'])(
  '%s is refused as no URL of PostgreSQL, and not repeated',
  async (url) => {
    const opening = open(url)
    await expect(opening).rejects.toMatchObject(refusal(/^DATABASE_URL.*postgresql:\/\/user/))
    await expect(opening).rejects.not.toThrow('cret')
  },
)

describe.skipIf(inject('template').kind === 'embedded')('a PostgreSQL database', () => {
  test('with tables of somebody else is refused until it is adopted', async () => {
    const { url = '', remove } = await emptyDatabase()
    const theirs = await open(url)
    await theirs.query('CREATE TABLE orders (id int); CREATE TABLE customers (id int)')
    await theirs.close()
    await expect(open(url)).rejects.toMatchObject(
      refusal(/^DATABASE_URL.*tables \(customers, orders\).*POSTROOM_ADOPT_DATABASE=true/),
    )
    const adopted = await open(url, true)
    await migrate(adopted, 'prisma/migrations', log)
    await adopted.close()
    await (await open(url)).close()
    await remove()
  })

  test('whose schema_migrations belongs to another product is refused too', async () => {
    const { url = '', remove } = await emptyDatabase()
    const rails = await open(url)
    await rails.query('CREATE TABLE schema_migrations (version text PRIMARY KEY)')
    await rails.close()
    for (const adopt of [false, true]) {
      const opening = open(url, adopt)
      await expect(opening).rejects.toMatchObject(refusal(/schema_migrations.*empty database/))
    }
    await remove()
  })

  test('that is gone is refused by its name', async () => {
    const { url = '', remove } = await emptyDatabase()
    await remove()
    const name = new URL(url).pathname.slice(1)
    await expect(open(url)).rejects.toMatchObject(refusal(new RegExp(`"${name}" does not exist`)))
  })

  test('keeps UTC for its sessions whatever its own time zone', async () => {
    const { url = '', remove } = await emptyDatabase()
    const db = await open(url)
    const name = new URL(url).pathname.slice(1)
    await db.query(`ALTER DATABASE ${name} SET TimeZone = 'Asia/Tokyo'`)
    await db.close()
    const again = await open(url)
    expect(await again.query('SHOW TimeZone')).toEqual([{ TimeZone: 'UTC' }])
    await again.close()
    await remove()
  })

  test('that goes without a word is given up, and asked again over another connection', async () => {
    const { url = '', remove } = await emptyDatabase()
    const server = new URL(url)
    const { hostname, port } = server
    const connections: Socket[] = []
    let isDead = false
    const between = createServer((client) => {
      const onwards = connect(Number(port), hostname)
      // What has been connected by the time it dies takes every byte and answers none.
      const dies = !isDead
      client.on('data', (bytes) => (isDead && dies ? undefined : onwards.write(bytes)))
      onwards.on('data', (bytes) => (isDead && dies ? undefined : client.write(bytes)))
      for (const end of [client, onwards]) end.on('error', () => undefined)
      connections.push(client, onwards)
    }).listen(0, '127.0.0.1')
    await once(between, 'listening')
    server.port = String((between.address() as AddressInfo).port)
    server.hostname = '127.0.0.1'
    const db = await openDatabase({
      url: server.href,
      dataDir: '/nowhere',
      log,
      urgentPatienceMs: 300,
    })
    expect(await db.urgent('SELECT 1 AS n')).toEqual([{ n: 1 }])
    isDead = true
    await expect(db.urgent('SELECT 2 AS n')).rejects.toThrow('timeout')
    expect(await db.urgent('SELECT 3 AS n')).toEqual([{ n: 3 }])
    for (const end of connections) end.destroy()
    await db.close()
    between.close()
    await remove()
  })
})
