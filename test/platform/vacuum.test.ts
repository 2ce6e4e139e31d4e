import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { analyzeGrown, vacuumDue } from '../../src/platform/vacuum.ts'
import { type EngineWorld, engineWorld } from '../world/engine.ts'

let world: EngineWorld
beforeAll(async () => {
  world = await engineWorld()
})
afterAll(() => world.close())

const embedded = inject('template').kind !== 'postgres'

test.runIf(embedded)('a table full of dead rows is vacuumed once, and not again', async () => {
  const { db } = world.engine
  await vacuumDue(db)
  await db.query(`INSERT INTO cursors SELECT 'c' || n, '1', 0 FROM generate_series(1, 500) AS n`)
  await db.query('DELETE FROM cursors')
  // Counts are otherwise told at most once a second.
  await db.query('SELECT pg_stat_force_next_flush()')
  expect(await vacuumDue(db)).toContain('cursors')
  await db.query('SELECT pg_stat_force_next_flush()')
  expect(await vacuumDue(db)).not.toContain('cursors')
})

test('a table that has doubled is analyzed once, and the planner knows its size', async () => {
  const { db } = world.engine
  const rows = async () => {
    const [table] = await db.query<{ n: number }>(
      "SELECT reltuples::int AS n FROM pg_class WHERE relname = 'cursors'",
    )
    return table?.n
  }
  // Told by the connection that counted them, before another one asks.
  const add = (from: number, to: number) =>
    db.query(`INSERT INTO cursors SELECT 'd' || n, '1', 0 FROM generate_series(${from}, ${to}) AS n;
      SELECT pg_stat_force_next_flush()`)
  await add(1, 400)
  expect(await analyzeGrown(db)).toContain('cursors')
  expect(await rows()).toBe(400)
  await add(401, 500)
  expect(await analyzeGrown(db)).not.toContain('cursors')
  const [target] = await db.query<{ value: string }>(
    "SELECT current_setting('default_statistics_target') AS value",
  )
  expect(target?.value).toBe('100')
})

test.skipIf(embedded)('PostgreSQL is left to its own autovacuum', async () => {
  await world.engine.db.query('UPDATE inboxes SET display_name = $1', ['x'])
  expect(await vacuumDue(world.engine.db)).toEqual([])
})
