// After a crash: what a log promised and the disk may not have is written again, file by file.
//
// Several processes may share the folder, each with its logs. What holds: of all that logs say of a path, dead ones' and
// living ones', the newest counts; where that stands in the log of a living process, the file is its business; and a
// file that was written after the record stays. So what one process wrote or removed is not undone by the older log of
// another that was killed. Removals leave no file whose age would tell, so they are written into a log wherever another
// log may promise the file, and from each log into the next (`worker.js`).
//
// What does not hold: the times are the clock's, so where it is set back, or two processes write the same path within
// one millisecond, the older one may win. A removal is forgotten after some minutes, behind the 10,000 newest ones, and
// where a power cut takes it before it is on disk: then the file may come back. No row points at it, so the sweep, or a
// rebuild that knows its inbox as deleted, removes it again.
import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { tryLock } from 'fs-native-extensions'
import { besideOf, LOG, recordsIn } from './records.js'

const OWNER_ONLY = 0o600
const MICROSECONDS_A_MS = 1000

/** Takes up the logs that no living process holds. Returns what they removed, and when. */
export function recover(root, logs) {
  const found = readdirSync(logs).flatMap((name) => opened(logs, name))
  try {
    // Of two records of the same time that of the living process counts.
    found.sort((a, b) => Number(b.free) - Number(a.free))
    const newest = newestOf(found)
    replay(root, newest)
    for (const { path } of found.filter(({ free }) => free)) rmSync(path, { force: true })
    return removalsIn(newest)
  } finally {
    for (const { fd } of found) closeSync(fd)
  }
}

/** None where another process has just finished it, or finishes it before it can be locked. */
function opened(logs, name) {
  if (!LOG.test(name)) return []
  const path = join(logs, name)
  const fd = openIfThere(path, 'r+')
  if (fd === undefined) return []
  const free = tryLock(fd)
  if (fstatSync(fd).nlink > 0) return [{ path, fd, free, pid: Number.parseInt(name, 10) }]
  closeSync(fd)
  return []
}

function openIfThere(path, flags) {
  try {
    return openSync(path, flags)
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

function newestOf(found) {
  const newest = new Map()
  for (const { fd, free, pid } of found) {
    // A log of an older version says no times: all of it is as old as its end.
    const ended = fstatSync(fd).mtimeMs * MICROSECONDS_A_MS
    for (const record of recordsIn(readFileSync(fd))) {
      const at = record.at || ended
      if (at < (newest.get(record.path)?.at ?? 0)) continue
      newest.set(record.path, { at, free, pid, bytes: free ? record.bytes : undefined })
    }
  }
  return newest
}

const removalsIn = (newest) =>
  new Map([...newest].flatMap(([path, { bytes, at }]) => (bytes === null ? [[path, at]] : [])))

function replay(root, newest) {
  const folders = new Set()
  for (const [name, { free, pid, bytes, at }] of newest) {
    if (!free) continue
    const path = join(root, name)
    const beside = besideOf(path, pid)
    folders.add(dirname(path))
    rmSync(beside, { force: true })
    if (bytes !== null) keep(path, { bytes, at, beside })
    else if (writtenAt(path) <= at) rmSync(path, { force: true })
  }
  for (const folder of folders) sync(folder)
}

/** A file that stands as it shall is synced all the same: it may be in memory only. */
function keep(path, { bytes, at, beside }) {
  if (stands(path, bytes, at)) return sync(path)
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const fd = openSync(beside, 'w', OWNER_ONLY)
  try {
    let done = 0
    while (done < bytes.length) done += writeSync(fd, bytes, done)
    fdatasyncSync(fd)
  } finally {
    closeSync(fd)
  }
  // Another process may have written a newer one meanwhile.
  if (stands(path, bytes, at)) rmSync(beside)
  else renameSync(beside, path)
}

/**
 * Whether the file is as the record says, or a newer one that is whole: a power cut leaves files in part. Only a
 * sidecar is ever another one under the same name; all else is named by its hash.
 */
function stands(path, bytes, at) {
  const content = contentOf(path)
  if (content === undefined) return false
  if (content.equals(bytes)) return true
  return path.endsWith('.json') && writtenAt(path) > at && isWholeJson(content)
}

function isWholeJson(content) {
  try {
    JSON.parse(content.toString('utf8'))
    return content.at(-1) === 0x0a
  } catch {
    return false
  }
}

function contentOf(path) {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}

/** In microseconds; NaN, which is neither before nor after, where there is none. */
function writtenAt(path) {
  return (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.NaN) * MICROSECONDS_A_MS
}

function sync(path) {
  const fd = openIfThere(path, 'r')
  if (fd === undefined) return
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
