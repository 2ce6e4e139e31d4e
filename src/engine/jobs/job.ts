// Work that must follow a row: enqueued in the row's own transaction, done by whichever worker claims it first.
import type { Database } from '../../platform/database.ts'
import { newId } from '../../platform/ids.ts'
import type { JobId, OrgId } from '../ids.ts'

/** A row of `jobs`, as it is enqueued: claimed by nobody, tried never. */
export interface JobRow {
  id: JobId
  org_id: OrgId
  name: string
  payload: Record<string, unknown>
  run_at: Date
  attempts: number
  leased_until: null
  lease: null
  last_error: null
  created_at: Date
  lane: string
}

interface About {
  orgId: OrgId
  payload: Record<string, unknown>
  /** The job is not started before this moment; by default at once. */
  runAt?: Date
  /** Jobs of one name and lane share a limit of how many run at once; by default all of the name. */
  lane?: string
}

/** A job ready to be stored, by `insertJobs` or in the batch of `store_messages`. `name` picks the handler. */
export function newJob(name: string, about: About, now: Date): JobRow {
  return {
    id: newId('job', now),
    org_id: about.orgId,
    name,
    payload: about.payload,
    run_at: about.runAt ?? now,
    attempts: 0,
    leased_until: null,
    lease: null,
    last_error: null,
    created_at: now,
    lane: about.lane ?? '',
  }
}

/** Enqueues jobs that follow no other row; the worker is to be woken afterwards. */
export async function insertJobs(db: Pick<Database, 'query'>, rows: JobRow[]): Promise<void> {
  if (rows.length === 0) return
  await db.query(
    'INSERT INTO jobs SELECT * FROM jsonb_populate_recordset(NULL::jobs, $1::jsonb)',
    [JSON.stringify(rows)],
    'jobs_insert',
  )
}
