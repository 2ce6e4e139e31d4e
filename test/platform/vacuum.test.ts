import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { vacuumDue } from '../../src/platform/vacuum.ts'
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

test.skipIf(embedded)('PostgreSQL is left to its own autovacuum', async () => {
  await world.engine.db.query('UPDATE inboxes SET display_name = $1', ['x'])
  expect(await vacuumDue(world.engine.db)).toEqual([])
})
