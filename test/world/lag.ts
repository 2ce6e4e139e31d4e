/** How long the main loop is held up, at the most, while some work is done. */
import { monitorEventLoopDelay } from 'node:perf_hooks'

const NANOSECONDS = 1e6
const TRIES = 4

/**
 * Does the work until it held up the loop for less than the limit, four times at most: a machine that does other
 * things holds up once, what blocks the loop does so each time.
 * @param work gets the number of the try
 * @returns what the last try resolved to, and its longest wait in milliseconds
 */
export async function lagOf<T>(
  work: (turn: number) => Promise<T>,
  limit: number,
): Promise<{ result: T; lag: number }> {
  for (let turn = 1; ; turn += 1) {
    const measured = await measure(() => work(turn))
    if (measured.lag < limit || turn === TRIES) return measured
  }
}

async function measure<T>(work: () => Promise<T>): Promise<{ result: T; lag: number }> {
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  const result = await work()
  // The timer that measures comes round once more, so that the last stretch counts.
  await new Promise((resolve) => setImmediate(() => setTimeout(resolve, 10)))
  delay.disable()
  return { result, lag: delay.max / NANOSECONDS }
}
