/** What autovacuum does elsewhere, since the embedded database has none; and what it does too late everywhere. */
import type { Database } from './database.ts'

/** PostgreSQL's own defaults (autovacuum_vacuum_threshold, …_scale_factor, …_analyze_…). */
const DUE = `SELECT relname AS table,
    n_dead_tup > 50 + 0.2 * n_live_tup OR n_ins_since_vacuum > 1000 + 0.2 * n_live_tup AS vacuum
  FROM pg_stat_user_tables
  WHERE schemaname = 'public' AND (n_dead_tup > 50 + 0.2 * n_live_tup
    OR n_ins_since_vacuum > 1000 + 0.2 * n_live_tup OR n_mod_since_analyze > 50 + 0.1 * n_live_tup)
  ORDER BY n_dead_tup DESC`

/** For the planner to see how large a table is; the server's default of 100 reads ten times the rows. */
const FEW_ROWS = `SELECT set_config('default_statistics_target', '10', true)`

/**
 * A plan that was made while a table was all but empty reads an organization's rows from end to end, until somebody
 * counts. PostgreSQL does so within a minute, in which a new server may have taken 50,000 mails.
 */
const GROWN = `SELECT relname AS table FROM pg_stat_user_tables
  WHERE schemaname = current_schema() AND n_mod_since_analyze > 50 + 0.5 * n_live_tup`

/**
 * Analyzes the tables that have doubled since the last time: 30 to 60 ms for the largest, standing back while mail is
 * stored. Returns their names.
 */
export async function analyzeGrown(db: Pick<Database, 'query' | 'quiet'>) {
  const grown = await db.query<{ table: string }>(GROWN)
  for (const { table } of grown) {
    await db.quiet()
    await db.query(`${FEW_ROWS}; ANALYZE "${table}"`)
  }
  return grown.map(({ table }) => table)
}

/**
 * Vacuums or analyzes the tables that are due, one statement a table, standing back while mail is stored.
 * Returns their names; none on PostgreSQL, whose autovacuum does it.
 */
export async function vacuumDue(db: Pick<Database, 'query' | 'quiet' | 'embedded'>) {
  if (!db.embedded) return []
  const due = await db.query<{ table: string; vacuum: boolean }>(DUE)
  for (const { table, vacuum } of due) {
    await db.quiet()
    await db.query(vacuum ? `VACUUM (ANALYZE) "${table}"` : `ANALYZE "${table}"`)
  }
  return due.map(({ table }) => table)
}
