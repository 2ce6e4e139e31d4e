// The thread that writes small files. All that wait are written into one log and synced with one fsync: that is the
// answer. Then they are made as files, and the log is thrown away once those are on disk. A crash in between: `recover`
// makes them from the log; whoever reads sooner than that reads the log (`promised.ts`).
// Measured with 20 senders: 0.25 ms of processor time a mail, where each file synced by itself takes 0.5 to 0.7.
import { execFile } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { parentPort, workerData } from 'node:worker_threads'
import { openLog } from './log.js'
import { besideOf, LOG, nextTime, recordOf, removalOf } from './records.js'
import { recover } from './recover.js'

const LOG_LIMIT = 16 * 1024 * 1024
const LOG_AGE_MS = 60_000
const LOOK_EVERY_MS = 10_000
/** A log lives for little more than a minute: what was removed longer ago stands in none. */
const REMEMBERED_MS = 5 * 60_000
const MOST_REMEMBERED = 10_000
const CLOSING_PATIENCE_MS = 1_000
const OWNER_ONLY_FILE = 0o600
const OWNER_ONLY_FOLDER = 0o700

const { root, logs } = workerData
let log
let retiring
let retiringName
/** What the log promises and is no file yet. */
let unmade = []
const folders = new Set()

mkdirSync(logs, { recursive: true, mode: OWNER_ONLY_FOLDER })
/** What was removed lately while the log of another process may promise it, and when: `recover.js` says why. */
let removals = recover(root, logs)
carryOn()
setInterval(() => {
  attempt(makeRest)
  if (log !== undefined && Date.now() - log.since > LOG_AGE_MS) retire()
}, LOOK_EVERY_MS).unref()
parentPort.on('message', ({ writes, bytes, removed, close }) => {
  if (close) return void end()
  parentPort.postMessage(
    attempt(() => {
      if (removed) forget(removed)
      else if (writes) promiseAll(unpacked(writes, bytes))
      else makeRest()
    }),
  )
  attempt(makeRest)
})
parentPort.postMessage({})

/** The answer to one request: nothing, or what the system said. */
function attempt(work) {
  try {
    work()
    return {}
  } catch (error) {
    return { error: { message: error.message, code: error.code } }
  }
}

/** The files of a group, which came in one buffer, one behind the other. */
function unpacked(writes, bytes) {
  return writes.map(({ path, end }, n) => {
    const start = n === 0 ? 0 : writes[n - 1].end
    return { path, bytes: bytes.subarray(start, end) }
  })
}

/** From here on they survive a power cut. Where the ones before cannot be made, nothing more is promised. */
function promiseAll(writes) {
  makeRest()
  for (const { path } of writes) openFolder(dirname(path))
  openNext()
  const at = nextTime()
  log.promise(writes.flatMap(({ path, bytes }) => recordOf(path, bytes, at)))
  for (const { path } of writes) log.files.add(path)
  unmade = writes
  // Who reads a file that stood there must not read the old one.
  if (writes.some(({ path }) => existsSync(join(root, path)))) makeRest()
}

function openNext() {
  // Its files are made again from it when the next process starts.
  if (log?.torn()) log = undefined
  if (log !== undefined) return
  forgetRemovals()
  log = openLog(logs)
  if (removals.size > 0) log.append([...removals].flatMap(([path, at]) => removalOf(path, at)))
}

/** What was removed goes on from log to log, as long as that of another process may promise it. */
function carryOn() {
  forgetRemovals()
  if (removals.size > 0) attempt(openNext)
}

function forgetRemovals() {
  const since = hasOtherLogs() ? (Date.now() - REMEMBERED_MS) * 1000 : Number.POSITIVE_INFINITY
  removals = new Map([...removals].filter(([, at]) => at > since).slice(-MOST_REMEMBERED))
}

function hasOtherLogs() {
  const own = [log?.name, retiringName]
  return readdirSync(logs).some((name) => LOG.test(name) && !own.includes(name))
}

function openFolder(path) {
  if (folders.has(path)) return
  mkdirSync(join(root, path), { recursive: true, mode: OWNER_ONLY_FOLDER })
  folders.add(path)
}

/** Where it fails the rest stays: the next request, or the next look, tries again. */
function makeRest() {
  for (let one = unmade[0]; one !== undefined; one = unmade[0]) {
    make(one)
    unmade.shift()
  }
  if (log !== undefined && log.length() > LOG_LIMIT) retire()
}

/** What was written lately would come back from a log after a crash. */
function forget(path) {
  unmade = unmade.filter((one) => one.path !== path)
  if (log?.files.has(path) || retiring !== undefined) noteRemoval(path)
  // A full disk must keep nobody from removing.
  else if (hasOtherLogs()) attempt(() => noteRemoval(path))
  rmSync(join(root, path), { force: true })
}

function noteRemoval(path) {
  openNext()
  const at = nextTime()
  log.append(removalOf(path, at))
  removals.set(path, at)
}

/** Under its own name once it is whole: somebody may read it already. */
function make({ path, bytes }) {
  const beside = join(root, besideOf(path, process.pid))
  try {
    fill(beside, bytes)
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
    // Somebody took the folder away.
    mkdirSync(dirname(beside), { recursive: true, mode: OWNER_ONLY_FOLDER })
    fill(beside, bytes)
  }
  renameSync(beside, join(root, path))
}

function fill(path, bytes) {
  const fd = openSync(path, 'w', OWNER_ONLY_FILE)
  try {
    let at = 0
    while (at < bytes.length) at += writeSync(fd, bytes, at)
  } finally {
    closeSync(fd)
  }
}

/** One log at a time; meanwhile the next one grows. */
function retire() {
  if (retiring !== undefined || unmade.length > 0) return
  const old = log
  log = undefined
  retiringName = old.name
  carryOn()
  retiring = settle(old.files)
    .then(old.discard, () => undefined)
    .finally(() => {
      retiring = undefined
      retiringName = undefined
    })
}

/** On Linux one call brings everything of the file system to disk (syncfs), which Node.js does not offer. */
async function settle(files) {
  if (process.platform === 'linux') {
    const done = await promisify(execFile)('sync', ['-f', root]).then(
      () => true,
      () => false,
    )
    if (done) return
  }
  for (const path of files) await syncFile(join(root, path))
  for (const folder of new Set([...files].map(dirname))) await syncFile(join(root, folder))
}

async function syncFile(path) {
  const file = await open(path, 'r').catch((error) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  try {
    await file?.sync()
  } finally {
    await file?.close()
  }
}

/** A log that is left behind, also one that says only what was removed, costs the next start a moment, and nothing else. */
async function end() {
  const patience = new Promise((resolve) => void setTimeout(resolve, CLOSING_PATIENCE_MS))
  const all = async () => {
    await retiring
    attempt(makeRest)
    if (log !== undefined) retire()
    await retiring
  }
  await Promise.race([all(), patience])
  process.exit()
}
