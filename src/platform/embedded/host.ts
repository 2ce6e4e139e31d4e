/** The embedded database's thread, from outside: it is started, dialled, and closed here. */
import { open, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { makeDataFolder, unwritable } from '../folder.ts'
import type { Log } from '../log.ts'
import { StartError } from '../start-error.ts'

export interface EmbeddedHost {
  /** One wire to the database; starts its thread again where the last one died. */
  dial(): Promise<MessagePort>
  /** How often the database has asked the disk to keep what was written (fsync). */
  syncs(): number
  close(): Promise<void>
}

type Report = { ready: true } | { panic: string }

/** A clean close writes a checkpoint; whatever is not written by then is replayed from the log. */
const CLOSE_DEADLINE_MS = 1_500
/** Files made durable at the same time after the first start. */
const SYNC_WIDTH = 16

/** Starts the database in `dataDir`/db, making it first where there is none. */
export async function startEmbedded(dataDir: string, log: Log): Promise<EmbeddedHost> {
  const folder = join(dataDir, 'db')
  const counter = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  const thread = keepAlive(() => startWorker(folder, counter.buffer), log)
  await prepare(dataDir, folder)
  await thread.live()
  await settle(dataDir, folder)
  return {
    async dial() {
      const worker = await thread.live()
      const { port1, port2 } = new MessageChannel()
      worker.postMessage({ open: port2 }, [port2])
      return port1
    },
    syncs: () => Atomics.load(counter, 0),
    close: thread.close,
  }
}

/** The thread, started again on the next use where it died; never two of them on one folder. */
function keepAlive(start: () => Promise<Worker>, log: Log) {
  let current: Promise<Worker> | undefined
  let ended: Promise<unknown> = Promise.resolve()
  let closed = false

  const launch = async () => {
    await ended
    const worker = await start()
    ended = new Promise((resolve) => worker.once('exit', resolve))
    worker.on('message', (report: Report) => {
      if (!('panic' in report)) return
      current = undefined
      log.error({ reason: report.panic }, 'the embedded database stopped; it starts again on use')
    })
    worker.once('exit', () => {
      current = undefined
    })
    return worker
  }
  return {
    live() {
      if (closed) return Promise.reject(new Error('the embedded database is closed'))
      current ??= launch().catch((error) => {
        current = undefined
        throw error
      })
      return current
    },
    async close() {
      closed = true
      const worker = await current?.catch(() => undefined)
      if (worker) await stop(worker)
    },
  }
}

/** The note that a first start has not come to its end yet; without it a folder is never removed. */
const unfinished = (dataDir: string) => join(dataDir, 'db.unfinished')

async function prepare(dataDir: string, folder: string): Promise<void> {
  makeDataFolder(dataDir)
  try {
    const entries = await readdir(dataDir)
    if (entries.includes('db.unfinished')) await rm(folder, { recursive: true, force: true })
    if (entries.includes('db') && !entries.includes('db.unfinished')) return
    await writeFile(unfinished(dataDir), '')
  } catch (error) {
    throw unwritable(dataDir, error)
  }
}

/** Makes a new database's own files durable, once: its log alone could not bring them back. */
async function settle(dataDir: string, folder: string): Promise<void> {
  const entries = await readdir(dataDir)
  if (!entries.includes('db.unfinished')) return
  const files = await readdir(folder, { recursive: true })
  const queue = [folder, ...files.map((file) => join(folder, file))]
  await Promise.all(
    Array.from({ length: SYNC_WIDTH }, async () => {
      for (let path = queue.pop(); path; path = queue.pop()) await syncPath(path)
    }),
  )
  await rm(unfinished(dataDir))
  await syncPath(dataDir)
}

async function syncPath(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

function startWorker(folder: string, counter: ArrayBufferLike): Promise<Worker> {
  const worker = new Worker(new URL('./worker.js', import.meta.url), {
    workerData: { folder, counter },
    // The command line of the main thread may hold flags that a worker refuses.
    execArgv: [],
  })
  return new Promise((resolve, reject) => {
    const fail = (why: string) =>
      reject(
        new StartError(
          `The embedded database in ${folder} does not start: ${why}. ` +
            'Mend what it names, restore the folder from a backup, or name another in POSTROOM_DATA.',
        ),
      )
    worker.once('message', () => resolve(worker))
    worker.on('error', (error) => fail(error.message))
    worker.once('exit', () => fail('its thread ended'))
  })
}

async function stop(worker: Worker): Promise<void> {
  const closed = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  const deadline = setTimeout(() => void worker.terminate(), CLOSE_DEADLINE_MS)
  worker.postMessage({ close: true })
  await closed
  clearTimeout(deadline)
}
