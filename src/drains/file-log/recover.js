// After a crash: what a log promised and the disk may not have is written again, file by file.
import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { tryLock } from 'fs-native-extensions'
import { besideOf, recordsIn } from './records.js'

const LOG = /\.log$/
const OWNER_ONLY = 0o600

/** Takes up the logs that no living process holds. */
export function recover(root, logs) {
  for (const name of readdirSync(logs).filter((one) => LOG.test(one))) {
    const path = join(logs, name)
    const fd = openSync(path, 'r+')
    try {
      if (!tryLock(fd)) continue
      replay(root, readFileSync(path), Number.parseInt(name, 10))
      rmSync(path, { force: true })
    } finally {
      closeSync(fd)
    }
  }
}

function replay(root, log, pid) {
  const files = new Map()
  for (const { path, bytes } of recordsIn(log)) files.set(path, bytes)
  const folders = new Set()
  for (const [name, bytes] of files) {
    const path = join(root, name)
    folders.add(dirname(path))
    rmSync(besideOf(path, pid), { force: true })
    if (bytes === null) rmSync(path, { force: true })
    else keep(path, bytes)
  }
  for (const folder of folders) sync(folder)
}

/** A file that stands as it shall is synced all the same: it may be in memory only. */
function keep(path, bytes) {
  if (contentOf(path)?.equals(bytes)) return sync(path)
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const beside = `${path}.recovered`
  const fd = openSync(beside, 'w', OWNER_ONLY)
  try {
    let at = 0
    while (at < bytes.length) at += writeSync(fd, bytes, at)
    fdatasyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(beside, path)
}

function contentOf(path) {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}

function sync(path) {
  let fd
  try {
    fd = openSync(path, 'r')
  } catch {
    return
  }
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
