// Grouping under load: while one batch is stored, the next gathers.

/** How many mails go into one statement. 50 rows a statement are stored ten times as fast as one by one (PGlite 0.5.14). */
const BATCH_SIZE = 50

/** Waits for more before a batch is taken; it is told how many were in the one before. */
export type Linger = (before: number) => Promise<void>

const NO_LINGER: Linger = () => Promise.resolve()

interface Waiting<In, Out> {
  item: In
  resolve(out: Out): void
  reject(error: unknown): void
}

/**
 * Makes a function that takes one item out of one that takes many: one call of `work` at a time, in order of arrival.
 * @param isItsOwnFault whether a failure may lie in one item; the batch is then tried one by one, so that one cannot fail the others
 */
export function gather<In, Out>(
  work: (items: In[]) => Promise<Out[]>,
  isItsOwnFault: (error: unknown) => boolean = () => false,
  linger = NO_LINGER,
): (item: In) => Promise<Out> {
  const queue: Waiting<In, Out>[] = []
  let running = false

  async function answer(waiting: Waiting<In, Out>[]): Promise<void> {
    const outs = await work(waiting.map(({ item }) => item))
    for (const [i, { resolve }] of waiting.entries()) resolve(outs[i] as Out)
  }

  async function settle(waiting: Waiting<In, Out>[]): Promise<void> {
    try {
      await answer(waiting)
    } catch (error) {
      const alone = waiting.length === 1 || !isItsOwnFault(error)
      if (alone) return waiting.forEach(({ reject }) => void reject(error))
      for (const one of waiting) await settle([one])
    }
  }

  async function run(): Promise<void> {
    running = true
    let before = 0
    while (queue.length > 0) {
      await linger(before)
      const batch = queue.splice(0, BATCH_SIZE)
      before = batch.length
      await settle(batch)
    }
    running = false
  }

  return (item) =>
    new Promise<Out>((resolve, reject) => {
      queue.push({ item, resolve, reject })
      if (!running) void run()
    })
}
