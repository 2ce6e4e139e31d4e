import { connect, createServer } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, inject, test, vi } from 'vitest'
import { type Database, openDatabase } from '../../src/platform/database.ts'
import { listen } from '../../src/platform/listen.ts'
import { createLog } from '../../src/platform/log.ts'
import { emptyDatabase, type FreshDatabase } from '../world/database.ts'
import { unusedPort } from '../world/port.ts'

const log = createLog({ level: 'silent' })

describe.skipIf(inject('template').kind === 'embedded')('listening', () => {
  let fresh: FreshDatabase
  let db: Database
  beforeEach(async () => {
    fresh = await emptyDatabase()
    db = await openDatabase({ ...fresh, log })
  })
  afterEach(async () => {
    await db.close()
    await fresh.remove()
  })

  test('hears what is announced, and hears again after the connection was lost', async () => {
    const heard: string[] = []
    const onNotify = (payload: string) => void heard.push(payload)
    const listener = await listen({ url: fresh.url ?? '', channel: 'work', onNotify, log })
    await db.query("SELECT pg_notify('work', 'one')")
    await vi.waitFor(() => expect(heard).toEqual(['', 'one']))

    await db.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid() AND query ILIKE 'listen%'`)
    await vi.waitFor(() => expect(heard).toEqual(['', 'one', '']), { timeout: 5_000 })
    await db.query("SELECT pg_notify('work', 'two')")
    await vi.waitFor(() => expect(heard).toEqual(['', 'one', '', 'two']))

    await listener.close()
    await db.query("SELECT pg_notify('work', 'three')")
    await wait(50)
    expect(heard).toHaveLength(4)
  })

  test('hears over the Unix socket that ?host= names, as node-postgres does', async () => {
    const [socket] = await db.query<{ folders: string }>(
      "SELECT split_part(current_setting('unix_socket_directories'), ',', 1) AS folders",
    )
    const url = new URL(fresh.url ?? '')
    url.searchParams.set('host', socket?.folders.trim() ?? '')
    const heard: string[] = []
    const onNotify = (payload: string) => void heard.push(payload)
    const listener = await listen({ url: url.href, channel: 'work', onNotify, log })
    await db.query("SELECT pg_notify('work', 'one')")
    await vi.waitFor(() => expect(heard).toEqual(['', 'one']))
    await listener.close()
  })

  test('leaves no connection behind when closed', async () => {
    const onNotify = () => {}
    const listener = await listen({ url: fresh.url ?? '', channel: 'work', onNotify, log })
    await listener.close()
    const others = `SELECT count(*) AS n FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid() AND query ILIKE 'listen%'`
    await vi.waitFor(async () => expect(await db.query(others)).toEqual([{ n: 0 }]))
  })

  test('goes on trying until a server that was away at first answers', async () => {
    const server = new URL(fresh.url ?? '')
    const gate = createServer((socket) => {
      const onward = connect(Number(server.port), server.hostname)
      socket.pipe(onward).pipe(socket)
      for (const end of [socket, onward]) end.on('error', () => {})
    })
    const port = await unusedPort()
    const url = new URL(server)
    url.hostname = '127.0.0.1'
    url.port = String(port)
    const heard: string[] = []
    const onNotify = (payload: string) => void heard.push(payload)
    const listener = await listen({ url: url.href, channel: 'work', onNotify, log })
    expect(heard).toEqual([])
    gate.listen(port, '127.0.0.1')
    await vi.waitFor(() => expect(heard).toEqual(['']), { timeout: 10_000 })
    await listener.close()
    gate.close()
  })
})
