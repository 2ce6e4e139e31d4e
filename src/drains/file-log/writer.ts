// The log's thread, from outside: whatever waits while it works goes to it together.
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'

/** What goes to the thread at once: the copy of it must not crowd out the mail that is being read. */
const GROUP_BYTES = 8 * 1024 * 1024

export interface FileWriter {
  /** Keeps a file under `path` (relative to the root); resolves once its bytes survive a power cut, and `readKept` finds them. */
  write(path: string, bytes: Uint8Array): Promise<void>
  /** Removes it, from the log too. */
  remove(path: string): Promise<void>
  /** Resolves once everything that was written before is a file. */
  made(): Promise<void>
  /** Makes what an earlier process promised and did not finish. */
  recovered(): Promise<void>
  /** Lets everything come to disk. */
  close(): Promise<void>
}

/** Below the root; the thread makes it. */
export const LOGS = '.log'

interface Write {
  path: string
  bytes: Uint8Array
  resolve(): void
  reject(error: unknown): void
}

interface Answer {
  error?: { message: string; code?: string }
}

/** Starts the thread on the first use; while nothing is under way it keeps no process alive. */
export function openWriter(root: string): FileWriter {
  let thread: Promise<Worker> | undefined
  let turn: Promise<unknown> = Promise.resolve()
  let flushing = false
  const waiting: Write[] = []

  const live = () => {
    thread ??= start(root, () => {
      thread = undefined
    })
    return thread
  }
  /** One request at a time, in order. */
  const ask = (request: object): Promise<void> => {
    const answered = turn.then(async () => answerOf(await live(), request))
    turn = answered.catch(() => undefined)
    return answered
  }
  const flush = async () => {
    flushing = false
    const group = cut(waiting)
    if (waiting.length > 0) flushNext()
    const { writes, bytes } = packed(group)
    await live()
      .then((worker) => answerOf(worker, { writes, bytes }, [bytes.buffer]))
      .then(
        () => group.forEach(({ resolve }) => void resolve()),
        (error) => group.forEach(({ reject }) => void reject(error)),
      )
  }
  const flushNext = () => {
    if (flushing) return
    flushing = true
    turn = turn.then(flush)
  }
  return {
    write: (path, bytes) =>
      new Promise((resolve, reject) => {
        waiting.push({ path, bytes, resolve, reject })
        flushNext()
      }),
    remove: (path) => ask({ removed: path }),
    made: async () => (thread || waiting.length > 0 ? ask({}) : undefined),
    async recovered() {
      // The thread recovers when it starts; where nothing lies about it is not needed yet.
      if (readdirIn(join(root, LOGS)).length > 0) await live()
    },
    async close() {
      await turn
      const worker = await thread?.catch(() => undefined)
      if (worker === undefined) return
      worker.ref()
      const ended = once(worker, 'exit')
      worker.postMessage({ close: true })
      await ended
    },
  }
}

function readdirIn(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

function cut(waiting: Write[]): Write[] {
  let bytes = 0
  const end = waiting.findIndex((one, n) => {
    bytes += one.bytes.length
    return n > 0 && bytes > GROUP_BYTES
  })
  return waiting.splice(0, end === -1 ? waiting.length : end)
}

/** One buffer for all, which moves to the thread: copies of many are dearer than the files they make. */
function packed(group: readonly Write[]) {
  const bytes = new Uint8Array(group.reduce((sum, one) => sum + one.bytes.length, 0))
  let at = 0
  const writes = group.map((one) => {
    bytes.set(one.bytes, at)
    at += one.bytes.length
    return { path: one.path, end: at }
  })
  return { writes, bytes }
}

async function start(root: string, onEnd: () => void): Promise<Worker> {
  const worker = new Worker(new URL('./worker.js', import.meta.url), {
    workerData: { root, logs: join(root, LOGS) },
    execArgv: [],
  })
  worker.once('exit', onEnd)
  // The first message says that what an earlier process left behind is in order.
  await once(worker, 'message')
  worker.on('error', onEnd)
  worker.unref()
  return worker
}

async function answerOf(worker: Worker, request: object, moved: ArrayBuffer[] = []): Promise<void> {
  worker.ref()
  try {
    const answered = new Promise<Answer>((resolve, reject) => {
      const ended = () => reject(new Error('the thread that writes files ended'))
      worker.once('exit', ended)
      worker.once('message', (answer: Answer) => {
        worker.off('exit', ended)
        resolve(answer)
      })
    })
    worker.postMessage(request, moved)
    const { error } = await answered
    if (error) throw Object.assign(new Error(error.message), { code: error.code })
  } finally {
    worker.unref()
  }
}
