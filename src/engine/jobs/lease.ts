// Who holds which job, and for how long. A holder that dies stops renewing, and the job is free again.
import type { Database } from '../../platform/database.ts'
import type { JobId, OrgId } from '../ids.ts'

/** A process killed in the middle of a job: another one repeats it within a minute, looking around included. */
export const LEASE_MS = 45_000

type Db = Pick<Database, 'query' | 'quiet'>

export interface ClaimedJob {
  id: JobId
  org_id: OrgId
  name: string
  lane: string
  payload: Record<string, unknown>
  attempts: number
  created_at: Date
}

/** How many more jobs of one name may be started, and how many of a lane may run at once. */
export interface Room {
  name: string
  free: number
  perLane: number
}

export interface BusyLane {
  name: string
  lane: string
  taken: number
}

export interface Claim {
  lease: string
  now: Date
  rooms: Room[]
  busy: BusyLane[]
  /** Jobs that run here: a lease that ran out here is renewed, not claimed twice. */
  running: JobId[]
}

/** Another worker that looks at the same moment finds work beyond what this one locks. */
const CANDIDATES_PER_PLACE = 4

// The recursion hops over the lanes by index instead of reading past what waits in a full one. With
// 100,000 due jobs on PostgreSQL 15 a claim takes 1 ms where all are of one full lane (reading past
// them: 12 ms; embedded 6 against 45), and 20 µs a lane where there are many.
const CLAIM = `
  WITH RECURSIVE room AS (
    SELECT * FROM unnest($3::text[], $4::int[], $5::int[]) AS r (name, free, per_lane)
  ), lanes AS (
    SELECT r.name, (SELECT min(j.lane) FROM jobs j WHERE j.name = r.name) AS lane FROM room r
    UNION ALL
    SELECT l.name, (SELECT min(j.lane) FROM jobs j WHERE j.name = l.name AND j.lane > l.lane)
    FROM lanes l WHERE l.lane IS NOT NULL
  ), candidate AS MATERIALIZED (
    SELECT first.* FROM room r CROSS JOIN LATERAL (
      SELECT job.id, job.run_at, r.name FROM lanes l
      LEFT JOIN unnest($6::text[], $7::text[], $8::int[]) AS b (name, lane, taken)
        ON b.name = l.name AND b.lane = l.lane
      CROSS JOIN LATERAL (
        SELECT j.id, j.run_at FROM jobs j
        WHERE j.name = l.name AND j.lane = l.lane AND j.run_at <= $2
          AND (j.leased_until IS NULL OR j.leased_until <= $2)
          AND (j.lease IS DISTINCT FROM $1 OR j.id <> ALL ($9::text[]))
        ORDER BY j.run_at, j.id
        LIMIT greatest(r.per_lane - coalesce(b.taken, 0), 0)
      ) AS job
      WHERE l.name = r.name AND l.lane IS NOT NULL
      ORDER BY job.run_at, job.id
      LIMIT r.free * ${CANDIDATES_PER_PLACE}
    ) AS first
  ), due AS MATERIALIZED (
    SELECT locked.id FROM room r CROSS JOIN LATERAL (
      SELECT j.id FROM candidate c JOIN jobs j ON j.id = c.id
      WHERE c.name = r.name
        AND j.run_at <= $2 AND (j.leased_until IS NULL OR j.leased_until <= $2)
      ORDER BY c.run_at, c.id
      LIMIT r.free
      FOR UPDATE OF j SKIP LOCKED
    ) AS locked
  )
  UPDATE jobs SET lease = $1, leased_until = $10, attempts = attempts + 1
  FROM due WHERE jobs.id = due.id
  RETURNING jobs.id, org_id, name, lane, payload, attempts, created_at`

/** Takes what is due, oldest first in each lane, in one statement; two workers never take the same job. */
export async function claimJobs(db: Db, claim: Claim): Promise<ClaimedJob[]> {
  await db.quiet()
  const { lease, now, rooms, busy, running } = claim
  return db.query<ClaimedJob>(
    CLAIM,
    [
      lease,
      now,
      rooms.map((room) => room.name),
      rooms.map((room) => room.free),
      rooms.map((room) => room.perLane),
      busy.map((lane) => lane.name),
      busy.map((lane) => lane.lane),
      busy.map((lane) => lane.taken),
      running,
      leaseEnd(now),
    ],
    'jobs_claim',
  )
}

/**
 * Of many jobs at once only those are touched that nobody holds: what is locked is being written down at this moment,
 * in an order of its own, and to wait for it would be a deadlock.
 */
const OURS_AND_FREE = `
  SELECT id FROM jobs WHERE id = ANY ($2) AND lease = $1 FOR UPDATE SKIP LOCKED`

/** Extends the leases of what still runs; answers with the jobs that are still ours. */
export async function renewLeases(
  db: Db,
  lease: string,
  ids: JobId[],
  now: Date,
): Promise<Set<JobId>> {
  const rows = await db.query<{ id: JobId }>(
    `WITH free AS MATERIALIZED (${OURS_AND_FREE}), renewed AS (
       UPDATE jobs SET leased_until = $3 FROM free WHERE jobs.id = free.id
     )
     SELECT id FROM jobs WHERE id = ANY ($2) AND lease = $1`,
    [lease, ids, leaseEnd(now)],
    'jobs_renew',
  )
  return new Set(rows.map((row) => row.id))
}

export async function deleteJob(db: Db, lease: string, id: JobId): Promise<void> {
  await db.quiet()
  await db.query('DELETE FROM jobs WHERE id = $1 AND lease = $2', [id, lease], 'jobs_delete')
}

/** Gives the job back for a later time; `error` says what broke, null where nothing did. */
export async function postponeJob(
  db: Db,
  lease: string,
  id: JobId,
  next: { at: Date; error: string | null },
): Promise<void> {
  await db.quiet()
  await db.query(
    `UPDATE jobs SET run_at = $3, last_error = $4, lease = NULL, leased_until = NULL
     WHERE id = $1 AND lease = $2`,
    [id, lease, next.at, next.error],
    'jobs_postpone',
  )
}

/** Gives jobs back as if they had not been claimed. */
export async function releaseJobs(db: Db, lease: string, ids: JobId[]): Promise<void> {
  await db.query(
    `WITH free AS MATERIALIZED (${OURS_AND_FREE})
     UPDATE jobs SET lease = NULL, leased_until = NULL, attempts = attempts - 1
     FROM free WHERE jobs.id = free.id`,
    [lease, ids],
    'jobs_release',
  )
}

/** When the next job becomes due after `now`; undefined where none waits. */
export async function nextRun(db: Db, now: Date): Promise<Date | undefined> {
  await db.quiet()
  const [row] = await db.query<{ run_at: Date }>(
    'SELECT run_at FROM jobs WHERE run_at > $1 ORDER BY run_at LIMIT 1',
    [now],
    'jobs_next',
  )
  return row?.run_at
}

/**
 * Ends every lease. Only for a process that has the database to itself: whoever held one is dead, and
 * what it left in the middle is repeated at once.
 */
export async function endLeases(db: Db): Promise<void> {
  await db.query(
    'UPDATE jobs SET lease = NULL, leased_until = NULL WHERE lease IS NOT NULL',
    [],
    'jobs_end_leases',
  )
}

const leaseEnd = (now: Date) => new Date(now.getTime() + LEASE_MS)
