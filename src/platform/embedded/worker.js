// The embedded database: PGlite on a thread of its own, since it blocks the one it runs on.
// Plain JavaScript: it is started by URL, which the compiler does not rewrite.
import { existsSync, fsyncSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { PGlite } from '@electric-sql/pglite'
import { NodeFS } from '@electric-sql/pglite/nodefs'
import { vector } from '@electric-sql/pglite-pgvector'

const { folder, counter } = workerData
const syncs = new Int32Array(counter)

/** POSTGRES_MAIN_LONGJMP of PGlite: an ordinary SQL error on its way to the client. */
const SQL_ERROR = 100
const STARTUP = 0
const QUERY = 'Q'.charCodeAt(0)
const SYNC = 'S'.charCodeAt(0)
const TERMINATE = 'X'.charCodeAt(0)

/** PGlite's file system has no fsync (measured: an acknowledged commit reached no disk). */
class SyncedNodeFS extends NodeFS {
  async init(pg, options) {
    const { emscriptenOpts } = await super.init(pg, options)
    const hook = ({ FS }) => {
      FS.filesystems.NODEFS.stream_ops.fsync = (stream) => {
        fsyncSync(stream.nfd)
        Atomics.add(syncs, 0, 1)
        return 0
      }
    }
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [...emscriptenOpts.preRun, hook] } }
  }
}

const SETTINGS = {
  wal_sync_method: 'fsync',
  shared_buffers: '16MB',
  // After a kill the log is replayed at about 25 MB/s; the default of 1 GB would take 40 s.
  max_wal_size: '64MB',
  min_wal_size: '32MB',
}

/** PGlite's own start parameters without `-F`, which turns fsync off. */
const startParams = [
  ...PGlite.defaultStartParams.filter((param) => param !== '-F'),
  ...Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
]

/** An empty cluster that the build packed; from the source tree initdb makes one. */
const cluster = new URL('./cluster.tar.gz', import.meta.url)
const GZIP = 'application/gzip'
const unpack = !existsSync(join(folder, 'PG_VERSION')) && existsSync(cluster)

/** The server's last word before it gives up; PGlite's own error says only that it did. */
let lastWord = ''

mkdirSync(folder, { recursive: true, mode: 0o700 })
const pg = await start()
dieOnPanic(pg.Module)

/** The session being served; a stream that has ended is answered no more. */
let current

parentPort.on('message', async ({ open }) => {
  if (open) return serve(open)
  await pg.close()
  parentPort.close()
})
parentPort.postMessage({ ready: true })

async function start() {
  try {
    return await PGlite.create({
      fs: new SyncedNodeFS(folder),
      extensions: { vector },
      startParams,
      onStderr: (line) => {
        if (/\b(FATAL|PANIC):/.test(line)) lastWord = line.trim()
      },
      ...(unpack && { loadDataDir: new Blob([readFileSync(cluster)], { type: GZIP }) }),
    })
  } catch (error) {
    throw new Error(lastWord || error.message, { cause: error })
  }
}

/** One connection's wire: bytes in up to each Query or Sync, the answer out. */
function serve(port) {
  const session = { port, pending: new Uint8Array(0), started: false }
  current?.port.close()
  current = session
  port.on('message', (bytes) => {
    session.pending = joined([session.pending, bytes])
    for (let batch = take(session); batch; batch = take(session)) answer(session, batch)
  })
}

/** The messages up to and with the next one that asks for an answer, or undefined. */
function take(session) {
  const { pending } = session
  const view = new DataView(pending.buffer, pending.byteOffset, pending.byteLength)
  let at = 0
  while (at + 5 <= pending.length) {
    const type = session.started ? pending[at] : STARTUP
    const end = at + view.getUint32(session.started ? at + 1 : at) + (session.started ? 1 : 0)
    if (end > pending.length) return undefined
    at = end
    if (type === QUERY || type === SYNC || type === STARTUP || type === TERMINATE) {
      session.pending = pending.subarray(at)
      return pending.subarray(0, at)
    }
  }
  return undefined
}

function answer(session, batch) {
  if (session !== current || batch[0] === TERMINATE) return session.port.close()
  if (!session.started) {
    // The stream before this one may have gone in the middle of a transaction.
    run(query('ROLLBACK'))
    run(query('DISCARD ALL'))
    session.started = true
  }
  const bytes = run(batch)
  if (bytes.length) session.port.postMessage(bytes, [bytes.buffer])
}

/** Streamed, since PGlite's whole-answer call also parses each answer and keeps it for ever. */
function run(message) {
  const chunks = []
  // Its promise settles after the work is done: this file system has nothing to sync afterwards.
  void pg.execProtocolRawStream(message, {
    syncToFs: false,
    onRawData: (bytes) => chunks.push(bytes.slice()),
  })
  return chunks.length === 1 ? chunks[0] : joined(chunks)
}

function joined(chunks) {
  const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.length
  }
  return all
}

function query(sql) {
  const text = new TextEncoder().encode(`${sql}\0`)
  const message = new Uint8Array(5 + text.length)
  message[0] = QUERY
  new DataView(message.buffer).setUint32(1, 4 + text.length)
  message.set(text, 5)
  return message
}

/**
 * PGlite swallows whatever its main loop throws and goes on, also after a PANIC (disk full while
 * writing the log, a failed fsync). Postgres must not go on then: this thread ends, the next
 * connection starts another one, which recovers from the log.
 */
function dieOnPanic(module) {
  const loop = module._PostgresMainLoopOnce
  module._PostgresMainLoopOnce = () => {
    try {
      return loop()
    } catch (error) {
      if (error?.status !== SQL_ERROR) {
        parentPort.postMessage({ panic: lastWord || String(error) })
        process.exit(1)
      }
      throw error
    }
  }
}
