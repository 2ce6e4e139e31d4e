// How long a job that broke waits before it is tried again.

const FIRST_WAIT_MS = 1_000
const LONGEST_WAIT_MS = 15 * 60_000

/**
 * Milliseconds to wait after attempt `attempt` (1-based) threw: 1 s, doubled each time, at most 15 min.
 * It never gives up: what broke by a fault of ours is done once the fault is mended.
 */
export function backoff(attempt: number): number {
  return Math.min(FIRST_WAIT_MS * 2 ** (Math.max(1, attempt) - 1), LONGEST_WAIT_MS)
}
