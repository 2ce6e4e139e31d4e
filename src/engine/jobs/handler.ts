// What does the work of a job, as the worker knows it.
import type { JobId, OrgId } from '../ids.ts'

/** What became of a job: an expected outcome, never an exception. */
export type JobOutcome =
  | { kind: 'done' }
  | { kind: 'again'; at: Date }
  /** The handler has removed the job or put it off, in the commit that its result is part of. */
  | { kind: 'recorded' }

export interface Job {
  id: JobId
  orgId: OrgId
  payload: Record<string, unknown>
  /** 1-based; counts every start, also those that ended with `again`. */
  attempt: number
  createdAt: Date
}

/**
 * Does the work of one job. It may run twice (at least once is the promise), never twice at a time
 * while its lease holds; the signal says that the lease was lost or that the process is stopping.
 */
export type JobHandler = (job: Job, signal: AbortSignal) => Promise<JobOutcome>
