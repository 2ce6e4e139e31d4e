// Threads that read large mails, so that no mail holds up the others: started when needed, ended by a deadline.
import { Worker } from 'node:worker_threads'
import type { Circumstances } from './understand.ts'

/** The compiled thread, also where the sources run as they are (the tests): Node.js 20 reads no TypeScript. */
const THREAD = new URL('../../../dist/engine/receive/reading-thread.js', import.meta.url)

/** To understand a mail, or to read one attachment of it. */
export type ReadingJob =
  | { raw: Uint8Array; circumstances: Circumstances }
  | { raw: Uint8Array; position: number }

export interface Limits {
  /** From the moment that a thread has the mail, milliseconds. */
  deadlineMs: number
  /** Of a thread's heap; the mail's bytes are outside of it. */
  heapMb: number
  threads: number
}

export interface ReadingThreads {
  /** Rejects where the mail took longer than the deadline or more than the memory. */
  run(job: ReadingJob): Promise<unknown>
  close(): Promise<void>
}

interface Waiting {
  job: ReadingJob
  resolve(value: unknown): void
  reject(error: Error): void
}

export function createReadingThreads(limits: Limits): ReadingThreads {
  const idle: Worker[] = []
  const all = new Set<Worker>()
  const queue: Waiting[] = []

  function next(): void {
    if (queue.length === 0) return
    const worker = idle.pop() ?? (all.size < limits.threads ? start() : undefined)
    const waiting = worker && queue.shift()
    if (worker && waiting) serve(worker, waiting)
  }

  function start(): Worker {
    const worker = startThread(limits)
    all.add(worker)
    worker.once('exit', () => {
      all.delete(worker)
      const at = idle.indexOf(worker)
      if (at >= 0) idle.splice(at, 1)
      next()
    })
    return worker
  }

  function serve(worker: Worker, waiting: Waiting): void {
    worker.ref()
    void answerOf(worker, waiting.job, limits.deadlineMs)
      .then(
        (value) => {
          worker.unref()
          idle.push(worker)
          waiting.resolve(value)
        },
        (error: Error) => {
          // Whatever it does, it is not waited for: its place is free once it has ended.
          void worker.terminate()
          waiting.reject(error)
        },
      )
      .then(next)
  }

  return {
    run: (job) =>
      new Promise((resolve, reject) => {
        queue.push({ job, resolve, reject })
        next()
      }),
    async close() {
      for (const { reject } of queue.splice(0)) reject(new Error('the reading threads are closed'))
      await Promise.all([...all].map((worker) => worker.terminate()))
    },
  }
}

function startThread({ heapMb }: Limits): Worker {
  const worker = new Worker(THREAD, {
    resourceLimits: { maxOldGenerationSizeMb: heapMb },
    // The command line of the main thread may hold flags that a worker refuses.
    execArgv: [],
  })
  // An idle thread that dies is started again when it is needed; one at work is listened to there.
  worker.on('error', () => undefined)
  return worker
}

function answerOf(worker: Worker, job: ReadingJob, deadlineMs: number) {
  return new Promise<unknown>((resolve, reject) => {
    const deadline = setTimeout(() => fail('it took too long'), deadlineMs)
    const onExit = () => fail('its thread ended')
    const onError = (error: Error) => fail(error.message)
    const settle = () => {
      clearTimeout(deadline)
      worker.off('message', onMessage).off('exit', onExit).off('error', onError)
    }
    const fail = (why: string) => {
      settle()
      reject(new Error(`a mail was not read: ${why}`))
    }
    const onMessage = (answer: { value?: unknown; error?: string }) => {
      if (answer.error !== undefined) return fail(answer.error)
      settle()
      resolve(answer.value)
    }
    worker.on('message', onMessage).on('exit', onExit).on('error', onError)
    // Copied first: the clone of a view would carry along everything its buffer holds.
    const raw = new Uint8Array(job.raw)
    worker.postMessage({ ...job, raw }, [raw.buffer])
  })
}
